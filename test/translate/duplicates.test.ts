import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { addressKey, DuplicateFinder, type Duplicate } from '../../src/translate/duplicates.js';
import { Buckets } from '../../src/translate/duplicates-buckets.js';
import { runs } from '../support/runs.js';

const CHILD = fileURLToPath(new URL('../support/split-child.ts', import.meta.url));

async function duplicatesOf(addresses: readonly string[], size = 0, from = 1): Promise<Duplicate[]> {
  const finder = new DuplicateFinder(size);
  for (const [index, address] of addresses.entries()) await finder.add(index + 2, address);
  const found = await finder.find(addresses.length + 1);
  const list: Duplicate[] = [];
  for await (const one of found.from(from)) list.push(one);
  if (from === 1) expect(found.count).to.equal(list.length);
  await found.close();
  return list;
}

/** The same on a Map of all addresses. */
function direct(addresses: readonly string[]): Duplicate[] {
  const last = new Map(addresses.map((address, index) => [addressKey(address), index + 2]));
  return addresses.flatMap((given, index) => {
    const [address, line] = [addressKey(given), index + 2];
    const keptLine = last.get(address) ?? 0;
    return address === '' || keptLine === line ? [] : [{ line, keptLine, address }];
  });
}

describe('duplicates', () => {
  it('are all rows of an address but the last, in the order of their lines', async () => {
    const address = fc.oneof(
      fc.constantFrom(
        'a@example.com',
        ' A@Example.com',
        'b@example.com ',
        '',
        '  ',
        'Zoë@example.com',
        'ZOË@example.com',
      ),
      fc.string({ unit: 'binary', maxLength: 5 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(address, { maxLength: 60 }), fc.nat(60), async (addresses, from) => {
        const expected = direct(addresses);
        expect(await duplicatesOf(addresses)).to.deep.equal(expected);
        expect(await duplicatesOf(addresses, 1e9, from)).to.deep.equal(
          expected.filter(({ line }) => line >= from),
        );
      }),
      { numRuns: runs(60) },
    );
  });

  it('are found among more than stay in memory', async () => {
    const addresses = Array.from({ length: 150_000 }, (_, index) => `someone.${index % 110_000}@example.com`);
    addresses.push(...Array.from({ length: 10_000 }, () => 'the.same@example.com'));
    expect(await duplicatesOf(addresses)).to.deep.equal(direct(addresses));
  });

  it('are told apart however long an address is', async () => {
    const long = 'x'.repeat(2000);
    const found = await duplicatesOf([
      `${long}1`,
      `${long}2`,
      `${long}1`,
      '\u{1f600}'.repeat(160),
      'a',
      '\u{1f600}'.repeat(160),
    ]);
    expect(found.map(({ line, keptLine }) => [line, keptLine])).to.deep.equal([
      [2, 4],
      [5, 7],
    ]);
  });

  it('go to buckets whose entries come back the last first', async () => {
    const buckets = new Buckets(2, 4096);
    for (let number = 0; number < 2000; number++) {
      const bucket = number % 2;
      if (buckets.add(bucket, number, -number, `n${number}`)) continue;
      await buckets.flush(bucket);
      expect(buckets.add(bucket, number, -number, `n${number}`)).to.equal(true);
    }
    await buckets.flush(1);
    await buckets.flush(1);
    const numbers: number[] = [];
    for await (const entries of buckets.backwards(1)) {
      for (const { first, second, text } of entries) {
        expect([second, text]).to.deep.equal([-first, `n${first}`]);
        numbers.push(first);
      }
    }
    expect(numbers).to.deep.equal(Array.from({ length: 1000 }, (_, index) => 1999 - 2 * index));
    expect(await buckets.all(0)).to.have.length(1000);
    await buckets.close();
  });

  it('take no more memory for a file that is larger', function () {
    this.timeout(120_000);
    // The whole of it, 100 MB, with CTCT_SPLIT_ROWS=1000000.
    const rows = Number(process.env.CTCT_SPLIT_ROWS ?? 150_000);
    const child = spawnSync(
      process.execPath,
      ['--max-old-space-size=64', '--import', 'tsx', CHILD, String(rows)],
      {
        encoding: 'utf8',
      },
    );
    expect(child.stderr.replace(/^npm warn.*\n/gm, '')).to.equal('');
    const told = JSON.parse(child.stdout) as Record<string, number>;
    expect(told).to.deep.include({
      sent: rows * 0.91,
      duplicateCount: rows * 0.09,
      told: rows * 0.09,
      wrong: 0,
    });
    expect(told.peak).to.be.below(40e6);
  });
});
