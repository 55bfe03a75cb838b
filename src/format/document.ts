import { readFile } from 'node:fs/promises';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import type { Document } from 'yaml';
import { UsageError } from '../activity/errors.js';
import { similarField } from '../activity/fields.js';
import { shown } from '../activity/shown.js';
import { expectation, inOrder } from './document-problem.js';

export interface ReadDocumentOptions {
  /** What errors call the document, such as its path. `.json` is read as JSON, `.yaml` and `.yml` as YAML, others by how they begin. */
  readonly source: string;
  /** The name of a schema of this package: `emulator-seed` for schemas/emulator-seed.schema.json. */
  readonly schema: string;
}

type Path = readonly (string | number)[];

/**
 * What a JSON or YAML document says, once its schema holds. It is for files that people write: settings, seeds, plans.
 * @throws UsageError `CONFIG_INVALID`: `seed.yaml:4:9: accounts[0].lists[1]: "nam" is not known here; did you mean name?`
 * The value that is wrong is shown, unless its key is one of a secret.
 */
export async function readDocument<T>(text: string, { source, schema }: ReadDocumentOptions): Promise<T> {
  const { value, locate } = await parse(text.replace(/^\uFEFF/, ''), source);
  const validate = await validator(schema);
  if (validate(value)) return value as T;
  const [first, ...others] = inOrder(validate.errors ?? []);
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  throw invalid(first === undefined ? source : `${source}${describe(first, value, locate)}${more}`);
}

/** Whether the schema holds for a value: soon told, also of a large one, whose places nobody asks for. */
export async function conformsTo(value: unknown, schema: string): Promise<boolean> {
  return (await validator(schema))(value);
}

/** The place of a node, `:4:9`, or nothing where there is none. */
type Locate = (path: Path, of: 'key' | 'value') => string;

async function parse(text: string, source: string): Promise<{ value: unknown; locate: Locate }> {
  const { LineCounter, isMap, isNode, isScalar, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `:${line}:${col}`;
  };
  const isJson = /\.json$/i.test(source) || (!/\.ya?ml$/i.test(source) && /^\s*[{[]/.test(text));
  const document: Document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  // YAML reads all JSON and much that is none; where it stumbles, it can tell the place.
  const jsonError = isJson ? failure(() => JSON.parse(text) as unknown) : undefined;
  if (error !== undefined || jsonError !== undefined) {
    const at = error?.pos[0] ?? positionIn(jsonError?.message);
    const reason = error?.message ?? jsonError?.message ?? '';
    throw invalid(
      `${source}${at === undefined ? '' : place(at)}: is not ${isJson ? 'JSON' : 'YAML'}: ${plain(reason)}`,
    );
  }
  if (document.contents === null) throw invalid(`${source}: is empty`);
  const value = valueOf(document, source);
  return {
    value,
    locate: (path, of) => {
      const parent: unknown = path.length === 0 ? undefined : document.getIn(path.slice(0, -1), true);
      const key = path.at(-1);
      const pair = isMap(parent)
        ? parent.items.find(({ key: name }) => isScalar(name) && name.value === key)
        : undefined;
      const node: unknown = of === 'key' && pair !== undefined ? pair.key : document.getIn(path, true);
      return isNode(node) && node.range != null ? place(node.range[0]) : '';
    },
  };
}

function valueOf(document: Document, source: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    throw invalid(`${source}: ${plain(error instanceof Error ? error.message : String(error))}`);
  }
}

function failure(act: () => unknown): Error | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/**
 * The parsers' messages quote what stands there, which may be a secret: behind a colon, or as `, ..."text" is not …`.
 * So their errors are no causes of ours either.
 */
function plain(message: string): string {
  return message.replace(/(?:[:;]|, (?:\.\.\.)?"| in JSON at position)[^]*$/, '');
}

function positionIn(message: string | undefined): number | undefined {
  const found = /at position (\d+)/.exec(message ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

const SECRET = /pass|secret|token|api_?key|credential|authorization|cookie/i;

/** What is there says nothing beyond what is missing. */
const UNSHOWN: readonly string[] = ['required', 'minItems'];

function describe(error: ErrorObject, document: unknown, locate: Locate): string {
  const path = pathOf(error.instancePath, document);
  const { additionalProperty, unevaluatedProperty } = error.params as Record<string, unknown>;
  const unknownKey = additionalProperty ?? unevaluatedProperty;
  if (typeof unknownKey === 'string') {
    const known = Object.keys(((error.parentSchema ?? {}) as { properties?: object }).properties ?? {});
    const similar = similarField(unknownKey, known);
    const hint = similar === undefined ? `there are ${known.join(', ')}` : `did you mean ${similar}?`;
    return `${locate([...path, unknownKey], 'key')}: ${pathText(path)}${shown(unknownKey)} is not known here; ${hint}`;
  }
  const secret = path.some((key) => typeof key === 'string' && SECRET.test(key));
  // A text in place of a whole object may be a secret that was taken for a file.
  const misplaced =
    error.keyword === 'type' && error.params.type === 'object' && typeof error.data === 'string';
  const found =
    secret || UNSHOWN.includes(error.keyword) ? '' : misplaced ? ', got text' : `, got ${shown(error.data)}`;
  return `${locate(path, 'value')}: ${pathText(path)}${expectation(error)}${found}`;
}

/** The keys of a JSON pointer; numbers where they count the items of an array. */
function pathOf(pointer: string, document: unknown): Path {
  let value = document;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const key = Array.isArray(value) ? Number(name) : name;
      value = (value as Record<string | number, unknown> | undefined)?.[key];
      return key;
    });
}

/** `accounts[0].lists[1].id: ` */
function pathText(path: Path): string {
  if (path.length === 0) return '';
  const text = path.map((key) => {
    if (typeof key === 'number') return `[${key}]`;
    return /^[\w$-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  });
  return `${text.join('').replace(/^\./, '')}: `;
}

const validators = new Map<string, Promise<ValidateFunction>>();

function validator(schema: string): Promise<ValidateFunction> {
  let found = validators.get(schema);
  if (found === undefined) {
    found = compile(schema);
    validators.set(schema, found);
  }
  return found;
}

async function compile(schema: string): Promise<ValidateFunction> {
  const [{ Ajv2020 }, formats, text] = await Promise.all([
    import('ajv/dist/2020.js'),
    import('ajv-formats'),
    readFile(new URL(`../../schemas/${schema}.schema.json`, import.meta.url), 'utf8'),
  ]);
  const ajv = new Ajv2020({ allErrors: true, verbose: true, discriminator: true, allowUnionTypes: true });
  formats.default.default(ajv);
  return ajv.compile(JSON.parse(text) as object);
}

function invalid(message: string): UsageError {
  return new UsageError('CONFIG_INVALID', message);
}
