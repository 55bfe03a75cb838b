import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import { UsageError } from '../activity/errors.js';

/** What every server of this package is. */
export type FetchHandler = (request: Request) => Promise<Response>;

export interface ServeOptions {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** Address or name to listen at. Default 127.0.0.1, which only this machine can reach. */
  readonly host?: string | undefined;
}

export interface Served {
  /** Such as `http://127.0.0.1:43123`, without a slash at the end. */
  readonly url: string;
  /** Ends all connections, those in use too. Resolves once the port is free; may be called more than once. */
  close(): Promise<void>;
}

/**
 * Puts a fetch handler on a port; resolves once it is listening.
 *
 * A handler that throws is answered for with 500 and no more than that; a response body that fails midway ends the
 * connection, so that the client cannot take it for complete.
 * @throws UsageError `OPTION_INVALID` when the port or the host cannot be used
 */
export async function serve(handler: FetchHandler, options: ServeOptions = {}): Promise<Served> {
  const { port = 0, host = '127.0.0.1' } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new UsageError('OPTION_INVALID', `port: must be 0 (any free one) to 65535, got ${port}`);
  }
  const listener = getRequestListener(
    async (request, { outgoing }) => {
      const response = await handler(request);
      return cutOffOnFailure(response, () => {
        outgoing.destroy();
      });
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
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  server.on('connection', linger);
  const address = await listen(server, port, host);
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  let closed: Promise<void> | undefined;
  return {
    url: `http://${name}:${address.port}`,
    close: () => (closed ??= close(server)),
  };
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

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

/** The same answer, except that a body that fails ends the connection: no text can tell the client any more. */
function cutOffOnFailure(response: Response, cutOff: () => void): Response {
  if (response.body === null) return response;
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch {
          cutOff();
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}
