import { DAY } from '../http/quota.js';
import type { SecretReference } from '../http/secret.js';
import type { Estimate, MigrationPlan, PlannedAccount } from './plan.js';

/**
 * Calls that each part takes: one to note what there is, one to send it, and two looks at how it goes on. A clear takes
 * the same.
 */
const CALLS_OF_PART = 4;
/** Calls that it takes to read the members of a list: to note, to ask for the export, to look twice, to get the file. */
const CALLS_OF_READING = 5;
/** The members of each list are read before the first step and after the last. */
const READINGS = 2;
/** Seconds from one job of an account to the next: the service begins one on each half minute. */
export const SECONDS_OF_JOB = 30;
/** Seconds that an export takes; it waits for no job. */
export const SECONDS_OF_READING = 60;
const SECONDS_OF_DAY = DAY / 1000;

/** Accounts that are worked on at a time, where nobody says otherwise. */
export const TOGETHER = 4;

/**
 * What the run takes at least: the accounts of a key share its calls, so many are worked on at a time, and the jobs
 * of each go one after another. Calls beyond those of a day wait for the next.
 */
export function estimateOf(accounts: readonly PlannedAccount[], limits: MigrationPlan['limits']): Estimate {
  const keys = new Map<SecretReference, { calls: number; readonly waits: number[] }>();
  const waits: number[] = [];
  for (const { target, steps } of accounts) {
    const known = keys.get(target.apiKey) ?? { calls: 0, waits: [] };
    keys.set(target.apiKey, known);
    const parts = steps.reduce((sum, step) => sum + step.parts.length, 0);
    const lists = new Set(steps.flatMap((step) => step.lists)).size;
    known.calls += parts * CALLS_OF_PART + lists * READINGS * CALLS_OF_READING;
    const wait = parts * SECONDS_OF_JOB + (lists === 0 ? 0 : READINGS * SECONDS_OF_READING);
    known.waits.push(wait);
    waits.push(wait);
  }
  const estimates = [...keys].map(([apiKey, { calls, waits: own }]) => ({
    apiKey,
    calls,
    seconds: Math.max(sideBySide(own), secondsOfCalls(calls, limits)),
  }));
  return {
    calls: estimates.reduce((sum, { calls }) => sum + calls, 0),
    seconds: estimates.reduce((most, { seconds }) => Math.max(most, seconds), sideBySide(waits)),
    keys: estimates,
  };
}

/** When the last has ended, of what is begun in this order as soon as there is room. */
function sideBySide(durations: readonly number[]): number {
  const ends = new Array<number>(TOGETHER).fill(0);
  for (const duration of durations) {
    const first = ends.indexOf(Math.min(...ends));
    ends[first] = (ends[first] ?? 0) + duration;
  }
  return Math.max(...ends);
}

function secondsOfCalls(calls: number, { perSecond, perDay }: MigrationPlan['limits']): number {
  const days = Math.max(0, Math.ceil(calls / perDay) - 1);
  return days * SECONDS_OF_DAY + Math.ceil((calls - days * perDay) / perSecond);
}
