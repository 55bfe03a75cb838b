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

/**
 * The instant in the 24 bytes from `from` on, `2008-04-29T19:36:10.948Z` as the service writes it; undefined for all else,
 * which `parseInstant` may still understand. An archive has some five of them in each record, so no string is made.
 */
export function parseInstantBytes(bytes: Uint8Array, from: number): Date | undefined {
  if (
    bytes[from + 4] !== 0x2d ||
    bytes[from + 7] !== 0x2d ||
    bytes[from + 10] !== 0x54 ||
    bytes[from + 13] !== 0x3a ||
    bytes[from + 16] !== 0x3a ||
    bytes[from + 19] !== 0x2e ||
    bytes[from + 23] !== 0x5a
  ) {
    return undefined;
  }
  return instant(
    pair(bytes, from) * 100 + pair(bytes, from + 2),
    pair(bytes, from + 5),
    pair(bytes, from + 8),
    pair(bytes, from + 11),
    pair(bytes, from + 14),
    pair(bytes, from + 17),
    pair(bytes, from + 20) * 10 + digit(bytes[from + 22]),
  );
}

/** The number that two digits give; far below zero when one of the bytes is none. */
function pair(bytes: Uint8Array, from: number): number {
  return digit(bytes[from]) * 10 + digit(bytes[from + 1]);
}

function digit(byte = 0): number {
  return byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : NO_DIGIT;
}

/** So low that no other digits of a date make up for it. */
const NO_DIGIT = -100_000;

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
