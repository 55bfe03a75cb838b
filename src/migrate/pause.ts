import type { Store } from '../store/store.js';

/** Asks whoever works on a plan to pause. */
export async function askToPause(store: Store, plan: string, now: number): Promise<void> {
  const name = nameOf(plan);
  for (;;) {
    const { version } = (await store.values.get(name)) ?? { version: 0 };
    if ((await store.values.set(name, { at: now }, version)) !== undefined) return;
  }
}

/**
 * Calls `act` once somebody asks for a pause from now on.
 * @param every milliseconds between the looks.
 * @returns what ends the looking
 */
export async function onPauseAsked(
  store: Store,
  plan: string,
  act: () => void,
  every = 500,
): Promise<() => void> {
  const name = nameOf(plan);
  const version = async () => (await store.values.get(name))?.version ?? 0;
  const before = await version();
  const timer = setInterval(() => {
    version().then(
      (now) => {
        if (now === before) return;
        clearInterval(timer);
        act();
      },
      // A store that cannot be read stops the run itself.
      () => undefined,
    );
  }, every);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

function nameOf(plan: string): string {
  return `pause ${plan}`;
}
