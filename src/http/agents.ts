import type { Socket } from 'node:net';
import type { Agent } from 'undici';
import { NEVER_CONNECTED } from './failures.js';

/** Node's own fetch keeps the dispatcher of the process here; its npm edition uses the same place. */
const GLOBAL_DISPATCHER = Symbol.for('undici.globalDispatcher.1');

const agents = new Map<string, Promise<Agent>>();

/**
 * The undici dispatcher for one request: an Agent of ours, shared by the process and made when first needed.
 * GETs reuse connections. POSTs never do: a server that closes an idle connection just as a request is written to it
 * may have taken the request, and nobody can tell.
 *
 * Undefined when the process has chosen a dispatcher of its own (a proxy, a MockAgent), which is then left in charge.
 * @param connect milliseconds to open a connection; 0 for no limit
 */
export async function sharedDispatcher(method: 'GET' | 'POST', connect: number): Promise<Agent | undefined> {
  // Importing undici makes its Agent the dispatcher of the whole process, unless there is one; this makes Node's.
  Reflect.get(globalThis, 'Headers');
  const current = (globalThis as Record<symbol, object | undefined>)[GLOBAL_DISPATCHER];
  if (current !== undefined && current.constructor.name !== 'Agent') return undefined;
  const key = `${method} ${connect}`;
  const agent = agents.get(key) ?? createAgent(method, connect);
  agents.set(key, agent);
  return agent;
}

/** What Node's fetch gives a dispatcher to call back. */
interface FetchHandler {
  /** The request is about to be written to a connection. */
  onConnect?: (this: unknown, ...args: unknown[]) => void;
}

/** The dispatcher for one request: calls `left` when there is a connection, and the request goes out on it. */
export function telling(dispatcher: Pick<Agent, 'dispatch'>, left: () => void): Pick<Agent, 'dispatch'> {
  return {
    dispatch(options, handler) {
      const calledBack = handler as FetchHandler;
      const { onConnect } = calledBack;
      if (onConnect === undefined) left();
      else {
        calledBack.onConnect = function (...args) {
          left();
          onConnect.apply(this, args);
        };
      }
      return dispatcher.dispatch(options, handler);
    },
  };
}

async function createAgent(method: 'GET' | 'POST', timeout: number): Promise<Agent> {
  const { Agent, buildConnector } = await import('undici');
  const connect = buildConnector({ timeout });
  return new Agent({
    connect(options, callback) {
      connect(options, (...result) => {
        if (result[0] !== null) Object.assign(result[0], { [NEVER_CONNECTED]: true });
        else if (method === 'POST') readsAfterBrokenPipe(result[1]);
        callback(...result);
      });
    },
    // These two are enforced by the exchange, whatever carries it.
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: method === 'POST' ? 0 : 1,
  });
}

const BROKEN_PIPE: readonly unknown[] = ['EPIPE', 'ECONNRESET', 'ECONNABORTED'];

/**
 * A server may refuse an upload and close before it has taken all of it. Its answer has then arrived, but Node throws
 * it away when the next write fails. So failed writes are let pass: what the other side said, or that it said nothing,
 * is for the reading side to find out.
 */
function readsAfterBrokenPipe(socket: Socket) {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  const passing =
    (callback: (error?: Error | null) => void) => (error?: (Error & { code?: string }) | null) => {
      callback(BROKEN_PIPE.includes(error?.code) ? null : error);
    };
  socket._write = (chunk, encoding, callback) => {
    write(chunk, encoding, passing(callback));
  };
  if (writev !== undefined) {
    socket._writev = (chunks, callback) => {
      writev(chunks, passing(callback));
    };
  }
}
