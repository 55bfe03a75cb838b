import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../schemas/v2/', import.meta.url);
const SUFFIX = '.schema.json';

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
formats.default(ajv);

const validators = new Map<string, ValidateFunction>(
  readdirSync(FOLDER)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => {
      const schema = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as object;
      return [file.slice(0, -SUFFIX.length), ajv.compile(schema)];
    }),
);

/** The names of the schemas in schemas/v2. */
export const SCHEMAS = [...validators.keys()];

/** What the schema has against the value, in words; empty when it conforms. */
export function complaints(schema: string, value: unknown): string {
  const validate = validators.get(schema);
  if (validate === undefined) throw new Error(`there is no schema ${schema}`);
  return validate(value) ? '' : ajv.errorsText(validate.errors);
}

/** The schema of the body of each POST. */
export const REQUEST_SCHEMAS = {
  addcontacts: 'add-contacts',
  removefromlists: 'remove-contacts',
  clearlists: 'clear-lists',
  exportcontacts: 'export-contacts',
} as const;

/** The schema of an answer, by the request it is to; undefined for a file. */
export function answerSchema(method: string, path: string, status: number): string | undefined {
  if (status >= 400) return 'errors';
  if (method === 'POST') return 'created';
  if (/\/activities\/?$/.test(path)) return 'activities';
  if (path.endsWith('/lists')) return 'lists';
  return path.endsWith('.csv') ? undefined : 'activity';
}
