/**
 * The instant that `text` names, or undefined when it names none, as `2008-02-30` does.
 *
 * Takes what the service and its clients wrote: `2008-04-29T19:36:10.948Z`; 0 to 9 fraction digits, of which the first
 * three count; `Z` or an offset such as `+02:00`; a date alone, which is midnight UTC; white space around it.
 * Years 0000 to 9999, in UTC.
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */
export function parseInstant(text: string): Date | undefined {
  const match = INSTANT.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', sign, hours, minutes] =
    match;
  const offsetHours = Number(hours ?? 0);
  const offsetMinutes = Number(minutes ?? 0);
  if (offsetHours > 23 || offsetMinutes > 59) return undefined;
  const local = instant(
    Number(year),
    Number(month),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.padEnd(3, '0').slice(0, 3)),
  );
  if (local === undefined || sign === undefined) return local;
  const ahead = (offsetHours * 60 + offsetMinutes) * 60_000;
  const utc = new Date(local.getTime() + (sign === '+' ? -ahead : ahead));
  const utcYear = utc.getUTCFullYear();
  return utcYear >= 0 && utcYear <= 9999 ? utc : undefined;
}

const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):?(\d{2})))?$/;

/** `2008-04-29T19:36:10.948Z` in UTC, always with milliseconds. @throws RangeError of an invalid date. */
export function formatInstant(date: Date): string {
  return date.toISOString();
}

/** `dddd`, `-dd-`, `ddTd`, `d:dd`, `:dd.`, `dddZ`: what stands in each four bytes of an instant, a digit being `0`. */
const TEMPLATE = ['0000', '-00-', '00T0', '0:00', ':00.', '000Z'].map((text) =>
  Buffer.from(text, 'latin1').readInt32LE(0),
) as [number, number, number, number, number, number];

/**
 * The instant in the 24 bytes from `from` on, `2008-04-29T19:36:10.948Z` as the service writes it; undefined for all else,
 * which `parseInstant` may still understand. An archive has some five of them in each record, so no string is made, and
 * four bytes are looked at in one go: less the template, a digit is its value, and all else must be nothing.
 */
export function parseInstantBytes(view: DataView, from: number): Date | undefined {
  const year = view.getInt32(from, true) ^ TEMPLATE[0];
  const month = view.getInt32(from + 4, true) ^ TEMPLATE[1];
  const day = view.getInt32(from + 8, true) ^ TEMPLATE[2];
  const hour = view.getInt32(from + 12, true) ^ TEMPLATE[3];
  const minute = view.getInt32(from + 16, true) ^ TEMPLATE[4];
  const second = view.getInt32(from + 20, true) ^ TEMPLATE[5];
  const wrong =
    above(year, 0) |
    above(month, 0xff0000ff | 0) |
    above(day, 0x00ff0000) |
    above(hour, 0x0000ff00) |
    above(minute, 0xff0000ff | 0) |
    above(second, 0xff000000 | 0);
  if (wrong !== 0) return undefined;
  return instant(
    pair(year, 0) * 100 + pair(year, 16),
    pair(month, 8),
    pair(day, 0),
    (day >>> 24) * 10 + (hour & 0xff),
    pair(hour, 16),
    pair(minute, 8),
    (second & 0xff) * 100 + pair(second, 8),
  );
}

/** Not 0 when a byte of the word is above 9, or one of those that `fixed` covers is above 0. */
function above(word: number, fixed: number): number {
  return (word & (0xf0f0f0f0 | fixed)) | ((word + 0x06060606) & 0x10101010);
}

/** The number that two digits give, the first one standing at this bit of the word. */
function pair(word: number, bit: number): number {
  return ((word >>> bit) & 0xff) * 10 + ((word >>> (bit + 8)) & 0xff);
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function instant(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  millisecond: number,
): Date | undefined {
  const days = month === 2 && isLeap(year) ? 29 : DAYS[month - 1];
  const possible =
    year >= 0 &&
    hour >= 0 &&
    minute >= 0 &&
    second >= 0 &&
    millisecond >= 0 &&
    days !== undefined &&
    day >= 1 &&
    day <= days &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  if (!possible) return undefined;
  const seconds = (daysBefore(year, month) + day - 1) * 86_400 + hour * 3600 + minute * 60 + second;
  return new Date(seconds * 1000 + millisecond);
}

/**
 * Days from 1970-01-01 to the first of the month. Date.UTC would tell too, but for the years 0 to 99, and in three times
 * the time. Years are counted from March here, so that the day of a leap year comes last,
 * and 400 years are added, so that none is below zero.
 */
function daysBefore(year: number, month: number): number {
  const years = (month > 2 ? year : year - 1) + 400;
  const months = month > 2 ? month - 3 : month + 9;
  const leapDays = (years >> 2) - ((years / 100) | 0) + ((years / 400) | 0);
  return years * 365 + leapDays + (((153 * months + 2) / 5) | 0) - 719_468 - 146_097;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
