import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { answerBytes, type Fault } from './faults.js';
import { HttpMeter } from './http-meter.js';

/** One request on its way, and what became of it. */
export interface Exchange {
  /** 0 for the first of this proxy. */
  readonly index: number;
  readonly method: string;
  /** Without the query, where secrets may stand. */
  readonly path: string;
  /** True for the first on its connection; later ones came over a connection that was used before. */
  readonly fresh: boolean;
}

export interface FaultProxy {
  /** Where clients connect to; without a slash at the end. */
  readonly url: string;
  /** Every request that came, in order, with its fault. */
  readonly exchanges: readonly (Exchange & { readonly fault: Fault })[];
  /** Connections to clients that are open now. */
  readonly connections: number;
  /** From now on connections are refused; those that are open stay. */
  down(): Promise<void>;
  /** They are taken again. */
  up(): Promise<void>;
  /** Ends everything. */
  close(): Promise<void>;
}

export interface FaultProxyOptions {
  /** Default 0: any that is free. */
  readonly port?: number | undefined;
  /** Dates the answers that the proxy gives itself. Default the machine's time. */
  readonly now?: (() => number) | undefined;
}

/**
 * A TCP proxy on a port of this machine, before the HTTP/1.1 server at `target`. `plan` decides, for each request,
 * what is done to it; connections are kept alive as far as both sides do so.
 */
