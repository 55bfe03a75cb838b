import { randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { Dicer } from '@fastify/busboy';
import FormData from 'form-data';
import { DecodeError, UsageError } from '../activity/errors.js';
import type { RequestBody } from './body.js';
import { decodeBytes } from './charset.js';

/** A parameter, or a file whose bytes are opened when they are sent. */
export type MultipartPart =
  | { readonly name: string; readonly value: string }
  | {
      readonly name: string;
      readonly fileName: string;
      readonly contentType: string;
      /** Bytes; undefined when it cannot be known before the end. */
      readonly length: number | undefined;
      readonly replayable: boolean;
      open(): AsyncIterable<Uint8Array>;
    };

/**
 * The parts as a `multipart/form-data` body. Its length is exact, and undefined when that of a part is;
 * it can be opened again when all its parts can, and is then the same to the byte.
 *
 * Names and file names are sent as UTF-8 with `"`, CR and LF as `%22`, `%0D` and `%0A`, as browsers do.
 * @param options.boundary 1 to 70 characters of RFC 2046; default: 24 random hexadecimal digits.
 * @throws UsageError `OPTION_INVALID` for a boundary, a content type or a name that no header can hold.
 * @see https://www.rfc-editor.org/rfc/rfc7578
 */
export function multipartBody(
  parts: readonly MultipartPart[],
  options: { boundary?: string } = {},
): RequestBody {
  const boundary = options.boundary ?? `----ctct${randomBytes(12).toString('hex')}`;
  if (!/^[A-Za-z0-9'()+_,./:=?-]{1,70}$/.test(boundary)) {
    throw new UsageError(
      'OPTION_INVALID',
      `boundary: must be 1 to 70 letters, digits or '()+_,-./:=?, got "${boundary.slice(0, 100)}"`,
    );
  }
  if (parts.length === 0)
    throw new UsageError('OPTION_INVALID', 'parts: a multipart body needs at least one part');
  const headers = parts.map((part) => partHeader(part, boundary));
  const lengths = parts.map((part) => ('value' in part ? Buffer.byteLength(part.value) : part.length));
  return {
    contentType: `multipart/form-data; boundary=${/^[\w'+.-]+$/.test(boundary) ? boundary : `"${boundary}"`}`,
    length: lengths.includes(undefined) ? undefined : measure(headers, lengths, boundary),
    replayable: parts.every((part) => 'value' in part || part.replayable),
    open: () => assemble(parts, headers, boundary),
  };
}

/**
 * The header of one part, its boundary line first. It is written here and not by form-data, which lets line breaks
 * through in content types and cuts file names at slashes.
 */
function partHeader(part: MultipartPart, boundary: string): string {
  const name = `name="${escapeName('name', part.name)}"`;
  if ('value' in part) return `--${boundary}\r\nContent-Disposition: form-data; ${name}\r\n\r\n`;
  if (!/^[\x21-\x7e][\x20-\x7e]*$/.test(part.contentType)) {
    throw new UsageError(
      'OPTION_INVALID',
      `contentType: must be a media type such as text/csv, got ${JSON.stringify(part.contentType.slice(0, 100))}`,
    );
  }
  return (
    `--${boundary}\r\nContent-Disposition: form-data; ${name}; ` +
    `filename="${escapeName('fileName', part.fileName)}"\r\nContent-Type: ${part.contentType}\r\n\r\n`
  );
}

function escapeName(field: string, name: string): string {
  if (/(?![\t\r\n])\p{Cc}/u.test(name)) {
    throw new UsageError(
      'OPTION_INVALID',
      `${field}: ${JSON.stringify(name.slice(0, 100))} has a control character, which cannot be sent; rename it`,
    );
  }
  return name.replace(/["\r\n]/g, (character) => ESCAPES[character] ?? '');
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '%22', '\r': '%0D', '\n': '%0A' };

function measure(
  headers: readonly string[],
  lengths: readonly (number | undefined)[],
  boundary: string,
): number {
  const form = new FormData();
  form.setBoundary(boundary);
  headers.forEach((header, index) => {
    form.append('', Buffer.alloc(0), { header, knownLength: lengths[index] ?? 0 });
  });
  return form.getLengthSync();
}

async function* assemble(
  parts: readonly MultipartPart[],
  headers: readonly string[],
  boundary: string,
): AsyncGenerator<Uint8Array> {
  const form = new FormData();
  form.setBoundary(boundary);
  const files: Readable[] = [];
  parts.forEach((part, index) => {
    const header = headers[index] ?? '';
    if ('value' in part) {
      form.append('', Buffer.from(part.value), { header });
    } else {
      const file = Readable.from(part.open(), { objectMode: false });
      files.push(file);
      form.append('', file, { header });
    }
  });
  const out = new PassThrough();
  form.on('error', (error: Error) => out.destroy(error));
  try {
    for await (const bytes of form.pipe(out)) yield bytes as Uint8Array;
  } finally {
    for (const file of files) file.destroy();
  }
}

export interface DecodedPart {
  readonly name: string;
  /** As the client sent it, perhaps with a path of its machine; never to be used as a path. */
  readonly fileName: string | undefined;
  readonly contentType: string | undefined;
  readonly bytes: Uint8Array;
}

/**
 * The parts of a multipart body, in their order.
 *
 * Quirk: of `contentType` only the boundary is looked at, and of Content-Disposition only the parameters: real clients
 * sent multipart bodies as `application/x-www-form-urlencoded; boundary=…`, and parts as `attachment; name="…"`
 * (test/fixtures/ws/requests/justphp-multipart-as-form).
 * Quirk: names are UTF-8 or windows-1252; `%22`, `%0D` and `%0A` in them are undone, as browsers write them; a
 * `filename*` (RFC 5987) goes before `filename`; backslashes are kept, since old browsers sent whole Windows paths
 * (test/fixtures/ws/requests/multipart-windows-path).
 * @param options.maxBytes of the whole body; default 104,857,600 (100 MiB).
 * @param options.maxParts default 10,000.
 * @throws DecodeError `FORM_MALFORMED` for no boundary, no closing boundary, a part without a name, too many parts;
 * `BODY_TOO_LARGE` for more bytes than `maxBytes`.
 */
export async function decodeMultipart(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  contentType: string,
  options: { maxBytes?: number; maxParts?: number } = {},
): Promise<DecodedPart[]> {
  const { maxBytes = 100 * 1024 * 1024, maxParts = 10_000 } = options;
  const boundary = boundaryOf(contentType);
  const bytes = await gather(body, maxBytes);
  const parts = await split(bytes, boundary, maxParts);
  return parts.map(decodePart);
}

function boundaryOf(contentType: string): string {
  const boundary = parameters(contentType).get('boundary');
  if (boundary !== undefined && /^[\x20-\x7e]{1,200}$/.test(boundary)) return boundary;
  throw malformed(
    boundary === undefined
      ? `the Content-Type "${contentType.slice(0, 200)}" names no boundary`
      : 'the boundary in the Content-Type is not 1 to 200 printable ASCII characters',
  );
}

async function gather(body: Uint8Array | AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    length += chunk.length;
    if (length > maxBytes) {
      throw new DecodeError('BODY_TOO_LARGE', `the multipart body has more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  const [only] = chunks;
  return only !== undefined && chunks.length === 1
    ? Buffer.from(only.buffer, only.byteOffset, only.byteLength)
    : Buffer.concat(chunks, length);
}

interface RawPart {
  header: Readonly<Record<string, readonly string[] | undefined>> | undefined;
  readonly chunks: Uint8Array[];
}

/**
 * Dicer gets the body in one piece: of a body in several it hands out pieces of a buffer that it soon overwrites.
 */
function split(bytes: Buffer, boundary: string, maxParts: number): Promise<RawPart[]> {
  return new Promise((resolve, reject) => {
    const parts: RawPart[] = [];
    const dicer = new Dicer({ boundary });
    dicer.on('part', (stream) => {
      const part: RawPart = { header: undefined, chunks: [] };
      parts.push(part);
      stream.on('header', (header) => {
        part.header = header as RawPart['header'];
      });
      stream.on('data', (chunk) => part.chunks.push(chunk as Uint8Array));
      stream.on('error', () => undefined);
      if (parts.length > maxParts) reject(malformed(`the body has more than ${maxParts} parts`));
    });
    dicer.on('error', () => {
      reject(
        malformed(
          `the body ends at byte ${bytes.length}, in part ${parts.length}, without its closing boundary "--${boundary}--"`,
        ),
      );
    });
    dicer.on('finish', () => {
      resolve(parts);
    });
    dicer.end(bytes);
  });
}

function decodePart({ header, chunks }: RawPart, index: number): DecodedPart {
  const disposition = parameters(binaryText(header?.['content-disposition']?.[0]) ?? '');
  const name = disposition.get('name');
  if (name === undefined) {
    throw malformed(`part ${index + 1} has no name (Content-Disposition: form-data; name="…")`);
  }
  const [only] = chunks;
  return {
    name: unescapeName(name),
    fileName: extendedValue(disposition.get('filename*')) ?? unescapeName(disposition.get('filename')),
    contentType: binaryText(header?.['content-type']?.[0]),
    bytes: only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks),
  };
}

/** Header values come as one character per byte. */
function binaryText(value: string | undefined): string | undefined {
  return value === undefined ? undefined : decodeBytes(Buffer.from(value, 'latin1'));
}

function unescapeName(name: string): string;
function unescapeName(name: string | undefined): string | undefined;
function unescapeName(name: string | undefined): string | undefined {
  return name?.replace(/%(22|0D|0A)/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** `UTF-8''na%C3%AFve.csv` @see https://www.rfc-editor.org/rfc/rfc5987#section-3.2 */
function extendedValue(value: string | undefined): string | undefined {
  const match = /^(utf-8|iso-8859-1|windows-1252)'[^']*'(.*)$/i.exec(value ?? '');
  if (match === null) return undefined;
  const bytes = (match[2] ?? '').replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return decodeBytes(Buffer.from(bytes, 'latin1'));
}

/**
 * The parameters of a header value, by lower-case name; the first of each name counts. A quoted value ends at the quote
 * that a semicolon or the end follows: so `\"` and stray quotes are part of it, and so is a backslash before the last.
 */
function parameters(header: string): Map<string, string> {
  const found = new Map<string, string>();
  const parameter = /;\s*([^\s=;"]+)\s*=\s*(?:"|([^";\s][^;]*)?)/g;
  for (let match = parameter.exec(header); match !== null; match = parameter.exec(header)) {
    let value = (match[2] ?? '').trim();
    if (match[0].endsWith('"') && match[2] === undefined) {
      const rest = header.slice(parameter.lastIndex);
      const length = /"\s*(?:;|$)/.exec(rest)?.index ?? rest.length;
      value = rest.slice(0, length).replaceAll('\\"', '"');
      parameter.lastIndex += length + 1;
    }
    const name = (match[1] ?? '').toLowerCase();
    if (!found.has(name)) found.set(name, value);
  }
  return found;
}

function malformed(message: string): DecodeError {
  return new DecodeError('FORM_MALFORMED', `multipart: ${message}`);
}
