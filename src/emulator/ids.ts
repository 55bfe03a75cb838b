import type { Random } from './random.js';

const COUNTERS = 36 ** 6;
const TIMES = 36 ** 8;

/**
 * Makes ids as the service made them: `a07e1`, a counter of six base-36 digits, and the insert time in milliseconds as
 * eight more. `a07e1ffaxjyffmvqgiz` is counter `ffaxjy`, time `ffmvqgiz` = 2008-04-29T19:35:54.923Z, the InsertTime of
 * that entry in the document. The ids of one maker are unique and grow; the seed decides where the counter begins.
 */
export function activityIds(random: Random): (insertTime: number) => string {
  // Begins in the lower half, so that no run of the emulator is long enough to come round to 000000.
  let counter = Math.floor((random() * COUNTERS) / 2);
  return (insertTime) => {
    const time = Math.trunc(Math.min(Math.max(insertTime, 0), TIMES - 1));
    return `a07e1${digits(counter++, 6)}${digits(time, 8)}`;
  };
}

function digits(value: number, width: number): string {
  return value.toString(36).padStart(width, '0');
}