export async function createFaultProxy(
  target: string,
  plan: (exchange: Exchange) => Fault,
  options: FaultProxyOptions = {},
): Promise<FaultProxy> {
  const { port: wanted = 0, now = Date.now } = options;
  const { hostname, port } = new URL(target);
  const exchanges: (Exchange & { fault: Fault })[] = [];
  const connections = new Set<Connection>();
  let server = accepting();
  const listening = await listen(server, wanted);
  let turns = Promise.resolve();

  /** Whoever says up and down at the same time gets one after the other. */
  function inTurn(act: () => Promise<void> | void): Promise<void> {
    turns = turns.then(act);
    return turns;
  }

  function accepting(): Server {
    return createServer({ allowHalfOpen: true }, (client) => {
      const connection = new Connection(client, {
        open: () => connect({ host: hostname, port: Number(port), allowHalfOpen: true }),
        begin(method, path, fresh) {
          const exchange = { index: exchanges.length, method, path, fresh };
          const fault = plan(exchange);
          exchanges.push({ ...exchange, fault });
          return fault;
        },
        now,
      });
      connections.add(connection);
      void connection.run().finally(() => connections.delete(connection));
    });
  }

  return {
    url: `http://127.0.0.1:${listening}`,
    exchanges,
    get connections() {
      return connections.size;
    },
    down: () =>
      inTurn(() => {
        // The callback waits for the connections too, which stay.
        if (server.listening) server.close();
      }),
    up: () =>
      inTurn(async () => {
        if (!server.listening) server = await listenAgain(accepting, listening);
      }),
    async close() {
      await turns;
      const closed = server.listening ? new Promise((resolve) => server.close(resolve)) : undefined;
      for (const connection of connections) connection.destroy();
      await closed;
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A server on that port, which another process may hold for the moment. */
async function listenAgain(make: () => Server, port: number): Promise<Server> {
  for (let tries = 0; ; tries++) {
    const server = make();
    try {
      await listen(server, port);
      return server;
    } catch (error) {
      if (tries === 50) throw error;
      await pause(20);
    }
  }
}

interface Ways {
  open(): Socket;
  begin(method: string, path: string, fresh: boolean): Fault;
  now(): number;
}

/** The request and the answer that are under way on a connection. */
interface Turn {
  readonly fault: Fault;
  readonly request: HttpMeter;
  readonly answer: HttpMeter;
  /** What came of a message before its head was complete. */
  requestHead: Buffer;
  answerHead: Buffer;
  forwarded: number;
  answered: number;
  held: Buffer[];
}

class Connection {
  readonly #client: Socket;
  readonly #ways: Ways;
  #service: Socket | undefined;
  #turn: Turn | undefined;
  readonly #gone: Promise<void>;
  /** Nothing will come back any more, whatever the service does. */
  #stuck = false;

  constructor(client: Socket, ways: Ways) {
    this.#client = client;
    this.#ways = ways;
    client.on('error', () => undefined);
    this.#gone = new Promise((resolve) => client.once('close', () => resolve()));
  }

  /** Resolves once the connection is over. */
  async run(): Promise<void> {
    // Whoever was reset is gone.
    await this.#requests().catch(() => this.#client.destroy());
    await this.#gone;
    if (this.#turn?.fault.kind !== 'late') this.#service?.destroy();
  }

  destroy(): void {
    this.#client.destroy();
    this.#service?.destroy();
  }

  async #requests() {
    for await (const chunk of chunksOf(this.#client)) {
      if (
        this.#turn === undefined ||
        (this.#turn.answered > 0 && METHOD.test(chunk.toString('latin1', 0, 8)))
      ) {
        this.#turn = this.#begin(chunk);
      }
      const turn = this.#turn;
      turn.request.take(chunk);
      if (turn.request.headLength === undefined) {
        turn.requestHead = Buffer.concat([turn.requestHead, chunk]);
        continue;
      }
      const bytes = turn.requestHead.length > 0 ? Buffer.concat([turn.requestHead, chunk]) : chunk;
      turn.requestHead = Buffer.alloc(0);
      await this.#pass(turn, bytes);
    }
    if (this.#stuck) this.destroy();
    else if (this.#service === undefined) this.#client.end();
    else if (this.#turn?.fault.kind !== 'late') this.#service.end();
  }

  #begin(chunk: Buffer): Turn {
    const [line = ''] = chunk.toString('latin1', 0, 2000).split('\r\n', 1);
    const [method = '', target = ''] = line.split(' ');
    const [path = ''] = target.split('?', 1);
    return {
      fault: this.#ways.begin(method, path, this.#turn === undefined),
      request: new HttpMeter(),
      answer: new HttpMeter(),
      requestHead: Buffer.alloc(0),
      answerHead: Buffer.alloc(0),
      forwarded: 0,
      answered: 0,
      held: [],
    };
  }

  /** Bytes of a request whose head is known. */
  async #pass(turn: Turn, bytes: Buffer) {
    const { fault, request } = turn;
    switch (fault.kind) {
      case 'early-close':
        this.destroy();
        return;
      case 'black-hole':
        return;
      case 'answer':
        if (turn.answered === 0) {
          turn.answered = 1;
          this.#client.end(answerBytes(fault.answer, this.#ways.now()));
        }
        return;
      case 'late':
        turn.held.push(bytes);
        if (request.complete) fault.schedule(() => this.#deliver(turn));
        return;
      case 'reset':
      case 'stall': {
        if (fault.side === 'answer') break;
        const room = request.offset(fault.at) - turn.forwarded;
        if (bytes.length < room) break;
        await this.#forward(turn, bytes.subarray(0, Math.max(0, room)));
        // What is not read does not flow: a large upload fills the buffers on the way and stands still.
        if (fault.kind === 'stall') await this.#gone;
        else this.#reset();
        return;
      }
      default:
    }
    await this.#forward(turn, bytes);
    if (fault.kind === 'half-close' && request.complete) this.#service?.end();
  }

  async #forward(turn: Turn, bytes: Buffer) {
    turn.forwarded += bytes.length;
    if (bytes.length === 0) return;
    await write(this.#toService(), bytes);
  }

  #toService(): Socket {
    if (this.#service !== undefined) return this.#service;
    const service = this.#ways.open();
    service.on('error', () => undefined);
    this.#service = service;
    this.#answers(service).catch(() => this.destroy());
    return service;
  }

  async #deliver(turn: Turn) {
    const service = this.#ways.open();
    service.on('error', () => undefined);
    this.#service = service;
    service.write(Buffer.concat(turn.held));
    try {
      for await (const chunk of chunksOf(service)) {
        turn.answer.take(chunk);
        turn.answered += chunk.length;
        await write(this.#client, chunk);
        if (turn.answer.complete) break;
      }
    } finally {
      service.destroy();
      this.#client.end();
    }
  }

  async #answers(service: Socket) {
    for await (const chunk of chunksOf(service)) {
      const turn = this.#turn;
      if (turn === undefined) continue;
      turn.answer.take(chunk);
      if (turn.answer.headLength === undefined) {
        turn.answerHead = Buffer.concat([turn.answerHead, chunk]);
        continue;
      }
      const first = turn.answered === 0;
      const bytes = turn.answerHead.length > 0 ? Buffer.concat([turn.answerHead, chunk]) : chunk;
      turn.answerHead = Buffer.alloc(0);
      const start = turn.answered;
      turn.answered += bytes.length;
      await this.#answer(turn, bytes, start, first);
    }
    this.#client.end();
  }

  /** Bytes of an answer whose head is known; the first of them is number `start` of the answer. */
  async #answer(turn: Turn, bytes: Buffer, start: number, first: boolean) {
    const { fault, answer } = turn;
    const client = this.#client;
    switch (fault.kind) {
      case 'latency':
        if (first) await pause(fault.milliseconds);
        break;
      case 'slices':
        for (let from = 0; from < bytes.length && !client.destroyed; from += fault.bytes) {
          await write(client, bytes.subarray(from, from + fault.bytes));
          await pause(fault.milliseconds);
        }
        return;
      case 'stall':
      case 'reset':
      case 'truncate': {
        if (fault.kind !== 'truncate' && fault.side === 'request') break;
        const room = answer.offset(fault.at) - start;
        if (bytes.length < room) break;
        await write(client, bytes.subarray(0, Math.max(0, room)));
        if (fault.kind === 'reset') this.#reset();
        else if (fault.kind === 'truncate') client.end();
        else this.#stuck = true;
        await this.#gone;
        return;
      }
      case 'duplicate': {
        turn.held.push(bytes);
        if (!answer.complete) return;
        const whole = Buffer.concat(turn.held);
        const last = whole.length - 2 * fault.bytes;
        const from = Math.max(answer.headLength ?? 0, Math.min(answer.bodyOffset(fault.at), last));
        const twice = Buffer.concat([whole.subarray(0, from + fault.bytes), whole.subarray(from)]);
        await write(client, twice.subarray(0, whole.length));
        return;
      }
      case 'corrupt': {
        const at = fault.where === 'head' ? answer.offset(fault.at) % 12 : answer.bodyOffset(fault.at);
        const changed = Buffer.from(bytes);
        if (at >= start && at < start + bytes.length) changed[at - start] = 0;
        await write(client, changed);
        return;
      }
      case 'lost-answer':
        if (answer.complete) await this.#lose(fault.ending);
        return;
      default:
    }
    await write(client, bytes);
  }

  async #lose(ending: Extract<Fault, { kind: 'lost-answer' }>['ending']) {
    if (ending === 'reset') this.#reset();
    else if (ending === 'close') this.#client.end();
    else if (ending === 'stall') this.#stuck = true;
    else this.#client.end(answerBytes(ending, this.#ways.now()));
    await this.#gone;
  }

  #reset() {
    this.#client.resetAndDestroy();
    this.#service?.destroy();
  }
}

const METHOD = /^[A-Z]{3,7} /;

function chunksOf(socket: Socket): AsyncIterable<Buffer> {
  return socket.iterator({ destroyOnReturn: false });
}

/** Writes, and waits while the other side is slow to read; to one that is gone, nothing. */
async function write(socket: Socket, bytes: Buffer) {
  if (socket.destroyed || socket.writableEnded || bytes.length === 0) return;
  if (socket.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
