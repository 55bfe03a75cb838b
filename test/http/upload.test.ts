import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { ServiceError, TransportError } from '../../src/activity/errors.js';
import { serve } from '../../src/http/serve.js';
import { createTransport } from '../../src/http/transport.js';
import { openUpload } from '../../src/http/upload.js';
import { WsClient } from '../../src/ws/client.js';
import { BASIC, closeServers, httpServer, rejection, soon, tcpServer, textOf } from './loopback.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const HEADING = 'Email Address,First Name\n';
const ROW = 'a0123456789@example.com,Ann Brown\n';

function clientOf(baseUrl: string) {
  return new WsClient({
    user: 'joesflowers',
    credentials: BASIC,
    baseUrl,
    encoding: 'multipart',
    reconcile: false,
    retry: false,
  });
}

/** Contacts of some 14 MB, more than any socket holds. */
const large = { bytes: Buffer.from(HEADING + ROW.repeat(400_000)) };

/** In a thread of its own: it answers the first bytes, closes with others unread, and says so. */
const SERVER_THAT_HANGS_UP = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.pause();
      socket.write(workerData.answer, () => {
        socket.destroy();
        setTimeout(() => {
          Atomics.store(workerData.gone, 0, 1);
          Atomics.notify(workerData.gone, 0);
        }, 20);
      });
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

describe('an upload that is answered before it is sent', () => {
  afterEach(closeServers);

  const refusal = (status: string, text: string) =>
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;

  /** How a server may end a connection while bytes still come in. */
  const manners: Record<string, (socket: Socket, answer: string) => void> = {
    'closes at once': (socket, answer) => {
      socket.end(answer, () => socket.destroy());
    },
    'closes its side, and reads no more': (socket, answer) => {
      socket.pause();
      socket.end(answer);
    },
    'closes its side, and reads on': (socket, answer) => {
      socket.resume();
      socket.end(answer);
    },
    'answers in pieces, then resets': (socket, answer) => {
      socket.pause();
      socket.write(answer.slice(0, 20));
      setTimeout(() => {
        socket.write(answer.slice(20), () => {
          setTimeout(() => socket.resetAndDestroy(), 20);
        });
      }, 10);
    },
    'reads some of it first': (socket, answer) => {
      let read = 0;
      socket.on('data', (chunk) => {
        read += chunk.length;
        if (read < 1_000_000 || socket.writableEnded) return;
        socket.end(answer, () => socket.destroy());
      });
    },
  };

  for (const [manner, end] of Object.entries(manners)) {
    it(`gets the 413 or 401 of a server that ${manner}`, async () => {
      for (const [status, code, text] of [
        ['413 Payload Too Large', 'SERVICE_REFUSED', 'At most 4 MB, please'],
        ['401 Unauthorized', 'UNAUTHORIZED', 'Who are you?'],
      ] as const) {
        const answer = refusal(status, text);
        const base = await tcpServer((socket) => {
          socket.once('data', () => {
            end(socket, answer);
          });
        });
        const error = await rejection(clientOf(base.origin).addContacts({ contacts: large, lists: ['2'] }));
        expect(error, error.message).to.be.instanceOf(ServiceError);
        expect(error).to.include({ status: Number(status.slice(0, 3)), code });
        expect((error as ServiceError).detail).to.equal(text);
        await closeServers();
      }
    });
  }

  it('gets an answer that has come, though the next write fails before it is read', async () => {
    const gone = new Int32Array(new SharedArrayBuffer(4));
    const server = new Worker(SERVER_THAT_HANGS_UP, {
      eval: true,
      workerData: { gone, answer: refusal('413 Payload Too Large', 'At most 4 MB, please') },
    });
    try {
      const [port] = (await once(server, 'message')) as [number];
      async function* stream() {
        for (let count = 0; count < 64; count++) {
          // Nothing is read in this thread while it waits, and then a write comes first.
          if (count === 1) Atomics.wait(gone, 0, 0, 5000);
          else await new Promise(setImmediate);
          yield new Uint8Array(256 * 1024);
        }
      }
      const body = { contentType: 'text/csv', length: 64 * 256 * 1024, replayable: true, open: stream };
      const url = new URL(`http://127.0.0.1:${port}`);
      const response = await createTransport({ base: url })({ method: 'POST', url, body });
      expect([response.status, await textOf(response)]).to.deep.equal([413, 'At most 4 MB, please']);
    } finally {
      await server.terminate();
    }
  });

  it('gets the answer of a handler that does not read the body', async () => {
    const served = await serve(() => Promise.resolve(new Response('too large', { status: 413 })));
    try {
      const error = await rejection(clientOf(served.url).addContacts({ contacts: large, lists: ['2'] }));
      expect(error).to.be.instanceOf(ServiceError).and.to.include({ status: 413 });
    } finally {
      await served.close();
    }
  });

  it('is told from a connection that broke without an answer', async () => {
    for (const end of [
      (socket: Socket) => socket.resetAndDestroy(),
      (socket: Socket) => socket.end('HTTP/1.1 413 Payl', () => socket.destroy()),
    ]) {
      const base = await tcpServer((socket) => {
        socket.once('data', () => {
          end(socket);
        });
      });
      const error = await rejection(clientOf(base.origin).addContacts({ contacts: large, lists: ['2'] }));
      expect(error).to.be.instanceOf(TransportError).and.to.include({ code: 'RESPONSE_LOST', sent: 'maybe' });
      await closeServers();
    }
  });
});

