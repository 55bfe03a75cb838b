import { expect } from 'chai';
import fc from 'fast-check';
import { encodeFeed } from '../../src/ws/records.js';
import { runs } from '../support/runs.js';
import { frame, ids, numbered, read } from './reading.js';

/** An entry as somebody might have pasted it into another. */
const EMBEDDED =
  '<entry xmlns="http://www.w3.org/2005/Atom"><id>http://x.example.com/activities/a07e1fake</id>' +
  '<content><Activity><Type>SV_ADD</Type></Activity></content></entry>';

describe('readArchive, of what looks like a record', () => {
  const xml = encodeFeed(numbered(3), frame);
  /** The feed with this put into the second entry, where that is damaged too. */
  const withDamage = (inside: string, damage = '<Wrong>') =>
    xml.replace('<TransactionCount>1<', `${inside}${damage}<TransactionCount>1<`);

  for (const [name, inside] of [
    ['a CDATA section', `<FileName><![CDATA[${EMBEDDED}]]></FileName>`],
    ['a comment', `<!-- ${EMBEDDED} -->`],
    ['an instruction', `<?keep ${EMBEDDED.replaceAll('?', '')}?>`],
    ['a comment with the tags of CDATA', `<!-- <![CDATA[ ${EMBEDDED} -->`],
    ['CDATA with the tags of a comment', `<FileName><![CDATA[<!-- ${EMBEDDED}]]></FileName>`],
  ] as const) {
    it(`reads none out of ${name} of a damaged entry`, async () => {
      for (const damage of [`${inside}<Wrong>`, `<Wrong>${inside}`, `${inside}&`]) {
        const { records, problems } = await read(withDamage(damage, ''), [100]);
        expect(ids(records)).to.deep.equal(['a07e10', 'a07e11', 'a07e12']);
        expect(records.map(({ salvaged }) => salvaged)).to.deep.equal([false, true, false]);
        expect(problems).to.have.length(1);
      }
    });
  }

  it('reads none out of a comment between entries that comes before damage', async () => {
    const broken = xml.replace('</entry><entry>', `</entry><!-- ${EMBEDDED} --><entry a=1>`);
    const { records } = await read(broken);
    expect(ids(records)).to.deep.equal(['a07e10', 'a07e11', 'a07e12']);
    expect(records.map(({ salvaged }) => salvaged)).to.deep.equal([false, true, false]);
  });

  for (const [name, inside] of [
    ['a comment that is none', `<!-- not -- so: ${EMBEDDED}${EMBEDDED} -->`],
    ['CDATA within CDATA', `<FileName><![CDATA[${EMBEDDED}${EMBEDDED}<![CDATA[${EMBEDDED}]]></FileName>`],
    ['an instruction within another', `<?keep <?this?> ${EMBEDDED}${EMBEDDED}?>`],
    ['a very long comment', `<!-- ${' '.repeat(70_000)}${EMBEDDED}${' '.repeat(70_000)}${EMBEDDED} -->`],
  ] as const) {
    it(`marks what it reads out of ${name}`, async () => {
      for (const size of [100, 1_000_000]) {
        const { records, tally } = await read(withDamage(inside), [size]);
        const fake = records.filter(({ activity: { id } }) => id === 'a07e1fake');
        expect(fake).to.have.length(2);
        for (const { salvaged, problems } of fake) {
          expect(salvaged).to.equal(true);
          expect(problems.map(({ message }) => message).join()).to.match(/may stand inside|read as far/);
        }
        expect(ids(records.filter(({ salvaged }) => !salvaged))).to.deep.equal(['a07e10', 'a07e12']);
        expect(tally.salvaged).to.equal(3);
      }
    });
  }

  it('marks what follows a comment between entries that is none, up to its end', async () => {
    const broken = xml.replace('</entry><entry>', `</entry><!-- not -- so: ${EMBEDDED} --><entry>`);
    const { records } = await read(broken, [77]);
    expect(records.map(({ activity: { id }, salvaged }) => [id, salvaged])).to.deep.equal([
      ['a07e10', false],
      ['a07e1fake', true],
      ['a07e11', false],
      ['a07e12', false],
    ]);
  });

  it('loses no entry behind a comment that was cut off', async () => {
    for (const opening of ['<!-- cut', '<![CDATA[ cut', '<?cut']) {
      for (const text of [withDamage('', opening), withDamage('', opening).slice(0, -20)]) {
        const { records, problems } = await read(text, [333]);
        expect(ids(records)).to.deep.equal(['a07e10', 'a07e11', 'a07e12']);
        expect(records.map(({ salvaged }) => salvaged)).to.deep.equal([false, true, true]);
        expect(problems.length).to.be.within(1, 3);
      }
    }
  });

  it('reads alike however the bytes arrive, with sections anywhere', async () => {
    const whole = Buffer.from(xml);
    const change = fc.record({
      at: fc.nat({ max: whole.length - 1 }),
      put: fc.constantFrom(
        '<!--',
        '-->',
        '<![CDATA[',
        ']]>',
        '<?pi ',
        '?>',
        '--',
        '<entry>',
        '</entry>',
        '<?xml ',
        '<feed>',
        '&',
      ),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
        async (changes, sizes) => {
          let bytes: Buffer = whole;
          for (const { at, put } of changes) {
            bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(at)]);
          }
          expect(await read(bytes, sizes)).to.deep.equal(await read(bytes, [bytes.length]));
        },
      ),
      { numRuns: runs(300) },
    );
  });
});

