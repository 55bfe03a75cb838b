/**
 * What `act` gives, unless the signal aborts first: then `error()` is thrown, and nobody waits for `act` any more.
 * Nothing is left on the signal afterwards, so that a long-lived one can watch over any number of short steps.
 */
export async function unlessAborted<T>(
  signal: AbortSignal | undefined,
  act: () => Promise<T>,
  error: () => Error,
): Promise<T> {
  if (signal === undefined) return act();
  if (signal.aborted) throw error();
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      reject(error());
    };
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([aborted, act()]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
