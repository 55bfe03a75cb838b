import fc from 'fast-check';
import type { Activity } from '../../src/activity/activity.js';
import { ERROR_CODES, type ErrorCode } from '../../src/activity/errors.js';
import type { ArchivePosition, ArchiveProblem, ArchiveRecord } from '../../src/archive/record.js';
import { activity, xmlText } from './arbitraries.js';
import { anActivity } from './stub-service.js';

const nat = fc.nat({ max: Number.MAX_SAFE_INTEGER });

const position: fc.Arbitrary<ArchivePosition> = fc.record({
  source: xmlText,
  line: nat.map((n) => n + 1),
  column: nat.map((n) => n + 1),
  byteOffset: nat,
  length: nat,
});

const problem: fc.Arbitrary<ArchiveProblem> = fc.record({
  code: fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[])),
  message: xmlText.map((text) => `found ${text}`),
  position,
});

/** Any record that the model can hold. */
export const archiveRecord: fc.Arbitrary<ArchiveRecord> = fc.record({
  activity,
  position,
  salvaged: fc.boolean(),
  problems: fc.array(problem, { maxLength: 3 }),
});

/** A whole record of an activity with nothing but what is given, the n-th in its file. */
export function aRecord(facts: Partial<Activity> & { readonly id: string }, n = 0): ArchiveRecord {
  return {
    activity: anActivity(facts),
    position: { source: 'feed.xml', line: n + 1, column: 1, byteOffset: n * 100, length: 90 },
    salvaged: false,
    problems: [],
  };
}

/** The items as they come from a reader. */
export async function* asStream<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) {
    await Promise.resolve();
    yield item;
  }
}

export async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}
