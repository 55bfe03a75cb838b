import type { ArchiveRecord } from './record.js';

/**
 * The newest record of each id, in the order in which these stand in the archive, once all have been read.
 *
 * The newest is the one with the latest `updated`, or `runFinishTime` where it tells no `updated`; one that tells neither
 * is older than any that does. Of two that are equally new, one that was salvaged gives way, and else the earlier.
 * Records without an id are all kept. Memory: all ids, and the newest record of each so far.
 */
export async function* newestOfEach(records: AsyncIterable<ArchiveRecord>): AsyncGenerator<ArchiveRecord> {
  const newest = new Map<string, ArchiveRecord>();
  let nameless = 0;
  for await (const record of records) {
    // No id has a blank in it, so that these keys are nobody else's.
    const key = record.activity.id === '' ? ` ${nameless++}` : record.activity.id;
    const known = newest.get(key);
    if (known !== undefined && isNewer(known, record)) continue;
    // Taken out first, so that the map stays in the order of the records it holds.
    newest.delete(key);
    newest.set(key, record);
  }
  yield* newest.values();
}

/** Whether `one` is newer than `later`, which stands behind it. */
function isNewer(one: ArchiveRecord, later: ArchiveRecord): boolean {
  const difference = timeOf(one) - timeOf(later);
  if (difference !== 0 && !Number.isNaN(difference)) return difference > 0;
  return later.salvaged && !one.salvaged;
}

function timeOf({ activity }: ArchiveRecord): number {
  return (activity.updated ?? activity.runFinishTime)?.getTime() ?? -Infinity;
}
