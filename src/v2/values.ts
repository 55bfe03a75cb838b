import type { V2Property } from '../activity/columns.js';

/** Characters that the state may have in bulk, where it is free text. */
const LONGEST_STATE = 50;

/** Whether v2 refuses some values of the property; of all others `valueProblem` says nothing. */
export function isChecked(property: V2Property): boolean {
  return CHECKED.has(property);
}

const CHECKED: ReadonlySet<V2Property> = new Set([
  'emailAddress',
  'birthdayDay',
  'birthdayMonth',
  'anniversary',
  'state',
]);

/** Why v2 would refuse the value, to follow the column's name; undefined where it would not. `now` in milliseconds. */
export function valueProblem(property: V2Property, text: string, now: number): string | undefined {
  if (text === '') return undefined;
  switch (property) {
    case 'emailAddress':
      return /@[^;,\s]*[;,\s]+[^;,\s@]+@/.test(text)
        ? 'holds more than one address, and v2 takes one for each contact: give each a row of its own'
        : undefined;
    case 'birthdayDay':
      return inRange(text, 31) ? undefined : `must be 1 to 31, got ${quoted(text)}`;
    case 'birthdayMonth':
      return inRange(text, 12) ? undefined : `must be 1 to 12, got ${quoted(text)}`;
    case 'anniversary':
      return anniversaryProblem(text, now);
    case 'state':
      return text.length > LONGEST_STATE
        ? `must have ${LONGEST_STATE} characters at most, got ${text.length}`
        : undefined;
    default:
      return undefined;
  }
}

/** True where the month, as text, has that day: 29 February is one. Unknown and wrong ones are not judged here. */
export function isDayOfMonth(day: string, month: string): boolean {
  const days = DAYS[Number(month) - 1];
  return days === undefined || !(Number(day) > days);
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function inRange(text: string, most: number): boolean {
  return /^0?[1-9]$|^[1-9][0-9]$/.test(text) && Number(text) <= most;
}

/** Year first with slashes or hyphens, or month first with either. */
const ANNIVERSARY = /^(?:(\d{4}|00)([/-])(\d{1,2})\2(\d{1,2})|(\d{1,2})([/-])(\d{1,2})\6(\d{4}|00))$/;
const YEARS_AHEAD = 10;

function anniversaryProblem(text: string, now: number): string | undefined {
  const match = ANNIVERSARY.exec(text);
  const year = match?.[1] ?? match?.[8];
  const month = match?.[3] ?? match?.[5];
  const day = match?.[4] ?? match?.[7];
  if (year === undefined || month === undefined || day === undefined) {
    return `must be a date such as 03/12/2005 or 2005-03-12, got ${quoted(text)}`;
  }
  if (!inRange(month, 12) || !inRange(day, 31) || !isDayOfMonth(day, month)) {
    return `is no date, month first or year first: ${quoted(text)}`;
  }
  const last = new Date(now).getUTCFullYear() + YEARS_AHEAD;
  if (Number(year) !== 0 && (Number(year) <= 1900 || Number(year) > last)) {
    return `must be of a year from 1901 to ${last}, or 00 for none, got ${quoted(text)}`;
  }
  return undefined;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);
}
