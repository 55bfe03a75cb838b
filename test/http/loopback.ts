import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { CtctError } from '../../src/activity/errors.js';
import type { Credentials } from '../../src/http/credentials.js';

/** The secrets of these suites; no error may show any of them. */
export const BASIC = {
  scheme: 'basic',
  apiKey: 'key-7f3c11d2',
  user: 'joesflowers',
  password: 'Gänse%Blümchen:9 "x"',
} as const satisfies Credentials;
export const TOKEN = 'tok-5d0aa81c+/=%7E';

export const SECRETS: readonly string[] = [
  BASIC.apiKey,
  BASIC.password,
  JSON.stringify(BASIC.password).slice(1, -1),
  encodeURIComponent(BASIC.password),
  Buffer.from(`${BASIC.apiKey}%${BASIC.user}:${BASIC.password}`).toString('base64'),
  TOKEN,
  encodeURIComponent(TOKEN),
  'tok-5d0aa81c',
];

/** The error that `promise` rejects with: one of the package's family, which tells no secret anywhere. */
export async function rejection(promise: Promise<unknown>): Promise<CtctError> {
  const outcome: unknown = await promise.then(
    () => expect.fail('no error was thrown'),
    (error: unknown) => error,
  );
  return checked(outcome);
}

/** The same of a function that throws. */
export function thrown(act: () => unknown): CtctError {
  try {
    act();
  } catch (error) {
    return checked(error);
  }
  return expect.fail('no error was thrown');
}

function checked(error: unknown): CtctError {
  if (!(error instanceof CtctError)) throw error;
  const shown = [
    error.message,
    error.stack ?? '',
    JSON.stringify(error),
    inspect(error, { depth: 20, showHidden: true, getters: true }),
  ].join('\n');
  for (const secret of SECRETS) expect(shown).not.to.include(secret);
  return error;
}

const running: { server: Server; sockets: Set<Socket> }[] = [];

/** Ends the servers of a test; for `afterEach`. */
export async function closeServers(): Promise<void> {
  await Promise.all(
    running.splice(0).map(
      ({ server, sockets }) =>
        new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
          for (const socket of sockets) socket.destroy();
        }),
    ),
  );
}

async function start(server: Server): Promise<URL> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  running.push({ server, sockets });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

/** An HTTP server on a free port of this machine. */
export function httpServer(listener: RequestListener): Promise<URL> {
  return start(createServer(listener));
}

/** A TCP server on a free port of this machine. */
export function tcpServer(listener: (socket: Socket) => void): Promise<URL> {
  return start(createTcpServer(listener));
}

/** A server that gives one answer, byte for byte, to each request that has come. */
export function answering(raw: Buffer): Promise<URL> {
  return tcpServer((socket) => {
    socket.once('data', () => socket.end(raw));
  });
}

/** A port of this machine that nothing listens at. */
export async function closedPort(): Promise<URL> {
  const url = await tcpServer(() => undefined);
  await closeServers();
  return url;
}

/** Resolves after what is under way in this process had a chance to happen. */
export function soon(milliseconds = 5): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

export async function textOf(response: { bytes(): Promise<Uint8Array> }): Promise<string> {
  return new TextDecoder().decode(await response.bytes());
}
