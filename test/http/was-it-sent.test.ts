import type { Socket } from 'node:net';
import { expect } from 'chai';
import { ServiceError, TransportError } from '../../src/activity/errors.js';
import { whyMaybeCreated } from '../../src/create.js';
import { bytesBody, type RequestBody } from '../../src/format/body.js';
import { createTransport, type TransportOptions } from '../../src/http/transport.js';
import { leapingClock } from '../support/leaping-clock.js';
import { closedPort, closeServers, rejection, soon, tcpServer } from './loopback.js';

/**
 * Every way a POST can fail, and what it says about whether the service may have taken the request. What surely was not
 * taken is sent three times in all; what may have been is sent once, and looked for (`createOnce`).
 */
interface Row {
  readonly row: string;
  readonly sent: 'no' | 'maybe';
  /** How often the POST is sent out, or tried; default: three times when it surely was not taken, else once. */
  readonly times?: number;
  /** A server's part in it: what it does with a connection once the request's head is there. */
  readonly server?: (socket: Socket) => void;
  /** The same from the first moment of the connection on. */
  readonly connected?: (socket: Socket) => void;
  /** The error of a connection that a test cannot have for real. */
  readonly code?: string;
  readonly url?: () => Promise<URL>;
  readonly options?: Partial<TransportOptions>;
  readonly body?: RequestBody;
  readonly aborted?: 'before' | 'after';
}

