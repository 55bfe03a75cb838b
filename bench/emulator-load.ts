import { connect, type Socket } from 'node:net';

export interface HammerOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly milliseconds: number;
}

export interface Hammered {
  readonly answers: number;
  readonly seconds: number;
}

/**
 * Asks for the same page over and over, on so many connections, one request at a time on each. Does next to nothing with
 * the answers, so that the server is what is measured: the status is checked, the body's bytes are counted.
 */
export async function hammer({ url, headers, connections, milliseconds }: HammerOptions): Promise<Hammered> {
  const { hostname, port, host, pathname, search } = new URL(url);
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = Buffer.from(`GET ${pathname}${search} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const start = performance.now();
  const counts = await Promise.all(
    Array.from({ length: connections }, () =>
      ask(connect({ host: hostname, port: Number(port) }), request, start + milliseconds),
    ),
  );
  return {
    answers: counts.reduce((sum, count) => sum + count, 0),
    seconds: (performance.now() - start) / 1000,
  };
}

function ask(socket: Socket, request: Buffer, end: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let answers = 0;
    let head = '';
    /** Bytes of the body still to come; undefined while the head is read. */
    let left: number | undefined;
    const next = () => {
      if (performance.now() >= end) {
        socket.destroy();
        resolve(answers);
      } else socket.write(request);
    };
    socket.setNoDelay(true);
    socket.on('connect', next);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      let bytes = chunk.length;
      if (left === undefined) {
        head += chunk.toString('latin1');
        const blank = head.indexOf('\r\n\r\n');
        if (blank === -1) return;
        const length = /^content-length: *(\d+)/im.exec(head)?.[1];
        if (!head.startsWith('HTTP/1.1 200') || length === undefined) {
          reject(new Error(`no answer to count: ${head.slice(0, 200)}`));
          socket.destroy();
          return;
        }
        left = Number(length);
        bytes = head.length - blank - 4;
        head = '';
      }
      left -= bytes;
      if (left > 0) return;
      left = undefined;
      answers++;
      next();
    });
  });
}
