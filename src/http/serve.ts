import {
  createServer,
  ServerResponse,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { getRequestListener, RequestError } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { UsageError } from '../activity/errors.js';
import { wholeBody } from './whole.js';

/** What every server of this package is. `peer` is the address the request came from, when it came over a socket. */
export type FetchHandler = (request: Request, peer?: string) => Promise<Response>;

/**
 * What a handler throws, or lets a body fail with, to have the connection reset (RST) instead of answered. It reads as
 * what fetch throws then, so that it means the same where no socket is between.
 */
export class ConnectionReset extends TypeError {
  override readonly name = 'TypeError';

  constructor() {
    super('fetch failed', { cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }) });
  }
}

/** Where a handler is served. */
export interface ServeOptions {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** Address or name to listen at. Default 127.0.0.1, which only this machine can reach. */
  readonly host?: string | undefined;
  /** Serves https, by this certificate and its key, both PEM. Default: http. */
  readonly tls?: TlsIdentity | undefined;
  /** Connections at a time, beyond which new ones are dropped. Default: as many as the system has. */
  readonly maxConnections?: number | undefined;
}

/** Who a server says that it is, in PEM. */
export interface TlsIdentity {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** A handler that is served. */
export interface Served {
  /** Such as `http://127.0.0.1:43123`, https: with `tls`; without a slash at the end. */
  readonly url: string;
  /** Ends all connections, those in use too. Resolves once the port is free; may be called more than once. */
  close(): Promise<void>;
  /** Takes no new connections, lets answers that are under way go out for `milliseconds` at most, and closes. */
  drain(milliseconds: number): Promise<void>;
  /**
   * Takes another certificate for connections from now on, as one is renewed; only where https is served.
   * @throws UsageError `OPTION_INVALID` for one that cannot be used; the one from before is kept
   */
  renew(tls: TlsIdentity): void;
}

/**
 * Puts a fetch handler on a port; resolves once it is listening.
 *
 * A handler that throws is answered for with 500 and no more than that, unless it throws `ConnectionReset`; a response
 * body that fails midway ends the connection, so that the client cannot take it for complete.
 * @throws UsageError `OPTION_INVALID` when the port, the host or the certificate cannot be used
 */
export async function serve(handler: FetchHandler, options: ServeOptions = {}): Promise<Served> {
  const { port = 0, host = '127.0.0.1', tls } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError('OPTION_INVALID', `port: must be 0 (any free one) to 65535, got ${port}`);
  }
  const listener = getRequestListener(
    async (request, { incoming, outgoing }) => {
      const end = (error: unknown) => {
        if (error instanceof ConnectionReset && outgoing.socket !== null) reset(outgoing.socket);
        outgoing.destroy();
      };
      try {
        const response = await handler(request, incoming.socket.remoteAddress);
        const whole = wholeBody(response);
        if (whole === undefined || !(outgoing instanceof ServerResponse))
          return cutOffOnFailure(response, end);
        return send(response, whole, outgoing);
      } catch (error) {
        if (error instanceof ConnectionReset) end(error);
        throw error;
      }
    },
    {
      // Of an HTTP/1.0 request without a Host header.
      hostname: 'localhost',
      overrideGlobalObjects: false,
      errorHandler: (error) =>
        error instanceof RequestError
          ? new Response('Bad request\n', { status: 400 })
          : new Response('Internal server error\n', { status: 500 }),
    },
  );
  const server = create(tls, (incoming, outgoing) => void listener(incoming, outgoing));
  server.on(tls === undefined ? 'connection' : 'secureConnection', linger);
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections;
  const address = await listen(server, port, host);
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  let closed: Promise<void> | undefined;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${address.port}`,
    close: () => (closed ??= close(server)),
    async drain(milliseconds) {
      const timer = setTimeout(() => void (closed ??= close(server)), milliseconds);
      await (closed ?? drained(server));
      clearTimeout(timer);
      await (closed ??= close(server));
    },
    renew(next) {
      if (!(server instanceof TlsServer)) return;
      usable(() => {
        server.setSecureContext({ ...next, ...OLD_TLS });
      });
    },
  };
}

/** Clients of the time know nothing newer than TLS 1.0. */
const OLD_TLS = { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;

function create(tls: TlsIdentity | undefined, listener: RequestListener): Server {
  if (tls === undefined) return createServer({ ServerResponse: SpelledResponse }, listener);
  return usable(() => createTlsServer({ ...tls, ...OLD_TLS, ServerResponse: SpelledResponse }, listener));
}

function usable<T>(take: () => T): T {
  try {
    return take();
  } catch (error) {
    throw new UsageError(
      'OPTION_INVALID',
      'tls: the certificate and the key must be PEM, and belong together',
      {
        cause: error,
      },
    );
  }
}

/**
 * Writes header names as people write them. Their case means nothing, but clients that read a bare socket looked for
 * `Location:` spelled so, and the engine has all names in lower case.
 */
class SpelledResponse extends ServerResponse {
  override writeHead(status: number, message?: unknown, headers?: unknown): this {
    const [text, given] = typeof message === 'string' ? [message, headers] : [undefined, message ?? headers];
    const spelled: OutgoingHttpHeaders = {};
    for (const [name, value] of Object.entries((given ?? {}) as OutgoingHttpHeaders)) {
      spelled[spelledName(name)] = value;
    }
    return text === undefined ? super.writeHead(status, spelled) : super.writeHead(status, text, spelled);
  }
}

/** Names as they are spelled, those of most answers being the same few. */
const NAMES = new Map([
  ['etag', 'ETag'],
  ['www-authenticate', 'WWW-Authenticate'],
]);
const MOST_NAMES = 200;

function spelledName(name: string): string {
  const known = NAMES.get(name);
  if (known !== undefined) return known;
  const spelled = name.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
  if (NAMES.size < MOST_NAMES) NAMES.set(name, spelled);
  return spelled;
}

/** What was read as a whole is written as a whole. */
function send(response: Response, body: Uint8Array, outgoing: ServerResponse): Response {
  const headers = Object.fromEntries(response.headers);
  outgoing.writeHead(response.status, { ...headers, 'content-length': body.length });
  outgoing.end(body);
  return RESPONSE_ALREADY_SENT;
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new UsageError('OPTION_INVALID', refusal(error.code ?? '', port, host), { cause: error }));
    });
    server.listen(port, host, () => {
      resolve(server.address() as AddressInfo);
    });
  });
}

function refusal(code: string, port: number, host: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port: ${port} is in use at ${host}; stop what uses it, or take port 0 for any free one`;
    case 'EACCES':
      return `port: ${port} needs more rights than this process has; take one above 1023, or 0 for any free one`;
    default:
      return `host: cannot listen at ${host} (${code}); 127.0.0.1 always works`;
  }
}