describe('a file that is sent', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-upload-'));
    file = path.join(folder, 'contacts.csv');
    await writeFile(file, HEADING + ROW.repeat(200_000));
  });
  afterEach(async () => {
    await closeServers();
    await rm(folder, { recursive: true });
  });

  it('and is changed meanwhile never arrives whole', async () => {
    for (const change of [
      () => utimes(file, 1, 1),
      () => writeFile(file, HEADING + ROW.replace('Ann', 'Bob').repeat(200_000)),
    ]) {
      let whole = false;
      let announced = 0;
      let changed: Promise<unknown> | undefined;
      const base = await httpServer((request, response) => {
        announced = Number(request.headers['content-length']);
        request.on('data', () => {
          changed ??= change();
        });
        request.on('end', () => {
          whole = request.complete;
          response.writeHead(201).end();
        });
        request.on('error', () => undefined);
      });
      const error = await rejection(clientOf(base.origin).addContacts({ contacts: { file }, lists: ['2'] }));
      expect(error.code).to.equal('FILE_CHANGED');
      expect(error.message).to.include(file);
      await changed;
      await soon();
      expect(announced).to.be.greaterThan(6_000_000);
      expect(whole).to.equal(false);
      await closeServers();
      await writeFile(file, HEADING + ROW.repeat(200_000));
    }
  });

  it('is checked before it is sent again', async () => {
    let requests = 0;
    const base = await httpServer((request, response) => {
      requests++;
      request.resume();
      request.on('end', () => {
        void utimes(file, requests, requests).then(() => response.writeHead(503).end('busy'));
      });
    });
    const client = new WsClient({
      user: 'joesflowers',
      credentials: BASIC,
      baseUrl: base.origin,
      reconcile: false,
      retry: { minDelay: 0 },
      random: () => 0,
    });
    const error = await rejection(client.addContacts({ contacts: { file }, lists: ['2'] }));
    expect(error.code).to.equal('FILE_CHANGED');
    expect(requests).to.be.within(1, 2);
  });
});

describe('a body on its way out', () => {
  /** A body of two pieces, and how many openings of it are under way. */
  function recipe(replayable: boolean) {
    const body = {
      contentType: 'text/csv',
      length: 6,
      replayable,
      opened: 0,
      under: 0,
      async *open() {
        body.opened++;
        body.under++;
        try {
          for (const piece of ['abc', 'def']) {
            await Promise.resolve();
            yield Buffer.from(piece);
          }
        } finally {
          body.under--;
        }
      },
    };
    return body;
  }

  const requestOf = (stream: ReadableStream<Uint8Array>) =>
    new Request('http://localhost/', { method: 'POST', body: stream, duplex: 'half' });

  it('can be read from a clone of its request and from the request, in any order and by halves', async () => {
    for (const replayable of [true, false]) {
      for (const order of [
        [0, 1],
        [1, 0],
      ]) {
        const body = recipe(replayable);
        const upload = openUpload(body, 'POST x', () => undefined);
        const request = requestOf(upload.stream);
        const both = [request, request.clone()];
        expect(body.opened).to.equal(0);
        for (const which of order) expect(await both[which]!.text()).to.equal('abcdef');
        expect([body.opened, body.under]).to.deep.equal([replayable ? 2 : 1, 0]);
      }
    }
    const body = recipe(true);
    const upload = openUpload(body, 'POST x', () => undefined);
    const request = requestOf(upload.stream);
    const readers = [request.clone().body!.getReader(), request.body!.getReader()];
    for (const reader of readers) await reader.read();
    expect(body.under).to.equal(2);
    upload.release();
    await soon();
    expect(body.under).to.equal(0);
  });
});

describe('large uploads', function () {
  this.timeout(120_000);

  it('stream from the disk with their length, in little memory', async () => {
    const received: Record<string, { length: number; announced: number; chunked: boolean }> = {};
    const server = createServer((request, response) => {
      const { headers, url = '' } = request;
      const count = {
        length: 0,
        announced: Number(headers['content-length']),
        chunked: 'transfer-encoding' in headers,
      };
      received[url.split('/')[3] ?? ''] = count;
      request.on('data', (chunk: Buffer) => (count.length += chunk.length));
      request.on('end', () =>
        response.writeHead(201, { location: '/ws/customers/x/activities/a07e1' }).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const folder = await mkdtemp(path.join(tmpdir(), 'ctct-large-'));
    try {
      const args = ['--max-old-space-size=64', '--import', 'tsx', 'test/support/upload-child.ts'];
      const child = spawn(process.execPath, [...args, `http://127.0.0.1:${port}`, folder], {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const told = (await json(child.stdout)) as Record<string, { grew: number; bytes: number }>;
      for (const [name, { grew, bytes }] of Object.entries(told)) {
        expect(received[name], name).to.include({ chunked: false });
        const { length, announced } = received[name]!;
        expect(length, name).to.equal(announced);
        expect(length, name).to.be.at.least(bytes);
        expect(grew, `${name}: memory in MB`).to.be.lessThan(90);
      }
      expect(Object.keys(told)).to.deep.equal(['multipart', 'form', 'stream']);
      expect(told.multipart!.bytes).to.equal(200_000_000);
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });
});
