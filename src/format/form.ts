import qs from 'qs';
import { DecodeError } from '../activity/errors.js';
import { decodeBytes } from './charset.js';

export type FormParameter = readonly [name: string, value: string];

/**
 * The parameters as `application/x-www-form-urlencoded` text, in the order given; a name that occurs twice is written
 * twice (`lists=…&lists=…`). With `+` for blanks, the default, the text is what the URL Standard's serializer writes.
 *
 * `blanks` says for each name how blanks in its value are written: the document writes `+` in `data` and `%20` in
 * `columns`. A lone surrogate, which no encoding can hold, becomes U+FFFD.
 * @see https://url.spec.whatwg.org/#urlencoded-serializing
 */
export function encodeForm(
  parameters: readonly FormParameter[],
  blanks: (name: string) => '+' | '%20' = () => '+',
): string {
  return parameters
    .map(([name, value]) =>
      qs.stringify(
        { [name]: value },
        { arrayFormat: 'repeat', encoder: (text: string) => percentEncode(text, blanks(name)) },
      ),
    )
    .join('&');
}

/** The encoder of qs takes ten times as long for a contact file, and leaves `()` and `~`, which a form does not. */
function percentEncode(text: string, blank: '+' | '%20'): string {
  return percentEncodeBytes(Buffer.from(text), blank).toString('latin1');
}

/** UTF-8 text as a form writes it in a value. */
export function percentEncodeBytes(bytes: Uint8Array, blank: '+' | '%20'): Buffer {
  const encoded = Buffer.allocUnsafe(bytes.length * 3);
  let length = 0;
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at++] ?? 0;
    if (UNRESERVED[byte] === 1) {
      encoded[length++] = byte;
    } else if (byte === BLANK && blank === '+') {
      encoded[length++] = PLUS;
    } else {
      encoded[length++] = PERCENT;
      encoded[length++] = HEX_DIGITS[byte >> 4] ?? 0;
      encoded[length++] = HEX_DIGITS[byte & 15] ?? 0;
    }
  }
  return encoded.subarray(0, length);
}

const HEX_DIGITS = Buffer.from('0123456789ABCDEF');

/** 1 for the bytes that a form writes as they are. */
const UNRESERVED = new Uint8Array(256);
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-._')) {
  UNRESERVED[byte] = 1;
}

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const PLUS = 0x2b;
const BLANK = 0x20;

/**
 * The parameters of an `application/x-www-form-urlencoded` body, in their order.
 *
 * Reads what the URL Standard's parser reads, and beyond it what real clients sent:
 * Quirk: raw CR, LF and TAB are dropped wherever they stand (bodies laid out over several lines, a CRLF
 * after the body; test/fixtures/ws/requests/coldfusion-add).
 * Quirk: raw blanks around a parameter are dropped (`SV_ADD &data=…`); a blank inside a value stays
 * (test/fixtures/ws/requests/coldfusion-add).
 * Quirk: a value whose bytes are not UTF-8 is read as windows-1252, which clients of the time sent
 * (test/fixtures/ws/requests/windows-1252-add).
 * @param options.maxParameters default 100,000.
 * @throws DecodeError `FORM_MALFORMED` when there are more parameters than that.
 * @see https://url.spec.whatwg.org/#urlencoded-parsing
 */
export function decodeForm(body: Uint8Array, options: DecodeFormOptions = {}): FormParameter[] {
  const steps = formSteps(body, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

export interface DecodeFormOptions {
  readonly maxParameters?: number;
}

/**
 * As `decodeForm`, in short steps with turns of the event loop between them: a large form keeps nobody waiting.
 * @throws DecodeError `FORM_MALFORMED` as `decodeForm`.
 */
export async function decodeFormInSteps(
  body: Uint8Array,
  options: DecodeFormOptions = {},
): Promise<FormParameter[]> {
  const steps = formSteps(body, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Bytes that are decoded at a step. */
const STEP = 256 * 1024;

function* formSteps(body: Uint8Array, options: DecodeFormOptions): Generator<undefined, FormParameter[]> {
  const maxParameters = options.maxParameters ?? 100_000;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const parameters: FormParameter[] = [];
  let rested = 0;
  for (let start = 0; start < bytes.length;) {
    if (start - rested >= STEP) {
      rested = start;
      yield;
    }
    const ampersand = bytes.indexOf(AMPERSAND, start);
    const next = ampersand === -1 ? bytes.length : ampersand;
    const parameter = trimRaw(bytes.subarray(start, next));
    if (parameter.length > 0) {
      if (parameters.length === maxParameters) {
        throw new DecodeError(
          'FORM_MALFORMED',
          `the form has more than ${maxParameters} parameters (byte ${start})`,
        );
      }
      const equals = parameter.indexOf(EQUALS);
      parameters.push(
        equals === -1
          ? [yield* decodeComponent(parameter), '']
          : [
              yield* decodeComponent(parameter.subarray(0, equals)),
              yield* decodeComponent(parameter.subarray(equals + 1)),
            ],
      );
    }
    start = next + 1;
  }
  return parameters;
}

function* decodeComponent(bytes: Buffer): Generator<undefined, string> {
  const decoded = Buffer.allocUnsafe(bytes.length);
  let at = 0;
  let length = 0;
  while (at < bytes.length) {
    if (at > 0) yield;
    [at, length] = decodeStretch(bytes, at, decoded, length);
  }
  return decodeBytes(decoded.subarray(0, length));
}

/** Decodes from `start` on, about `STEP` bytes: how far it came in both. */
function decodeStretch(
  bytes: Buffer,
  start: number,
  decoded: Buffer,
  written: number,
): [at: number, length: number] {
  const end = Math.min(start + STEP, bytes.length);
  let at = start;
  let length = written;
  for (; at < end; at++) {
    let byte = bytes[at] ?? 0;
    if (byte === PLUS) byte = BLANK;
    else if (byte === PERCENT) {
      const high = hexDigit(bytes[at + 1]);
      const low = hexDigit(bytes[at + 2]);
      if (high >= 0 && low >= 0) {
        byte = high * 16 + low;
        at += 2;
      }
    } else if (isLayout(byte)) continue;
    decoded[length++] = byte;
  }
  return [at, length];
}

function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function trimRaw(bytes: Buffer): Buffer {
  let start = 0;
  let end = bytes.length;
  while (start < end && isRawSpace(bytes[start])) start++;
  while (start < end && isRawSpace(bytes[end - 1])) end--;
  return bytes.subarray(start, end);
}

function isRawSpace(byte = 0): boolean {
  return byte === BLANK || isLayout(byte);
}

/** CR, LF and TAB: never part of an encoded value, so they can only be layout. */
function isLayout(byte: number): boolean {
  return byte === 0x0d || byte === 0x0a || byte === 0x09;
}
