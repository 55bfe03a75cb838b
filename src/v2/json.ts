import { ServiceError } from '../activity/errors.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The refusal of a JSON body, told as v2 told its own: `json.max.items.violation:#/import_data/0/email_addresses: …`.
 *
 * Quirk: the key of the error stands in its message as well (test/fixtures/v2/answers/refused-three-addresses).
 */
export function invalidJson(rule: string, place: string, what: string): ServiceError {
  const detail = `json.${rule}:${place}: ${what}`;
  return new ServiceError('SERVICE_REFUSED', `the request cannot be understood: ${detail}`, {
    status: 400,
    detail,
  });
}

/** @throws ServiceError 400, as the other readers here. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw invalidJson('payload.invalid', '#', 'The body is not JSON in UTF-8.');
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readObject(value: unknown, place: string): JsonObject {
  if (isObject(value)) return value;
  throw invalidJson('type.invalid', place, `Expected an object, found ${kindOf(value)}.`);
}

export function readArray(value: unknown, place: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalidJson('type.invalid', place, `Expected an array, found ${kindOf(value)}.`);
}

/** Text; of a number, its digits. */
export function readText(value: unknown, place: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw invalidJson('type.invalid', place, `Expected a string, found ${kindOf(value)}.`);
}

export function readFlag(value: unknown, place: string): boolean {
  if (typeof value === 'boolean') return value;
  throw invalidJson('type.invalid', place, `Expected true or false, found ${kindOf(value)}.`);
}

/** What `read` makes of the value; undefined where there is none. */
export function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