describe('readArchive, of UTF-16 with bytes missing', () => {
  const plain = encodeFeed(numbered(8), frame).replace("'UTF-8'", "'UTF-16'");
  const text = plain.replaceAll('<entry>', '\n  <entry>');
  const prefixed = text
    .replaceAll(/<(\/?)(feed|entry|id|title|content|author|name|link|updated)\b/g, '<$1atom:$2')
    .replace('xmlns="http://www.w3.org/2005/Atom"', 'xmlns:atom="http://www.w3.org/2005/Atom"');
  const little = (value: string) => Buffer.from(`\ufeff${value}`, 'utf16le');
  const documents = [little(text), little(text).swap16(), little(prefixed)];
  const all = ids((numbered(8) as never[]).map((activity) => ({ activity }) as never));

  it('loses no other entry than those that bytes were lost of', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...documents),
        fc.uniqueArray(fc.nat({ max: 7 }), { minLength: 1, maxLength: 3 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.constantFrom(1, 3, -1),
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 3 }),
        async (document, which, share, lost, sizes) => {
          let bytes = document;
          // From the last one on, so that the places of the others stay what they are.
          for (const n of [...which].sort((a, b) => b - a)) {
            const at = placesOf(document)[n]! + 2 * Math.floor((share * lengthOf(document, n)) / 2);
            const rest = lost > 0 ? document.subarray(0, 0) : Buffer.from('x');
            bytes = Buffer.concat([bytes.subarray(0, at), rest, bytes.subarray(at + Math.max(0, lost))]);
          }
          const { records, problems } = await read(bytes, sizes);
          const good = ids(records.filter(({ salvaged }) => !salvaged));
          const others = all.filter((_, n) => !which.includes(n));
          expect(good).to.include.members(others);
          expect(problems.length).to.be.at.least(1);
          expect(await read(bytes)).to.deep.equal({ records, problems, tally: (await read(bytes)).tally });
          for (const { position, salvaged } of records) {
            const entry = bytes.subarray(position.byteOffset, position.byteOffset + position.length);
            const big = document[0] === 0xfe;
            const shown = new TextDecoder(big ? 'utf-16be' : 'utf-16le').decode(entry);
            if (!salvaged) expect(shown).to.match(/^<(?:atom:)?entry>[^]*entry>$/);
          }
        },
      ),
      { numRuns: runs(100) },
    );
  });

  it('reads the documents behind such a one', async () => {
    const [document = Buffer.alloc(0)] = documents;
    for (const at of [3, 60, 333, document.length - 9]) {
      const broken = Buffer.concat([document.subarray(0, at), document.subarray(at + 1), document]);
      const { records } = await read(broken, [500]);
      expect(ids(records).slice(-8), String(at)).to.deep.equal(all);
    }
  });

  it('tells a half of a character behind a document', async () => {
    for (const document of documents) {
      const bytes = Buffer.concat([document, Buffer.from([0x0a])]);
      const { records, problems } = await read(bytes, [100]);
      expect(ids(records.filter(({ salvaged }) => !salvaged))).to.deep.equal(all);
      expect(problems.map(({ code, position }) => [code, position.byteOffset])).to.deep.equal([
        ['XML_TRUNCATED', bytes.length],
      ]);
    }
  });

  it('takes no other words for tags', async () => {
    const words = 'entry entries </entry> <entryx> <!entry entry'.replaceAll(/./g, (letter) =>
      String.fromCharCode(letter.charCodeAt(0) << 8),
    );
    const { records, problems } = await read(little(text.replace('No. 3', words)), [100]);
    expect([ids(records), problems]).to.deep.equal([all, []]);
  });

  const find = (document: Buffer, tag: string) => {
    const pattern = Buffer.from(tag, 'utf16le');
    if (document[0] === 0xfe) pattern.swap16();
    const found: number[] = [];
    for (let at = document.indexOf(pattern); at >= 0; at = document.indexOf(pattern, at + 1)) found.push(at);
    return found;
  };
  const open = (document: Buffer) => (document === documents[2] ? '<atom:entry>' : '<entry>');
  const placesOf = (document: Buffer) => find(document, open(document));
  const lengthOf = (document: Buffer, n: number) =>
    find(document, open(document).replace('<', '</'))[n]! - placesOf(document)[n]!;
});

