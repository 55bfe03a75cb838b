import { UsageError } from '../activity/errors.js';

/** How long a call may take, in milliseconds; 0 means no limit. */
export interface Timeouts {
  /** To open a connection, TLS included. Default 10,000. Not enforced where the caller gives `fetch` or `dispatcher`. */
  readonly connect: number;
  /** From the last byte of the request that was taken to the head of the answer. Default 120,000. */
  readonly headers: number;
  /** Without any new byte of the answer, while somebody waits for one. Default 60,000. */
  readonly bodyIdle: number;
  /** For the whole call, redirects and the body of the answer included. Default 0: large files take their time. */
  readonly total: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = { connect: 10_000, headers: 120_000, bodyIdle: 60_000, total: 0 };

/** Milliseconds that setTimeout can hold, some 24 days. */
export const LONGEST_TIMER = 2_147_483_647;

/**
 * All timeouts, defaults filled in.
 * @throws UsageError `OPTION_INVALID` for anything but 0 to 2,147,483,647 (24 days).
 */
export function checkTimeouts(timeouts: Partial<Timeouts> | undefined): Timeouts {
  const checked = { ...DEFAULT_TIMEOUTS };
  for (const name of ['connect', 'headers', 'bodyIdle', 'total'] as const) {
    const value = timeouts?.[name];
    if (value === undefined) continue;
    if (!Number.isFinite(value) || value < 0 || value > LONGEST_TIMER) {
      throw new UsageError(
        'OPTION_INVALID',
        `timeouts.${name}: must be milliseconds from 0 (no limit) to ${LONGEST_TIMER}, got ${value}`,
      );
    }
    checked[name] = value;
  }
  return checked;
}
