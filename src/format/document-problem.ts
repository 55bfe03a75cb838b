/** What a validator says is wrong. */
export interface SchemaProblem {
  readonly keyword: string;
  /** Where, as a JSON pointer. */
  readonly instancePath: string;
  readonly params: object;
  readonly message?: string | undefined;
  readonly parentSchema?: object | undefined;
  readonly data?: unknown;
}

/** Keywords that only say that something below them is wrong. */
const WRAPPERS: readonly string[] = ['anyOf', 'oneOf', 'allOf', 'if', 'discriminator'];

/**
 * The errors of a validation, what a person should mend first in front: unknown keys before what is missing, since the one
 * is often the other misspelled, and of several the deepest, since of alternatives that is the one that was meant.
 */
export function inOrder<P extends SchemaProblem>(errors: readonly P[]): P[] {
  const real = errors.filter(({ keyword }) => !WRAPPERS.includes(keyword));
  const depth = ({ instancePath }: P) => instancePath.split('/').length;
  const rank = ({ keyword }: P) =>
    keyword === 'additionalProperties' || keyword === 'unevaluatedProperties' ? 0 : 1;
  return (real.length === 0 ? [...errors] : real).sort((a, b) => rank(a) - rank(b) || depth(b) - depth(a));
}

/** What should have been there: `must be text`, `must be one of CSV, TXT`. */
export function expectation({ keyword, params, message, parentSchema, data }: SchemaProblem): string {
  const facts = params as Record<string, unknown>;
  const limit = Number(facts.limit);
  switch (keyword) {
    case 'type':
      return `must be ${[facts.type].flat().map(kind).join(' or ')}${remedy(facts.type, data) ?? example(parentSchema)}`;
    case 'required':
      return `${JSON.stringify(facts.missingProperty)} is missing`;
    case 'enum':
      return `must be one of ${(facts.allowedValues as unknown[]).map(String).join(', ')}`;
    case 'const':
      return `must be ${JSON.stringify(facts.allowedValue)}`;
    case 'pattern':
      if (facts.pattern === NOT_BLANK) return 'must not be blank';
      if (titleOf(parentSchema) !== undefined)
        return `must be ${titleOf(parentSchema)}${example(parentSchema)}`;
      return `must match ${String(facts.pattern)}${example(parentSchema)}`;
    case 'minLength':
      return limit === 1 ? 'must not be empty' : `must have ${limit} characters or more`;
    case 'minItems':
      return `must have ${limit} item${limit === 1 ? '' : 's'} or more`;
    case 'minimum':
      return `must be ${limit} or more`;
    case 'maximum':
      return `must be ${limit} or less`;
    default:
      return `${message ?? 'is wrong'}${example(parentSchema)}`;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  object: 'an object',
  array: 'a list',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

function kind(type: unknown): string {
  return KINDS[String(type)] ?? String(type);
}

const NOT_BLANK = '\\S';

/** YAML takes 12345 and yes for something else than text. */
function remedy(type: unknown, data: unknown): string | undefined {
  return type === 'string' && typeof data !== 'object' ? '; put it in quotes' : undefined;
}

/** What a pattern asks for, in words: `a reference to a secret`. */
function titleOf(schema: unknown): string | undefined {
  return (schema as { title?: string } | undefined)?.title;
}

function example(schema: unknown): string {
  const { examples } = (schema ?? {}) as { examples?: readonly unknown[] };
  return examples?.[0] === undefined ? '' : `, such as ${JSON.stringify(examples[0])}`;
}
