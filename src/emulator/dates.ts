/** Days of each month, February in a leap year. */
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Years from now that an anniversary may lie ahead. */
const YEARS_AHEAD = 10;

/** True when both are empty, or both numbers and together a day that some year has. */
export function isBirthday(month: string, day: string): boolean {
  if (month === '' && day === '') return true;
  return isDayOf(wholeNumber(month), wholeNumber(day));
}

/**
 * True for a day written `MM/DD/YYYY`, `YYYY/MM/DD`, `YYYY-MM-DD` or `MM-DD-YYYY`, with or without leading zeros, after
 * 1900 and at most ten years after `now`: the spellings that the successors of the ws API document.
 */
export function isAnniversary(text: string, now: Date): boolean {
  const parts = /^(\d{1,4})([/-])(\d{1,2})\2(\d{1,4})$/.exec(text);
  if (parts === null) return false;
  const [, first = '', , middle = '', last = ''] = parts;
  const yearFirst = first.length === 4;
  if (!yearFirst && (first.length > 2 || last.length !== 4)) return false;
  if (yearFirst && last.length > 2) return false;
  const [year, month, day] = (yearFirst ? [first, middle, last] : [last, first, middle]).map(Number);
  return (
    year !== undefined &&
    year > 1900 &&
    year <= now.getUTCFullYear() + YEARS_AHEAD &&
    isDayOf(month, day) &&
    (month !== 2 || day !== 29 || new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1)
  );
}

function isDayOf(month: number | undefined, day: number | undefined): boolean {
  const days = month === undefined ? undefined : DAYS[month - 1];
  return days !== undefined && day !== undefined && day >= 1 && day <= days;
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,2}$/.test(text) ? Number(text) : undefined;
}