describe('readArchive, of entries that are not as they should be', () => {
  const [one] = numbered(1);
  const xml = encodeFeed(numbered(2), frame);

  it('passes over entries without an Activity, and counts them', async () => {
    const bare = '<entry><id>http://x.example.com/activities/a07e1bare</id><updated>never</updated></entry>';
    const empty = bare.replace('</entry>', '<content/></entry>');
    const { records, problems, tally } = await read(xml.replace('</feed>', `${bare}${empty}</feed>`));
    expect(ids(records)).to.deep.equal(['a07e10', 'a07e11']);
    expect([problems, tally.otherEntries]).to.deep.equal([[], 2]);
  });

  it('makes no activity of a damaged contact or list', async () => {
    for (const kind of ['contacts', 'lists']) {
      const other = `<entry><id>http://x.example.com/ws/customers/joe/${kind}/7</id><title>Fred</Title></entry>`;
      const { records, problems } = await read(xml.replace('</feed>', `${other}</feed>`));
      expect(ids(records)).to.deep.equal(['a07e10', 'a07e11']);
      expect(problems.map(({ message }) => message).join()).to.include(' bytes from byte ');
    }
  });

  it('salvages an entry that is nested too deep', async () => {
    for (const field of [`<title type="text">${one?.title ?? ''}`, '<Type>ADD_CONTACTS']) {
      const { records, problems } = await read(xml.replace(field, `${field}${'<b>'.repeat(100_000)}`));
      expect(ids(records)).to.deep.equal(['a07e10', 'a07e11']);
      expect(records.map(({ salvaged }) => salvaged)).to.deep.equal([true, false]);
      expect(problems.map(({ code }) => code)).to.deep.equal(['XML_LIMIT']);
    }
  });

  it('marks all of a document in an encoding that is not known', async () => {
    const unknown = xml.replace("encoding='UTF-8'", "encoding='x-mac-roman'").replaceAll(/[^\n -~]/g, '');
    for (const damage of [
      unknown,
      unknown.replace('<feed ', '<feed a '),
      unknown.replace('<title', '<titel'),
    ]) {
      const { records, problems } = await read(`\n${damage}\n${xml}`, [77]);
      expect(records.map(({ salvaged }) => salvaged)).to.deep.equal([true, true, false, false]);
      for (const record of records.slice(0, 2)) expect(record.problems).to.include(problems[0]);
      expect(problems[0]).to.have.property('code', 'XML_ENCODING');
      const { byteOffset, line, column } = problems[0]!.position;
      expect([byteOffset, line, column]).to.deep.equal([
        1 + damage.indexOf('x-mac'),
        2,
        1 + damage.indexOf('x-mac'),
      ]);
    }
  });
});
