import { UsageError } from '../activity/errors.js';
import type { HttpCall } from './http-call.js';

const START_LINE = /^([A-Z]{3,10}) (\S+)(?: HTTP\/[0-9.]+)?[ \t]*(?:\r?\n|$)/;

/** Whether the text begins as an HTTP request does. */
export function looksLikeHttp(text: string): boolean {
  return START_LINE.test(text);
}

/**
 * The request that stands there as it was sent. A body that an editor gave other line ends is taken for what it was; its
 * length is believed only where it is less than what there is.
 * @throws UsageError `OPTION_INVALID` for a head that is none.
 */
export function rawCall(bytes: Uint8Array, place: string): HttpCall {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const latin = all.toString('latin1');
  const start = START_LINE.exec(latin);
  const blank = /\r?\n\r?\n/.exec(latin);
  const headEnd = blank?.index ?? latin.length;
  if (start?.[1] === undefined || start[2] === undefined) {
    throw new UsageError('OPTION_INVALID', `${place}: line 1 is no request line such as POST /path HTTP/1.1`);
  }
  const headers = readHeaders(latin.slice(start[0].length, headEnd), place);
  const rest = blank === null ? all.subarray(all.length) : all.subarray(headEnd + blank[0].length);
  const framed = /\bchunked\b/i.test(headers.get('transfer-encoding') ?? '') ? dechunk(rest) : rest;
  const length = Number(headers.get('content-length') ?? framed.length);
  const wanted = blank?.[0] === '\r\n\r\n' && length < framed.length ? framed.subarray(0, length) : framed;
  const host = headers.get('host');
  const [, method, target] = start;
  return {
    place,
    method,
    url: target.startsWith('/') && host !== undefined ? `http://${host}${target}` : target,
    headers,
    body: withLineEnds(wanted, headers.get('content-type') ?? ''),
  };
}

function readHeaders(head: string, place: string): Map<string, string> {
  const headers = new Map<string, string>();
  // A line that begins with a blank goes on the one before it.
  const lines = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon < 1) {
      throw new UsageError(
        'OPTION_INVALID',
        `${place}: line ${index + 2} is no header; an empty line ends the headers`,
      );
    }
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

/** Multipart is CRLF throughout its heads; an editor may have made that LF. */
function withLineEnds(body: Buffer, contentType: string): Buffer {
  if (!/boundary=/i.test(contentType) || body.includes('\r\n')) return body;
  return Buffer.from(body.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}

function dechunk(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\n', at);
    const size = end === -1 ? NaN : parseInt(bytes.toString('latin1', at, end), 16);
    // Somebody took the framing away already, or it ends here.
    if (Number.isNaN(size)) return at === 0 ? bytes : Buffer.concat(pieces);
    if (size === 0) break;
    pieces.push(bytes.subarray(end + 1, end + 1 + size));
    at = end + 1 + size;
    while (bytes[at] === 0x0d || bytes[at] === 0x0a) at++;
  }
  return Buffer.concat(pieces);
}
