import { refuseUnknownFields } from '../activity/fields.js';
import { UsageError } from '../activity/errors.js';
import { shown } from '../activity/shown.js';
import type { FaultAction } from './faults.js';
import { timeSpan } from './time-span.js';

type ActionType = FaultAction['type'];

/** The fields of each action besides its type, and whether a value will do. */
const FIELDS: {
  readonly [T in ActionType]: Readonly<
    Record<Exclude<keyof Extract<FaultAction, { type: T }>, 'type'>, Field>
  >;
} = {
  status: {
    status: { must: 'must be a whole number from 200 to 599', holds: isStatus, required: true },
    headers: { must: 'must be an object of header names and texts', holds: isHeaders },
    body: { must: 'must be a text', holds: isText },
  },
  delay: { time: { must: 'must be milliseconds, or a time such as 2s', holds: isTime, required: true } },
  stall: { after: { must: 'must be a number of bytes', holds: isCount } },
  reset: { after: { must: 'must be a number of bytes', holds: isCount } },
  truncate: { after: { must: 'must be a number of bytes', holds: isCount, required: true } },
  malformed: {},
  contentType: { value: { must: 'must be a media type', holds: isHeaderValue, required: true } },
  lostAnswer: { how: { must: "must be 'reset', 'stall' or '504'", holds: isLoss } },
};

interface Field {
  readonly must: string;
  holds(value: unknown): boolean;
  readonly required?: true;
}

/** The action, once it is one. @throws UsageError `OPTION_INVALID` naming the field. */
export function checkAction(action: FaultAction): FaultAction {
  const given: unknown = action;
  if (typeof given !== 'object' || given === null) throw wrong('', 'must be an object with a type', given);
  const type: unknown = Reflect.get(given, 'type');
  if (typeof type !== 'string' || !Object.hasOwn(FIELDS, type)) {
    throw wrong('.type', `must be one of ${Object.keys(FIELDS).join(', ')}`, type);
  }
  const fields: Readonly<Record<string, Field>> = FIELDS[type as ActionType];
  refuseUnknownFields(given, ['type', ...Object.keys(fields)], `fault: action ${type}`);
  for (const [name, field] of Object.entries(fields)) {
    const value: unknown = Reflect.get(given, name);
    if (value === undefined && field.required !== true) continue;
    if (!field.holds(value)) throw wrong(`.${name}`, field.must, value);
  }
  return action;
}

function isStatus(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isHeaderValue(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && canBeHeaders([['content-type', value]]);
}

function isHeaders(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries: [string, unknown][] = Object.entries(value);
  return entries.every(([, text]) => typeof text === 'string') && canBeHeaders(entries as [string, string][]);
}

function canBeHeaders(entries: [string, string][]): boolean {
  try {
    return new Headers(entries) instanceof Headers;
  } catch {
    return false;
  }
}

function isLoss(value: unknown): boolean {
  return value === 'reset' || value === 'stall' || value === '504';
}

function isTime(value: unknown): boolean {
  if (typeof value !== 'number' && typeof value !== 'string') return false;
  try {
    return timeSpan(value, 'time') >= 0;
  } catch {
    return false;
  }
}

function wrong(field: string, must: string, value: unknown): UsageError {
  return new UsageError('OPTION_INVALID', `fault: action${field}: ${must}, got ${shown(value)}`);
}
