import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** Header lines as they came. */
  readonly head: string;
  readonly body: Buffer;
}

/** A connection over which bytes are sent as they are. */
export class RawConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#wake();
    });
    for (const event of ['end', 'error', 'close'] as const) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  static open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        resolve(new RawConnection(socket));
      });
      socket.once('error', reject);
    });
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next answer that is final: those of 100 Continue are passed over. */
  async answer(): Promise<RawAnswer> {
    for (;;) {
      const answer = takeAnswer(this.#received);
      if (answer !== undefined) {
        this.#received = this.#received.subarray(answer.length);
        if (answer.status >= 200) return answer;
      } else if (this.#ended) {
        throw new Error(`the connection ended behind ${this.#received.length} bytes`);
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

function takeAnswer(bytes: Buffer): (RawAnswer & { readonly length: number }) | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = bytes.subarray(0, end).toString('latin1');
  const status = Number(head.split(' ', 2)[1]);
  const start = end + 4;
  if (status < 200 || status === 204 || status === 304) {
    return { status, head, body: Buffer.alloc(0), length: start };
  }
  if (/^transfer-encoding: *chunked$/im.test(head)) return takeChunks(bytes, start, status, head);
  const size = Number(/^content-length: *(\d+)$/im.exec(head)?.[1] ?? 0);
  if (bytes.length < start + size) return undefined;
  return { status, head, body: bytes.subarray(start, start + size), length: start + size };
}

function takeChunks(bytes: Buffer, start: number, status: number, head: string) {
  const chunks: Buffer[] = [];
  for (let at = start; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line === -1) return undefined;
    const size = parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    const next = line + 2 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return { status, head, body: Buffer.concat(chunks), length: next };
    chunks.push(bytes.subarray(line + 2, line + 2 + size));
    at = next;
  }
}
