import { expect } from 'chai';
import type { Activity } from '../../src/activity/activity.js';
import { readArchive, type ArchiveOptions } from '../../src/archive/read.js';
import type { ArchiveProblem, ArchiveRecord, ArchiveTally } from '../../src/archive/record.js';
import type { DocumentFrame } from '../../src/ws/records.js';
import { accountUris, DOCUMENTED_ORIGIN } from '../../src/ws/uris.js';
import { anActivity } from '../support/stub-service.js';

export const frame: DocumentFrame = {
  uris: accountUris(DOCUMENTED_ORIGIN, 'joesflowers'),
  user: 'joesflowers',
  updated: new Date('2008-04-29T19:31:00.545Z'),
};

/** All that reading came to. */
export interface Read {
  readonly records: ArchiveRecord[];
  readonly problems: ArchiveProblem[];
  readonly tally: ArchiveTally;
}

async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  // One buffer for all pieces: a reader must have its own copy of what it keeps.
  const buffer = Buffer.alloc(Math.max(...sizes));
  let turn = 0;
  for (let at = 0; at < bytes.length;) {
    const size = Math.min(sizes[turn++ % sizes.length] ?? 1, bytes.length - at);
    buffer.set(bytes.subarray(at, at + size));
    await Promise.resolve();
    yield buffer.subarray(0, size);
    buffer.fill(0x3c);
    at += size;
  }
}

/** Reads bytes that arrive in pieces of these sizes, and checks that all of them are accounted for. */
export async function read(
  bytes: Uint8Array | string,
  sizes: readonly number[] = [65_536],
  options: ArchiveOptions = {},
): Promise<Read> {
  const problems: ArchiveProblem[] = [];
  const source = { name: 'a.xml', bytes: pieces(Buffer.from(bytes), sizes) };
  const reader = readArchive(source, { ...options, onProblem: (problem) => problems.push(problem) });
  const records: ArchiveRecord[] = [];
  for await (const record of reader) records.push(record);
  const { recordBytes, frameBytes, problemBytes, bytes: all } = reader.tally;
  expect(recordBytes + frameBytes + problemBytes, 'every byte is accounted for').to.equal(all);
  expect(all).to.equal(Buffer.from(bytes).length);
  expect(reader.tally.records).to.equal(records.length);
  expect(reader.tally.problems).to.equal(problems.length);
  return { records, problems, tally: reader.tally };
}

/** Activities a07e10, a07e11 and so on. */
export const numbered = (count: number): Activity[] =>
  Array.from({ length: count }, (_, n) =>
    anActivity({
      id: `a07e1${String(n)}`,
      type: 'ADD_CONTACTS',
      status: 'COMPLETE',
      errors:
        n % 3 === 1
          ? [{ lineNumber: n, emailAddress: 'zoë@example.com', message: `Unknown "Test${n}"` }]
          : [],
      transactionCount: n,
      insertTime: new Date(Date.UTC(2008, 3, 29, 19, n)),
      title: `No. ${n} – €`,
    }),
  );

export const ids = (records: readonly ArchiveRecord[]) => records.map(({ activity: { id } }) => id);
