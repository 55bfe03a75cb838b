import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

const folder = new URL('../../schemas/', import.meta.url);
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
formats.default(ajv);
for (const name of readdirSync(folder).filter((file) => file.endsWith('.schema.json'))) {
  ajv.addSchema(JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as object);
}
const ID = 'https://example.com/ctct-activities/output.schema.json';
const output = JSON.parse(readFileSync(new URL('output.schema.json', folder), 'utf8')) as {
  oneOf: { properties?: { kind: { const: string } }; $ref?: string }[];
};

/** The branch of schemas/output.schema.json for each kind of document. */
const BRANCHES = new Map(
  output.oneOf.map(({ properties, $ref }, index) => {
    const kind = properties?.kind.const ?? { 'translation.schema.json': 'translations' }[$ref ?? ''];
    return [kind ?? 'upload-parts', index];
  }),
);

/** The kinds that the schema has. */
export const OUTPUT_KINDS: readonly string[] = [...BRANCHES.keys()];

/** What is wrong with a document of `--output json`; undefined when nothing is. */
export function wrongDocument(text: string): string | undefined {
  const document = JSON.parse(text) as { kind?: unknown };
  const branch = BRANCHES.get(String(document.kind));
  if (branch === undefined) return `no schema for the kind ${String(document.kind)}`;
  const validate = ajv.getSchema(`${ID}#/oneOf/${branch}`);
  if (validate === undefined) return 'the schema is gone';
  return validate(document) === true ? undefined : ajv.errorsText(validate.errors);
}

/** What is wrong with a document that a command line put out, where it asked for one with all its fields. */
export function wrongOutput(argv: readonly string[], text: string): string | undefined {
  const words = argv.join(' ');
  if (text === '' || !/--(?:output|as)[= ]json\b/.test(words) || words.includes('--fields')) return undefined;
  return wrongDocument(text);
}