/** How long a client that is still sending may take to notice that it was answered, in milliseconds. */
const LINGER = 2_000;

/**
 * A socket that is closed while bytes come in resets the connection, and the client loses the answer it was sent.
 * So the writing side closes first, and what still comes in is read and dropped.
 */
function linger(socket: Socket) {
  socket.destroySoon = () => {
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER).unref();
    socket.once('close', () => {
      clearTimeout(timer);
    });
  };
}

/** Without a FIN before, which would read as a regular end. */
function reset(socket: Socket) {
  socket.destroySoon = () => {
    socket.destroy();
  };
  // Of TLS the engine can reset nothing, but without its goodbye the end is no regular one either.
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

/** How often it is looked whether connections that are kept alive have come to rest, in milliseconds. */
const REST = 50;

/** Resolves when the last connection has ended; none is broken off. */
function drained(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      server.closeIdleConnections();
    }, REST);
    server.close(() => {
      clearInterval(timer);
      resolve();
    });
  });
}

/** How long bytes get to leave that were written before a body failed, in milliseconds. */
const FLUSH = 10;

/** The same answer, except that a body that fails ends the connection: no text can tell the client any more. */
function cutOffOnFailure(response: Response, cutOff: (error: unknown) => void): Response {
  if (response.body === null) return response;
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          setTimeout(cutOff, FLUSH, error);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}
