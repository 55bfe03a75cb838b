import { expect } from 'chai';
import fc from 'fast-check';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { DecodeError, TransportError } from '../../src/activity/errors.js';
import type { Activity } from '../../src/activity/activity.js';
import { readArchive } from '../../src/archive/read.js';
import type { ArchiveProblem } from '../../src/archive/record.js';
import { activityElement } from '../../src/ws/activity-element.js';
import { encodeEntry, encodeFeed, encodeLists } from '../../src/ws/records.js';
import { activity } from '../support/arbitraries.js';
import { runs } from '../support/runs.js';
import { fixtures } from '../support/fixtures.js';
import { aList } from '../support/stub-service.js';
import { frame, ids, numbered, read } from './reading.js';

async function readPacked(bytes: Uint8Array) {
  const problems: ArchiveProblem[] = [];
  const onProblem = (problem: ArchiveProblem) => problems.push(problem);
  const found: string[] = [];
  for await (const { activity: record } of readArchive({ name: 'a.gz', bytes }, { onProblem }))
    found.push(record.id);
  return { ids: found, problems };
}

describe('readArchive', () => {
  describe('whole documents', () => {
    it('gives every activity of a feed, and where it stands', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(activity, { maxLength: 5 }), async (activities) => {
          const xml = Buffer.from(encodeFeed(activities, frame));
          const { records, problems, tally } = await read(xml, [97]);
          const told = activities.filter((one) => activityElement(one, '') !== undefined);
          expect(records.map((record) => record.activity)).to.deep.equal(told);
          expect(tally.otherEntries).to.equal(activities.length - told.length);
          expect(problems).to.deep.equal([]);
          expect(tally).to.include({ documents: 1, sources: 1, salvaged: 0, problemBytes: 0 });
          for (const { position } of records) {
            const text = xml.subarray(position.byteOffset, position.byteOffset + position.length).toString();
            expect(text).to.match(/^<entry>[\s\S]*<\/entry>$/);
            const before = xml.subarray(0, position.byteOffset).toString().split('\n');
            expect(position.line).to.equal(before.length);
            expect(position.column).to.equal([...(before.at(-1) ?? '')].length + 1);
          }
        }),
        { numRuns: 50 },
      );
    });

    it('reads one document after another, feeds and entries, declared or not', async () => {
      const [one, two, three, four] = numbered(4) as [Activity, Activity, Activity, Activity];
      const parts = [
        encodeFeed([one, two], frame),
        '\n\n',
        encodeEntry(three, frame).replace(/^<\?xml.*?\?>/, ''),
        '<!-- between --> ',
        '\ufeff',
        encodeFeed([], frame),
        encodeEntry(four, frame),
        '\r\n',
      ];
      const { records, problems, tally } = await read(parts.join(''));
      expect(records.map((record) => record.activity)).to.deep.equal([one, two, three, four]);
      expect(problems).to.deep.equal([]);
      expect(tally.documents).to.equal(4);
    });

    it('counts entries of another kind and passes over them', async () => {
      const { records, problems, tally } = await read(
        encodeLists([aList('1', 'Roses'), aList('2', 'Tulips')], frame) + encodeFeed(numbered(1), frame),
      );
      expect(ids(records)).to.deep.equal(['a07e10']);
      expect(problems).to.deep.equal([]);
      expect(tally.otherEntries).to.equal(2);
    });

    it('tells doubtful fields with the record and apart', async () => {
      const xml = encodeFeed(numbered(2), frame).replace('<TransactionCount>1<', '<TransactionCount>one<');
      const { records, problems } = await read(xml);
      expect(records[0]?.problems).to.deep.equal([]);
      expect(records[1]?.problems).to.deep.equal(problems);
      expect(problems).to.have.length(1);
      expect(problems[0]?.code).to.equal('RECORD_DOUBTFUL');
      expect(Buffer.from(xml).subarray(0, problems[0]?.position.byteOffset).toString()).to.match(/one$/);
    });
  });

  describe('damage', () => {
    const whole = Buffer.from(encodeFeed(numbered(4), frame));
    const starts = [...whole.toString('latin1').matchAll(/<entry>/g)].map(({ index }) => index);
    const ends = [...whole.toString('latin1').matchAll(/<\/entry>/g)].map(({ index }) => index + 8);

    it('a file cut at any byte yields its whole entries, and names that byte', async () => {
      for (let cut = 0; cut < whole.length; cut++) {
        const { records, problems } = await read(whole.subarray(0, cut), [1000]);
        const wholeOnes = ends.filter((end) => end <= cut).length;
        expect(records.filter(({ salvaged }) => !salvaged).length, `cut at ${cut}`).to.equal(wholeOnes);
        expect(records.length - wholeOnes, `cut at ${cut}`).to.be.at.most(1);
        expect(problems.length, `cut at ${cut}`).to.be.at.least(1);
        expect(problems[0]?.position.byteOffset, `cut at ${cut}`).to.equal(cut);
        expect(problems[0]?.code, `cut at ${cut}`).to.equal('XML_TRUNCATED');
      }
    });

    it('what is taken out of one entry leaves all others as they are', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat({ max: 3 }),
          fc.double({ min: 0, max: 0.99, noNaN: true }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 4 }),
          async (which, begin, share, sizes) => {
            const [start, end] = [starts[which] ?? 0, ends[which] ?? 0];
            const from = start + Math.floor((end - start) * begin);
            const to = Math.max(from + 1, from + Math.floor((end - from) * share));
            const damaged = Buffer.concat([whole.subarray(0, from), whole.subarray(to)]);
            const { records } = await read(damaged, sizes);
            const good = ids(records.filter(({ salvaged }) => !salvaged));
            const others = ['a07e10', 'a07e11', 'a07e12', 'a07e13'].filter((_, n) => n !== which);
            expect(good).to.include.members(others);
          },
        ),
        { numRuns: runs(300) },
      );
    });

    it('reads alike however the bytes arrive, whatever the damage', async () => {
      const change = fc.record({
        at: fc.nat({ max: whole.length - 1 }),
        take: fc.nat({ max: 40 }),
        put: fc.constantFrom(
          '',
          '<',
          '>',
          '&',
          '<entry>',
          '</entry>',
          '</feed>',
          '<!--',
          ']]>',
          '\0',
          '"',
          '<?xml ',
          '\xff',
        ),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(change, { minLength: 1, maxLength: 3 }),
          fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
          async (changes, sizes) => {
            let bytes = whole;
            for (const { at, take, put } of changes) {
              const to = Math.min(bytes.length, at + take);
              bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(put, 'latin1'), bytes.subarray(to)]);
            }
            expect(await read(bytes, sizes)).to.deep.equal(await read(bytes));
          },
        ),
        { numRuns: runs(300) },
      );
    });

    it('any bytes at all are read to their end', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            // What gunzip unpacks is counted unpacked: gzip has tests of its own.
            fc.uint8Array({ maxLength: 300 }).filter((bytes) => bytes[0] !== 0x1f || bytes[1] !== 0x8b),
            fc.string({ maxLength: 200 }).map((text) => Buffer.from(text)),
          ),
          async (bytes) => {
            const { problems } = await read(bytes, [7]);
            expect(problems.length).to.be.at.least(1);
          },
        ),
        { numRuns: runs(300) },
      );
    });

    it('an entry that was cut off before the next begins is salvaged, and the next is whole', async () => {
      const cut = Buffer.concat([whole.subarray(0, starts[1]! + 500), whole.subarray(starts[2])]);
      const { records, problems } = await read(cut);
      expect(ids(records)).to.deep.equal(['a07e10', 'a07e11', 'a07e12', 'a07e13']);
      expect(records.map(({ salvaged }) => salvaged)).to.deep.equal([false, true, false, false]);
      expect(problems).to.have.length(1);
      expect(problems[0]?.message).to.include('read as far as it can be');
      expect(records[1]?.problems).to.deep.equal(problems);
    });

    it('a document cut off before another is told where it ends', async () => {
      for (const at of [starts[2]! + 100, ends[1]!, ends[1]! + 3]) {
        const cut = Buffer.concat([whole.subarray(0, at), whole]);
        const { records, problems } = await read(cut);
        expect(ids(records).slice(-4)).to.deep.equal(['a07e10', 'a07e11', 'a07e12', 'a07e13']);
        expect(problems.map(({ code }) => code)).to.deep.equal(['XML_TRUNCATED']);
        expect(problems[0]?.position.byteOffset).to.equal(at);
      }
    });

    it('the documented export entry is salvaged, within a feed too', async () => {
      const [broken] = fixtures('ws/records').filter(({ name }) => name === 'entry-export-documented');
      const entry = broken?.bytes('document.xml').toString() ?? '';
      const inner = entry.replace(' xmlns="http://www.w3.org/2005/Atom"', '').trim();
      const feed = whole.toString().replace('</entry><entry>', `</entry>${inner}<entry>`);
      expect(feed).to.include(inner);
      for (const document of [entry, feed]) {
        const { records } = await read(document);
        const [salvaged] = records.filter((record) => record.salvaged);
        expect(salvaged?.activity.id).to.equal('a07e1gpfcd3fhysynnp');
        expect(salvaged?.activity.type).to.equal('EXPORT_CONTACTS');
        expect(records.length).to.equal(document === entry ? 1 : 5);
      }
    });

    it('junk before, between and behind documents is told and left out', async () => {
      const document = encodeEntry(numbered(1)[0]!, frame);
      const { records, problems, tally } = await read(
        `junk ${document} more junk <a/> ${document} <p>end</p>`,
      );
      expect(ids(records)).to.deep.equal(['a07e10', 'a07e10']);
      expect(problems.map(({ position }) => position.byteOffset)).to.deep.equal([
        0,
        5 + Buffer.byteLength(document) + 1,
        5 + 2 * Buffer.byteLength(document) + 1 + 'more junk <a/> '.length + 1,
      ]);
      expect(tally.problemBytes).to.be.greaterThan(20);
    });

    it('a DOCTYPE, an entity bomb, deep nesting: each a problem, no more', async () => {
      const good = encodeFeed(numbered(2), frame).replace(/^<\?xml.*?\?>/, '');
      const bomb = `<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>${good.replace('No. 1', '&b;')}`;
      const doctype = await read(bomb);
      expect(ids(doctype.records)).to.deep.equal(['a07e10', 'a07e11']);
      expect(doctype.problems.map(({ code }) => code)).to.deep.equal(['XML_DOCTYPE', 'XML_NOT_WELL_FORMED']);
      const deep = good.replace('No. 0', '<b>'.repeat(100_000));
      const nested = await read(deep);
      expect(nested.problems[0]?.code).to.equal('XML_LIMIT');
      expect(ids(nested.records).at(-1)).to.equal('a07e11');
    });

    it('bytes that a message names are those of the source, in a second document too', async () => {
      const second = whole.subarray(0, starts[0]! + 200);
      const { problems } = await read(Buffer.concat([whole, Buffer.from('\n'), second]));
      expect(problems).to.have.length(1);
      const named = Number(/of byte (\d+) is open/.exec(problems[0]?.message ?? '')?.[1]);
      expect(Buffer.concat([whole, Buffer.from('\n'), second])[named]).to.equal(0x3c);
      expect(named).to.be.greaterThan(whole.length);
    });

    it('an entry over the limit is a problem, and the next is read', async () => {
      const xml = encodeFeed(numbered(3), frame).replace('No. 1', 'long '.repeat(5000));
      const { records, problems } = await read(xml, [512], { maxEntryBytes: 4000 });
      expect(ids(records)).to.deep.equal(['a07e10', 'a07e11', 'a07e12']);
      expect(records.map(({ salvaged }) => salvaged)).to.deep.equal([false, true, false]);
      expect(problems.map(({ code }) => code)).to.deep.equal(['XML_LIMIT']);
      expect(problems[0]?.position.byteOffset).to.equal(records[1]?.position.byteOffset);
      expect(problems[0]?.message).to.include('longer than 4000 bytes');
    });

    it('of a very long damaged entry only the beginning is looked at', async () => {
      const long = `<Errors>${'<Error><Message>x</Message></Error>'.repeat(100_000)}</Wrong>`;
      const xml = encodeFeed(numbered(3), frame).replace(
        /(<Status>COMPLETE<\/Status>)<Errors\/>/,
        `$1${long}`,
      );
      expect(xml).to.include(long);
      const { records, problems, tally } = await read(xml);
      expect(ids(records)).to.deep.equal(['a07e10', 'a07e11', 'a07e12']);
      expect(records[0]?.activity.status).to.equal('COMPLETE');
      expect(records[0]?.activity.errors.length).to.be.within(10_000, 40_000);
      expect(problems[0]?.message).to.include('the first 1048576 bytes of the entry were read');
      expect(tally.problemBytes).to.be.greaterThan(long.length);
    });

    it('many damaged entries, and many documents, cost no more than their length', async function () {
      this.timeout(20_000);
      const entry =
        '<entry><id>x/activities/a07e1</id><content><Activity><Type>SV_ADD</Wrong></Activity></content></entry>\n';
      const feed = `<feed xmlns="http://www.w3.org/2005/Atom">${entry.repeat(5000)}</feed>`;
      const damaged = await read(feed, [feed.length]);
      expect(damaged.records).to.have.length(5000);
      expect(damaged.problems).to.have.length(5000);
      const single = encodeEntry(numbered(1)[0]!, frame);
      const documents = await read(single.repeat(3000), [single.length * 3000]);
      expect(documents.tally.documents).to.equal(3000);
      const junk = await read('<entry>&</entry>'.repeat(10_000), [200_000]);
      expect(junk.problems.length).to.be.greaterThan(9999);
    });

    it('an entry whose start tag is broken keeps what it says, and the feed what the feed says', async () => {
      const xml = encodeFeed(numbered(2), frame).replace('<entry>', '\n <entry a=1>');
      const { records, problems } = await read(xml);
      expect(records.map(({ activity: { title } }) => title)).to.deep.equal(['No. 0 – €', 'No. 1 – €']);
      const [broken] = records;
      expect(broken?.salvaged).to.equal(true);
      const at = Buffer.from(xml).indexOf('<entry a=1>');
      expect(broken?.position).to.include({ line: 2, column: 2, byteOffset: at });
      expect(problems).to.have.length(1);
    });

    it('a root of another namespace is passed over, and reading comes to an end', async () => {
      const xml = encodeFeed(numbered(2), frame).replace('2005/Atom', '2005/Atm');
      const { records, problems } = await read(xml, [64]);
      expect(ids(records)).to.deep.equal(['a07e10', 'a07e11']);
      expect(problems.length).to.be.within(1, 4);
    });

    it('strict stops at the first problem', async () => {
      const cut = whole.subarray(0, starts[3]! + 50);
      const seen: string[] = [];
      try {
        for await (const record of readArchive({ name: 'a.xml', bytes: cut }, { strict: true })) {
          seen.push(record.activity.id);
        }
        expect.fail('expected an error');
      } catch (error) {
        expect(error).to.be.instanceOf(DecodeError);
        expect((error as DecodeError).position?.byteOffset).to.equal(cut.length);
        expect((error as DecodeError).message).to.match(/^a\.xml:/);
      }
      expect(seen).to.deep.equal(['a07e10', 'a07e11', 'a07e12']);
    });

    it('a packed file that is damaged yields what can be unpacked, and one problem more', async () => {
      const packed = gzipSync(Buffer.concat([whole, whole]));
      const good = await readPacked(packed);
      expect([good.ids.length, good.problems.length]).to.deep.equal([8, 0]);
      const cut = await readPacked(packed.subarray(0, packed.length - 20));
      expect(cut.ids.length).to.be.greaterThan(3);
      expect(cut.problems.map(({ code }) => code)).to.deep.equal(['XML_TRUNCATED', 'GZIP_DAMAGED']);
      expect(cut.problems[1]?.position.byteOffset).to.equal(cut.problems[0]?.position.byteOffset);
    });

    it('a file that cannot be read is a problem, and the others are read', async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'ctct-archive-'));
      try {
        writeFileSync(path.join(folder, 'a.xml'), whole);
        symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'b.xml'));
        writeFileSync(path.join(folder, 'c.xml'), whole);
        const problems: ArchiveProblem[] = [];
        const found: string[] = [];
        const reader = readArchive(folder, { onProblem: (problem) => problems.push(problem) });
        for await (const { position } of reader) found.push(path.basename(position.source));
        expect(found).to.deep.equal([...Array<string>(4).fill('a.xml'), ...Array<string>(4).fill('c.xml')]);
        expect(problems.map(({ code }) => code)).to.include('FILE_UNREADABLE');
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('an empty source is a problem', async () => {
      for (const nothing of ['', ' \n']) {
        const { problems } = await read(nothing);
        expect(problems.map(({ message }) => message)).to.deep.equal(['there is no document in it']);
      }
    });
  });

  describe('encodings', () => {
    const activities = numbered(3).map((record) => ({ ...record, title: 'Zoë £' }));
    const text = encodeFeed(activities, frame).replaceAll('zoë@', 'zoe@');
    const declared = (encoding: string) => text.replace("encoding='UTF-8'", `encoding='${encoding}'`);
    const utf16 = (value: string) => Buffer.from(value, 'utf16le');
    const swapped = (bytes: Buffer) => Buffer.from(bytes).swap16();
    const documents: readonly (readonly [string, Buffer])[] = [
      ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
      ['UTF-8 declared as utf8', Buffer.from(declared('utf8'))],
      ['ISO-8859-1', Buffer.from(declared('ISO-8859-1'), 'latin1')],
      ['windows-1252', Buffer.from(declared('windows-1252'), 'latin1')],
      ['UTF-16 little-endian with a mark', utf16(`\ufeff${declared('UTF-16')}`)],
      ['UTF-16 big-endian with a mark', swapped(utf16(`\ufeff${declared('UTF-16')}`))],
    ];
    for (const [name, bytes] of documents) {
      it(name, async () => {
        const { records, problems } = await read(bytes, [333]);
        expect(problems).to.deep.equal([]);
        expect(records.map(({ activity: { title } }) => title)).to.deep.equal(['Zoë £', 'Zoë £', 'Zoë £']);
        const wide = name.startsWith('UTF-16');
        for (const { position } of records) {
          const part = Buffer.from(
            bytes.subarray(position.byteOffset, position.byteOffset + position.length),
          );
          const decoded = wide
            ? new TextDecoder(name.includes('big') ? 'utf-16be' : 'utf-16le').decode(part)
            : part.toString('latin1');
          expect(decoded).to.match(/^<entry>[\s\S]*<\/entry>$/);
        }
      });
    }

    it('several in one file, one after another', async () => {
      const all = Buffer.concat(
        documents.filter(([name]) => !name.startsWith('UTF-16')).map(([, bytes]) => bytes),
      );
      const { records, problems } = await read(all, [100]);
      expect(problems).to.deep.equal([]);
      expect(records).to.have.length(12);
    });

    it('reads alike however the bytes arrive', async () => {
      const many = numbered(40).map((record) => ({
        ...record,
        title: 'Zoë £'.repeat(30),
        errors: [],
        errorCount: 0,
      }));
      const spaced = encodeFeed(many, frame).replaceAll('<entry>', `${' '.repeat(700)}<entry>`);
      for (const [encoding, bytes] of [
        ['UTF-16', utf16(`\ufeff${spaced.replace("'UTF-8'", "'UTF-16'")}`)],
        [
          'ISO-8859-1',
          Buffer.from(
            spaced.replace("'UTF-8'", "'ISO-8859-1'").replaceAll('–', '-').replaceAll('€', 'E'),
            'latin1',
          ),
        ],
      ] as const) {
        const whole = await read(bytes, [bytes.length]);
        expect(whole.problems, encoding).to.deep.equal([]);
        expect(whole.records, encoding).to.have.length(40);
        for (const size of [1000, 1500, 3001, 10_000]) expect(await read(bytes, [size])).to.deep.equal(whole);
      }
    });

    it('cut at any byte they name that byte', async () => {
      for (const [name, bytes] of documents) {
        for (let cut = bytes.length - 1400; cut < bytes.length; cut += 13) {
          const { problems } = await read(bytes.subarray(0, cut), [500]);
          expect(
            problems.map(({ code }) => code),
            `${name} at ${cut}`,
          ).to.deep.equal(['XML_TRUNCATED']);
          expect(problems[0]?.position.byteOffset, `${name} at ${cut}`).to.equal(cut);
        }
      }
    });

    it('what is left of a document whose root tag is broken keeps its encoding', async () => {
      const broken = declared('ISO-8859-1').replace('<feed xmlns="', '<feed xmlns=');
      const { records } = await read(Buffer.from(broken, 'latin1'));
      expect(records.map(({ activity: { title } }) => title)).to.deep.equal(['Zoë £', 'Zoë £', 'Zoë £']);
    });

    it('a byte that is none of its encoding is a problem at its place', async () => {
      for (const [encoding, byte] of [
        ['UTF-8', 0xe9],
        ['windows-1252', 0x81],
      ] as const) {
        const bytes = Buffer.from(declared(encoding).replaceAll('ë £', 'e'), 'latin1');
        const at = bytes.indexOf('Zoe') + 1;
        bytes[at] = byte;
        const { records, problems } = await read(bytes, [50]);
        expect(records.map(({ salvaged }) => salvaged)).to.deep.equal([true, false, false]);
        expect(problems.map(({ position }) => position.byteOffset)).to.deep.equal([at]);
      }
    });

    it('an encoding that is not known is told, and read as far as it is UTF-8', async () => {
      const { records, problems } = await read(declared('EBCDIC-US').replaceAll('ë £', ''));
      expect(problems.map(({ code }) => code)).to.deep.equal(['XML_ENCODING']);
      expect(records).to.have.length(3);
    });
  });

  describe('iterating', () => {
    it('closes its source when the consumer stops early', async () => {
      let closed = false;
      const source = (async function* () {
        try {
          await Promise.resolve();
          for (;;) yield Buffer.from(encodeFeed(numbered(1), frame));
        } finally {
          closed = true;
        }
      })();
      for await (const record of readArchive(source)) {
        expect(record.position.source).to.match(/stream/);
        break;
      }
      expect(closed).to.equal(true);
    });

    it('reads no further while a promise about a problem is not kept', async () => {
      let given = 0;
      let told = 0;
      let keep = (): void => undefined;
      const source = (async function* () {
        for (; given < 3; given++) {
          await Promise.resolve();
          yield Buffer.from('<?xml version="1.0"?><a/>'.repeat(100));
        }
      })();
      const onProblem = () => {
        told++;
        return new Promise<void>((resolve) => {
          const before = keep;
          keep = () => {
            before();
            resolve();
          };
        });
      };
      const reading = (async () => {
        for await (const record of readArchive(source, { onProblem })) expect.fail(record.activity.id);
      })();
      const turn = () => new Promise((resolve) => setTimeout(resolve, 2));
      await turn();
      const first = [given, told];
      await turn();
      expect([given, told]).to.deep.equal(first);
      expect(given).to.be.lessThan(2);
      const done = reading.then(() => true);
      while (!(await Promise.race([done, turn()]))) keep();
      expect(told).to.equal(300);
    });

    it('ends at once when it is aborted', async () => {
      const controller = new AbortController();
      const feed = Buffer.from(encodeFeed(numbered(3), frame));
      const reader = readArchive([feed, feed], { signal: controller.signal });
      const seen: string[] = [];
      try {
        for await (const record of reader) {
          seen.push(record.activity.id);
          if (seen.length === 3) controller.abort();
        }
        expect.fail('expected an error');
      } catch (error) {
        expect(error).to.be.instanceOf(TransportError);
        expect((error as TransportError).code).to.equal('ABORTED');
      }
      expect(seen).to.have.length(3);
    });
  });
});
