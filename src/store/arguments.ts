import { UsageError } from '../activity/errors.js';
import { shown } from '../activity/shown.js';
import type { JobFailure, NewJob, RecordRange } from './store.js';

/** The longest name of a run, key, job, worker or value, in UTF-16 units. */
const LONGEST_NAME = 1000;

/** @throws UsageError `OPTION_INVALID` */
export function checkName(field: string, name: unknown): void {
  if (typeof name !== 'string') throw unfit(field, 'must be text', name);
  if (name === '' || name.length > LONGEST_NAME || /[\p{Cc}\p{Cs}]/u.test(name)) {
    throw unfit(field, `must be 1 to ${LONGEST_NAME} characters, none of them a control character`, name);
  }
}

/** @throws UsageError `OPTION_INVALID` */
export function checkWhole(field: string, value: unknown, least = 0): void {
  if (Number.isSafeInteger(value) && Number(value) >= least) return;
  throw unfit(field, `must be a whole number from ${least}`, value);
}

/**
 * A value as JSON text.
 * @throws UsageError `OPTION_INVALID` for what JSON cannot say; the value is not shown, addresses may be in it.
 */
export function toJson(field: string, value: unknown): string {
  let text: unknown;
  let cause: unknown;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    cause = error;
  }
  if (typeof text === 'string') return text;
  throw new UsageError('OPTION_INVALID', `${field}: must be a value that JSON can say`, { cause });
}

/** @throws UsageError `OPTION_INVALID` */
export function checkEnqueue(key: string, jobs: readonly NewJob[]): void {
  checkName('key', key);
  for (const { id } of jobs) checkName('id', id);
}

/** @throws UsageError `OPTION_INVALID` */
export function checkClaim(worker: string, leaseMs: number, now: number, only: readonly string[] = []): void {
  checkName('worker', worker);
  checkWhole('leaseMs', leaseMs, 1);
  checkWhole('now', now);
  for (const key of only) checkName('only', key);
}

/** @throws UsageError `OPTION_INVALID` */
export function checkFailure(now: number, { reason, retryAt }: JobFailure): void {
  checkWhole('now', now);
  if (retryAt !== undefined) checkWhole('retryAt', retryAt);
  if (typeof reason !== 'string') throw unfit('reason', 'must be text', reason);
}

/** @throws UsageError `OPTION_INVALID` */
export function checkRelease(now: number, keys: readonly string[]): void {
  checkWhole('now', now);
  for (const key of keys) checkName('key', key);
}

/** @throws UsageError `OPTION_INVALID` */
export function checkRange(collection: string, { after, limit = MOST_LISTED }: RecordRange): void {
  checkName('collection', collection);
  if (after !== undefined) checkName('after', after);
  checkWhole('limit', limit, 1);
}

/** Records that one call gives, unless it asks for more or fewer. */
export const MOST_LISTED = 1_000;

function unfit(field: string, rule: string, value: unknown): UsageError {
  return new UsageError('OPTION_INVALID', `${field}: ${rule}, got ${shown(value)}`);
}
