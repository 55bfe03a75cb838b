import { TransportError, UsageError } from '../activity/errors.js';

/** After so many items the event loop gets a turn: a source that never waits would let no signal in. */
const ITEMS_PER_TURN = 1_000;

/**
 * What the source yields. An abort ends it at once, whatever the source waits for. However it ends, the source's iterator
 * is closed.
 * @param failed the message for an error of the source, from its reason.
 * @throws UsageError `CONTACTS_INVALID` when the source fails; TransportError `ABORTED`.
 */
export async function* gather(
  source: Iterable<unknown> | AsyncIterable<unknown>,
  failed: (reason: string) => string,
  signal: AbortSignal | undefined,
): AsyncGenerator {
  let open: Iterator<unknown> | AsyncIterator<unknown> | undefined;
  let interrupt: () => void = () => undefined;
  const abort = () => {
    interrupt();
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    open = iterator;
    for (let count = 1; ; count++) {
      if (signal !== undefined && count % ITEMS_PER_TURN === 0) await new Promise(setImmediate);
      refuseAborted(signal);
      const step = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
        interrupt = reject;
        Promise.resolve(iterator.next()).then(resolve, reject);
      });
      if (step.done === true) {
        open = undefined;
        return;
      }
      yield step.value;
    }
  } catch (error) {
    refuseAborted(signal);
    // A source that failed is closed already.
    open = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError('CONTACTS_INVALID', failed(reason), { cause: error });
  } finally {
    signal?.removeEventListener('abort', abort);
    const closed = close(open);
    // One that was interrupted may never come to its end.
    if (signal?.aborted !== true) await closed;
  }
}

/** @throws TransportError `ABORTED` when the signal has. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new TransportError('ABORTED', 'aborted while the contacts were read; nothing was sent', {
    sent: 'no',
    cause: signal.reason,
  });
}

async function close(iterator: Iterator<unknown> | AsyncIterator<unknown> | undefined): Promise<void> {
  try {
    await iterator?.return?.();
  } catch {
    // What was read is read, or what went wrong is told already.
  }
}
