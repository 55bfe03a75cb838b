import { expect } from 'chai';
import fc from 'fast-check';
import { newestOfEach } from '../../src/archive/dedupe.js';
import type { ArchiveRecord } from '../../src/archive/record.js';
import { aRecord, asStream } from '../support/archive-records.js';

async function newest(records: readonly ArchiveRecord[]): Promise<ArchiveRecord[]> {
  const found = [];
  for await (const record of newestOfEach(asStream(records))) found.push(record);
  return found;
}

/** Records that often have the same id and the same time. */
const records: fc.Arbitrary<ArchiveRecord[]> = fc
  .array(
    fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      updated: fc.option(
        fc.nat({ max: 3 }).map((ms) => new Date(ms)),
        { nil: undefined },
      ),
      runFinishTime: fc.option(
        fc.nat({ max: 3 }).map((ms) => new Date(ms)),
        { nil: undefined },
      ),
      salvaged: fc.boolean(),
    }),
    { maxLength: 20 },
  )
  .map((all) => all.map(({ salvaged, ...facts }, n) => ({ ...aRecord(facts, n), salvaged })));

describe('the newest record of each id', () => {
  it('is there once for each id, in the order of the archive', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (all) => {
        const found = await newest(all);
        const ids = found.map(({ activity }) => activity.id);
        expect(new Set(ids)).to.deep.equal(new Set(all.map(({ activity }) => activity.id)));
        expect(new Set(ids).size).to.equal(ids.length);
        expect(found).to.deep.equal(all.filter((record) => found.includes(record)));
      }),
    );
  });

  it('is the greatest by time, wholeness and place', async () => {
    const time = ({ activity }: ArchiveRecord) =>
      (activity.updated ?? activity.runFinishTime)?.getTime() ?? -1;
    // Sorting is another way to the same end.
    const oracle = (all: readonly ArchiveRecord[], id: string) =>
      all
        .filter(({ activity }) => activity.id === id)
        .sort(
          (a, b) =>
            time(a) - time(b) ||
            Number(b.salvaged) - Number(a.salvaged) ||
            a.position.byteOffset - b.position.byteOffset,
        )
        .at(-1);
    await fc.assert(
      fc.asyncProperty(records, async (all) => {
        for (const record of await newest(all)) expect(record).to.equal(oracle(all, record.activity.id));
      }),
    );
  });

  it('found again is the same', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (all) => {
        const once = await newest(all);
        expect(await newest(once)).to.deep.equal(once);
      }),
    );
  });

  it('goes by updated before the end of the run', async () => {
    const at = (ms: number) => new Date(ms);
    const earlier = aRecord({ id: 'a', updated: at(2), runFinishTime: at(9) }, 0);
    const later = aRecord({ id: 'a', updated: at(3), runFinishTime: at(1) }, 1);
    expect(await newest([later, earlier])).to.deep.equal([later]);
    const untold = aRecord({ id: 'a' }, 2);
    expect(await newest([later, untold])).to.deep.equal([later]);
    expect(await newest([untold, aRecord({ id: 'a', runFinishTime: at(0) }, 3)])).to.have.length(1);
  });

  it('keeps all records that have no id', async () => {
    const nameless = [aRecord({ id: '' }, 0), aRecord({ id: 'a' }, 1), aRecord({ id: '' }, 2)];
    expect(await newest(nameless)).to.deep.equal(nameless);
  });
});
