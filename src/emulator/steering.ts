import { systemClock, type Clock } from '../clock.js';
import type { VirtualClock } from './virtual-clock.js';

/** The clock as one that can be moved; undefined when it cannot. */
export function steerable(clock: Clock): VirtualClock | undefined {
  return 'advance' in clock && typeof clock.advance === 'function' ? (clock as VirtualClock) : undefined;
}

/**
 * Takes the clock back to how it is at the time of this call, if it can be moved: to the same time if it stands still, to
 * the time it would be if nobody had moved it if it runs.
 */
export function startOf(clock: Clock): () => Promise<void> {
  const moved = steerable(clock);
  if (moved === undefined) return () => Promise.resolve();
  const { running } = moved;
  const start = moved.now();
  const began = systemClock.now();
  return async () => {
    if (running) moved.run();
    else moved.freeze();
    await moved.set(running ? start + systemClock.now() - began : start);
  };
}