const answer = (head: string, body = '') =>
  `HTTP/1.1 ${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
const says = (text: string) => (socket: Socket) => socket.end(text);

const form = bytesBody('application/x-www-form-urlencoded', new TextEncoder().encode('lists=1'));
const growing: RequestBody = {
  ...form,
  length: 3,
  async *open() {
    await Promise.resolve();
    yield new Uint8Array(4);
  },
};

const ROWS: readonly Row[] = [
  { row: 'nothing listens there (ECONNREFUSED)', sent: 'no', url: closedPort },
  {
    row: 'no such host (ENOTFOUND)',
    sent: 'no',
    url: () => Promise.resolve(new URL('http://no-such-host.localhost')),
  },
  { row: 'the name cannot be looked up now', sent: 'no', code: 'EAI_AGAIN' },
  { row: 'no way to the host', sent: 'no', code: 'EHOSTUNREACH' },
  { row: 'no way to the network', sent: 'no', code: 'ENETUNREACH' },
  { row: 'no connection in time', sent: 'no', code: 'UND_ERR_CONNECT_TIMEOUT' },
  {
    row: 'what answers speaks no TLS',
    sent: 'no',
    connected: says('HTTP/1.1 400 Bad Request\r\n\r\n'),
    url: secure,
  },
  { row: 'closed in the TLS handshake', sent: 'no', connected: (socket) => socket.destroy(), url: secure },
  {
    row: 'reset in the TLS handshake',
    sent: 'no',
    connected: (socket) => socket.resetAndDestroy(),
    url: secure,
  },
  { row: 'the certificate has expired', sent: 'no', times: 1, code: 'CERT_HAS_EXPIRED' },
  { row: 'the certificate is for another host', sent: 'no', times: 1, code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
  {
    row: 'fetch refuses the port',
    sent: 'no',
    times: 1,
    url: () => Promise.resolve(new URL('http://127.0.0.1:6000')),
  },
  {
    row: 'the body is not as long as announced',
    sent: 'no',
    times: 1,
    server: () => undefined,
    body: growing,
  },
  { row: 'aborted before it began', sent: 'no', times: 0, server: () => undefined, aborted: 'before' },
  { row: '429', sent: 'no', server: says(answer('429 Too Many Requests')) },
  { row: '503', sent: 'no', server: says(answer('503 Service Unavailable')) },
  {
    row: '403 of the gateway, too many in a second',
    sent: 'no',
    server: says(answer('403 Forbidden', 'mashery.not.authorized.over.qps')),
  },
  {
    row: '403 of the gateway, too many in a day',
    sent: 'no',
    times: 1,
    server: says(answer('403 Forbidden', 'mashery.not.authorized.over.ratelimit')),
  },
  { row: '400', sent: 'no', times: 1, server: says(answer('400 Bad Request')) },
  { row: '401', sent: 'no', times: 1, server: says(answer('401 Unauthorized')) },
  { row: '408', sent: 'no', times: 1, server: says(answer('408 Request Timeout')) },
  { row: '413', sent: 'no', times: 1, server: says(answer('413 Content Too Large')) },

  { row: '500', sent: 'maybe', server: says(answer('500 Internal Server Error')) },
  { row: '502', sent: 'maybe', server: says(answer('502 Bad Gateway')) },
  { row: '504', sent: 'maybe', server: says(answer('504 Gateway Timeout')) },
  { row: 'reset (ECONNRESET)', sent: 'maybe', server: (socket) => socket.resetAndDestroy() },
  { row: 'closed (UND_ERR_SOCKET)', sent: 'maybe', server: (socket) => socket.end() },
  { row: 'broken pipe', sent: 'maybe', code: 'EPIPE' },
  { row: 'timed out in the network', sent: 'maybe', code: 'ETIMEDOUT' },
  {
    row: 'no answer in time',
    sent: 'maybe',
    server: () => undefined,
    // Long enough for the request to arrive on a busy machine.
    options: { timeouts: { headers: 250 } },
  },
  {
    row: 'no answer in the total time',
    sent: 'maybe',
    server: () => undefined,
    options: { timeouts: { total: 250 } },
  },
  { row: 'the agent saw no head in time', sent: 'maybe', code: 'UND_ERR_HEADERS_TIMEOUT' },
  {
    row: 'the answer stops coming',
    sent: 'maybe',
    server: (socket) => socket.write('HTTP/1.1 201 Created\r\ncontent-length: 9\r\n\r\nbegun'),
    options: { timeouts: { bodyIdle: 20 } },
  },
  {
    row: 'the answer is shorter than it says',
    sent: 'maybe',
    server: says('HTTP/1.1 201 Created\r\ncontent-length: 9\r\n\r\nbegun'),
  },
  {
    row: 'the head of the answer is too large',
    sent: 'maybe',
    server: says(`HTTP/1.1 201 Created\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`),
  },
  { row: 'the answer is not HTTP', sent: 'maybe', server: says('SSH-2.0-OpenSSH_9.2\r\n') },
  { row: 'the head of the answer breaks off', sent: 'maybe', server: says('HTTP/1.1 201 Crea') },
  { row: 'aborted after it was sent', sent: 'maybe', server: () => undefined, aborted: 'after' },
  { row: 'a code that nobody knows', sent: 'maybe', code: 'SOMETHING_NEW' },
];

let accept: (socket: Socket) => void = () => undefined;

/** The address of a server that is asked for TLS. */
async function secure(): Promise<URL> {
  const url = await tcpServer((socket) => {
    accept(socket);
  });
  return new URL(url.href.replace('http:', 'https:'));
}

describe('was it sent?', () => {
  afterEach(closeServers);

  for (const {
    row,
    sent,
    server,
    connected,
    code,
    url,
    options = {},
    body = form,
    aborted,
    ...rest
  } of ROWS) {
    const times = rest.times ?? (sent === 'no' ? 3 : 1);

    it(`${row}: ${sent === 'no' ? `no; ${times === 3 ? 'sent again' : 'and no use in sending it again'}` : 'maybe; not sent again'}`, async () => {
      let tried = 0;
      const controller = new AbortController();
      accept = (socket) => {
        tried++;
        connected?.(socket);
      };
      const fetch: typeof globalThis.fetch = () => {
        tried++;
        const cause = Object.assign(new Error(code), { code });
        return Promise.reject(new TypeError('fetch failed', { cause }));
      };
      const base =
        (await url?.()) ??
        (await tcpServer((socket) => {
          socket.once('data', () => {
            tried++;
            if (aborted === 'after') controller.abort();
            server?.(socket);
          });
        }));
      if (aborted === 'before') controller.abort();
      const transport = createTransport({ base, clock: leapingClock(), ...(code && { fetch }), ...options });
      const send = async () => {
        const response = await transport({ method: 'POST', url: base, body, signal: controller.signal });
        await response.bytes();
        const { status } = response;
        throw new ServiceError('SERVICE_REFUSED', String(status), { status, detail: '' });
      };
      const error = await rejection(send());
      await soon(2);
      expect(error).to.satisfy((it: unknown) => it instanceof TransportError || it instanceof ServiceError);
      expect(whyMaybeCreated(error) === undefined ? 'no' : 'maybe').to.equal(sent);
      // Where no server is reached, the attempts leave no trace.
      if (body !== growing && (url === undefined || connected !== undefined)) expect(tried).to.equal(times);
    });
  }
});
