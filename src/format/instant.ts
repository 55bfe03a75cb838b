/**
 * The instant that `text` names, or undefined when it names none, as `2008-02-30` does.
 *
 * Takes what the service and its clients wrote: `2008-04-29T19:36:10.948Z`; 0 to 9 fraction digits, of which the first
 * three count; `Z` or an offset such as `+02:00`; a date alone, which is midnight UTC; white space around it.
 * Years 0000 to 9999, in UTC.
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */
export function parseInstant(text: string): Date | undefined {
  if (text.length === 24) {
    const exact = parseExact(text);
    if (exact !== undefined) return exact;
  }
  return parseAny(text);
}

/** `2008-04-29T19:36:10.948Z` in UTC, always with milliseconds. @throws RangeError of an invalid date. */
export function formatInstant(date: Date): string {
  return date.toISOString();
}

/** The 24 characters the service writes. */
function parseExact(text: string): Date | undefined {
  if (
    text[4] !== '-' ||
    text[7] !== '-' ||
    text[10] !== 'T' ||
    text[13] !== ':' ||
    text[16] !== ':' ||
    text[19] !== '.' ||
    text[23] !== 'Z'
  ) {
    return undefined;
  }
  return instant(
    digits(text, 0, 4),
    digits(text, 5, 7),
    digits(text, 8, 10),
    digits(text, 11, 13),
    digits(text, 14, 16),
    digits(text, 17, 19),
    digits(text, 20, 23),
  );
}

const INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):?(\d{2})))?$/;

function parseAny(text: string): Date | undefined {
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

function digits(text: string, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value;
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
    year >= 0 && days !== undefined && day >= 1 && day <= days && hour < 24 && minute < 60 && second < 60;
  if (!possible || Number.isNaN(millisecond)) return undefined;
  // Date.UTC takes the years 0 to 99 for 1900 to 1999; 400 years on, the calendar is the same.
  const time = Date.UTC(year + 400, month - 1, day, hour, minute, second, millisecond);
  return new Date(time - FOUR_CENTURIES);
}

const FOUR_CENTURIES = 146_097 * 86_400_000;

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
