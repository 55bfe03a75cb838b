const TIMES = 36 ** 8;
const TAILS = 36 ** 6;

/**
 * Makes ids that look like those of the service: `a07e1` and fourteen base-36 digits, in lower case. The first eight are
 * the milliseconds since 1970, so that a newer id is always greater, also than `last`, whatever the clock does; the others
 * are random, so that nobody knows the id of somebody else's activity.
 */
export function activityIds(
  last: string | undefined,
  random: () => number,
): { next(now: number): string; readonly last: string | undefined } {
  let latest = last === undefined ? -1 : timeOfId(last);
  let made = last;
  return {
    next(now) {
      latest = Math.min(Math.max(Math.trunc(now), latest + 1), TIMES - 1);
      made = `a07e1${digits(latest, 8)}${digits(Math.floor(random() * TAILS), 6)}`;
      return made;
    },
    get last() {
      return made;
    },
  };
}

/** When an id was made, in milliseconds since 1970, a little later where many were made at once. */
export function timeOfId(id: string): number {
  return parseInt(id.slice(5, 13), 36);
}

/** The least id that was made at that time or later. */
export function firstIdOf(time: number): string {
  return `a07e1${digits(Math.min(Math.max(Math.ceil(time), 0), TIMES - 1), 8)}`;
}

function digits(value: number, width: number): string {
  return value.toString(36).padStart(width, '0');
}
