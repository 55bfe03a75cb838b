import { expect } from 'chai';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { parquetBytes } from '../../src/archive/parquet.js';
import type { ArchiveRecord } from '../../src/archive/record.js';
import { recordJson } from '../../src/archive/record-json.js';
import { archiveRecord, aRecord, asStream } from '../support/archive-records.js';

async function write(records: Iterable<ArchiveRecord>): Promise<{ file: ArrayBuffer; pieces: number }> {
  const pieces: Buffer[] = [];
  // Copied, since a piece is good until the next is asked for.
  for await (const piece of parquetBytes(asStream(records))) pieces.push(Buffer.from(piece));
  const bytes = new Uint8Array(Buffer.concat(pieces));
  return { file: bytes.buffer, pieces: pieces.length };
}

/** Counts as Parquet holds them. */
function counts(value: unknown): unknown {
  if (typeof value === 'number') return BigInt(value);
  if (value instanceof Date || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(counts);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, counts(inner)]));
}

describe('a Parquet file of records', () => {
  it('holds what JSON holds, read by an independent reader', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(archiveRecord, { maxLength: 8 }), async (records) => {
        const { file } = await write(records);
        expect(await parquetReadObjects({ file })).to.deep.equal(
          records.map((one) => counts(recordJson(one))),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('has its columns even without a record', async () => {
    const { file } = await write([]);
    const { schema, num_rows, row_groups, created_by } = parquetMetadata(file);
    expect([num_rows, row_groups, created_by]).to.deep.equal([0n, [], 'ctct-activities']);
    expect(schema[0]?.num_children).to.equal(Object.keys(recordJson(aRecord({ id: 'a' }))).length);
  });

  it('is written in groups, so that memory is bounded by rows and by bytes', async () => {
    const many = Array.from({ length: 20_001 }, (_, n) => aRecord({ id: `a${n}` }, n));
    const large = [1, 2, 3].map((n) => {
      const record = aRecord({ id: `b${n}` }, n);
      return { ...record, position: { ...record.position, length: 40_000_000 } };
    });
    for (const [records, groups] of [
      [many, [20_000, 1]],
      [large, [1, 1, 1]],
    ] as const) {
      const { file, pieces } = await write(records);
      const { row_groups } = parquetMetadata(file);
      expect(row_groups.map(({ num_rows }) => Number(num_rows))).to.deep.equal(groups);
      expect(pieces).to.equal(records === many ? 2 : 4);
      const ids = (await parquetReadObjects({ file, columns: ['id'] })).map(({ id }) => String(id));
      expect(ids).to.deep.equal(records.map(({ activity }) => activity.id));
    }
  });
});
