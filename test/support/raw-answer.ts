import { STATUS_CODES } from 'node:http';
import { splitMessage } from './fixtures.js';

/** The request that raw bytes are; by https, where its target does not say otherwise. */
export function rawRequest(raw: Buffer): Request {
  const { startLine, headers, body } = splitMessage(raw);
  const [method = '', target = ''] = startLine.split(' ');
  const url = new URL(`https://${headers.host ?? ''}${target}`);
  return new Request(target.startsWith('/') ? url : target, {
    method,
    headers,
    ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
  });
}

/** The answer as raw text. Nonces are left out. */
export async function rawAnswer(response: Response): Promise<string> {
  const headers = [...response.headers].map(
    ([name, value]) => `${name}: ${value.replace(/nonce="[^"]*"/, 'nonce="…"')}`,
  );
  const status = `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`;
  return [status, ...headers, '', await response.text()].join('\r\n');
}
