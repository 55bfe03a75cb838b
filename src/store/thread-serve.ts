import { openStore } from './sqlite.js';
import type { Store } from './store.js';
import { tellError, type FromStore, type Opened, type StorePlace, type ToStore } from './thread.js';

/** Items told at once. */
const PAGE = 500;

/** The other end of a `StoreLink`. */
export interface ServedPort {
  postMessage(message: FromStore | Opened): void;
  on(event: 'message', listener: (message: ToStore) => void): unknown;
  close(): void;
}

/** Opens a store and does with it what the port asks for; tells first whether it could be opened. */
export async function serveStore(port: ServedPort, { path, options }: StorePlace): Promise<void> {
  try {
    const store = await openStore(path, options);
    const iterations = new Map<number, AsyncIterator<unknown>>();
    port.on('message', (message) => {
      answer(store, iterations, message).then(
        (result) => {
          port.postMessage({ id: message.id, result });
        },
        (error: unknown) => {
          port.postMessage({ id: message.id, error: tellError(error) });
        },
      );
    });
    port.postMessage({ opened: true });
  } catch (error) {
    port.postMessage({ opened: false, error: tellError(error) });
    port.close();
  }
}

type Method = (...args: readonly unknown[]) => unknown;

async function answer(
  store: Store,
  iterations: Map<number, AsyncIterator<unknown>>,
  message: ToStore,
): Promise<unknown> {
  switch (message.ask) {
    case 'close':
      return store.close();
    case 'call':
      return methodOf(store, message)(...message.args);
    case 'iterate': {
      const items = methodOf(store, message)(...message.args) as AsyncIterable<unknown>;
      iterations.set(message.id, items[Symbol.asyncIterator]());
      return message.id;
    }
    case 'next': {
      const iterator = iterations.get(message.iteration);
      const items: unknown[] = [];
      let done = iterator === undefined;
      while (iterator !== undefined && !done && items.length < PAGE) {
        const step = await iterator.next();
        done = step.done === true;
        if (!done) items.push(step.value);
      }
      if (done) iterations.delete(message.iteration);
      return { items, done };
    }
    case 'return':
      await iterations.get(message.iteration)?.return?.();
      iterations.delete(message.iteration);
      return undefined;
  }
}

function methodOf(store: Store, { facet, method }: Extract<ToStore, { readonly method: string }>): Method {
  const found: unknown = Reflect.get(store[facet], method);
  if (typeof found !== 'function') throw new TypeError(`the store has no ${facet}.${method}`);
  return found as Method;
}
