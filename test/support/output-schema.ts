import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

const folder = new URL('../../schemas/', import.meta.url);
const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
formats.default(ajv);
for (const name of readdirSync(folder).filter((file) => file.endsWith('.schema.json'))) {
  ajv.addSchema(JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as object);
}

/** The branch of a schema for each kind. */
function branches(name: string): ReadonlyMap<string, ValidateFunction> {
  const { $id, oneOf } = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as {
    $id: string;
    oneOf: { properties?: { kind: { const: string } }; $ref?: string }[];
  };
  return new Map(
    oneOf.map(({ properties, $ref }, index) => {
      const kind = properties?.kind.const ?? { 'translation.schema.json': 'translations' }[$ref ?? ''];
      const validate = ajv.getSchema(`${$id}#/oneOf/${index}`);
      if (validate === undefined) throw new Error(`${name}: has no branch ${index}`);
      return [kind ?? 'upload-parts', validate];
    }),
  );
}

const DOCUMENTS = branches('output.schema.json');
const LINES = branches('output-line.schema.json');

/** The kinds of documents that the schema has, and of lines. */
export const OUTPUT_KINDS: readonly string[] = [...DOCUMENTS.keys()];
export const LINE_KINDS: readonly string[] = [...LINES.keys()];

/** What is wrong with a document of `--output json`; undefined when nothing is. */
export function wrongDocument(text: string): string | undefined {
  return wrongOf(DOCUMENTS, text);
}

/** What is wrong with a line of `--output ndjson`; undefined when nothing is. */
export function wrongLine(text: string): string | undefined {
  return wrongOf(LINES, text);
}

function wrongOf(known: ReadonlyMap<string, ValidateFunction>, text: string): string | undefined {
  const document = JSON.parse(text) as { kind?: unknown };
  const validate = known.get(String(document.kind));
  if (validate === undefined) return `no schema for the kind ${String(document.kind)}`;
  return validate(document) ? undefined : ajv.errorsText(validate.errors);
}

/** What is wrong with what a command line put out, where it asked for JSON with all its fields. */
export function wrongOutput(argv: readonly string[], text: string): string | undefined {
  const words = argv.join(' ');
  const format = /--(?:output|as)[= ](json|ndjson)\b/.exec(words)?.[1];
  if (text === '' || format === undefined || words.includes('--fields')) return undefined;
  if (format === 'json') return wrongDocument(text);
  const wrong = text.split('\n').filter((line) => line !== '' && wrongLine(line) !== undefined);
  return wrong[0] === undefined ? undefined : wrongLine(wrong[0]);
}
