import { UsageError } from '../activity/errors.js';
import type { EmulatorState } from './emulator-state.js';
import type { Emulator } from './emulator.js';
import { loadState, saveState } from './state-file.js';
import { steerable } from './steering.js';

/** How a file follows an emulator. */
export interface KeepStateOptions {
  /** Milliseconds after a change until it is on the disk; default 1,000. */
  readonly delay?: number | undefined;
  /** Told what was found in the file, once the emulator holds it. */
  readonly onFound?: ((state: EmulatorState) => void) | undefined;
  /** Told when the file cannot be written; the emulator goes on, and it is tried again after the next change. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

const READING: readonly string[] = ['GET', 'HEAD'];

/**
 * Has a file hold what the emulator holds: takes it from there, if there is such a file, and writes it there at once and
 * after each request that may have changed something. What it gives writes it a last time; call that at the end.
 *
 * A clock that runs goes on from now, or from where it was if that is later, for it may have been moved ahead.
 * @throws UsageError as `loadState`, `restore` and `saveState`; the text names the file.
 */
export async function keepState(
  emulator: Emulator,
  path: string,
  options: KeepStateOptions = {},
): Promise<() => Promise<void>> {
  const { delay = 1_000, onFound, onError = () => undefined } = options;
  const now = emulator.clock.now();
  const found = await loadState(path);
  if (found !== undefined) {
    // Whether it is one is found out there.
    const state = found as EmulatorState;
    await emulator.restore(state).catch((error: unknown) => {
      throw error instanceof UsageError
        ? new UsageError(error.code, `${path}: ${error.message}`, { cause: error })
        : error;
    });
    const clock = steerable(emulator.clock);
    if (clock?.running === true) await clock.set(Math.max(now, clock.now()));
    onFound?.(state);
  }
  // Better to find out now than at the end that it cannot be kept.
  await saveState(path, emulator.snapshot());

  let timer: NodeJS.Timeout | undefined;
  let saving: Promise<void> = Promise.resolve();
  const save = () => {
    timer = undefined;
    saving = saving.then(() => saveState(path, emulator.snapshot()));
    return saving;
  };
  const stop = emulator.requests.subscribe(({ method }) => {
    if (READING.includes(method) || timer !== undefined) return;
    timer = setTimeout(() => {
      save().catch((error: unknown) => {
        saving = Promise.resolve();
        onError(error);
      });
    }, delay).unref();
  });
  return async () => {
    stop();
    clearTimeout(timer);
    await saving.catch(() => undefined);
    await saveState(path, emulator.snapshot());
  };
}
