import { expect } from 'chai';
import fc from 'fast-check';
import { leafTable, XmlEvent, XmlReader } from '../../src/format/xml-reader.js';
import { vocabulary } from '../../src/ws/names.js';
import {
  commonLeafText,
  leafCount,
  leafInstant,
  leafText,
  readCount,
  readInstant,
  trimSpace,
} from '../../src/ws/text-values.js';

/** A reader at the leaf of this text. */
function atLeaf(text: string): XmlReader {
  const name = vocabulary.name('', 'leaf');
  const reader = new XmlReader({ vocabulary, leaves: leafTable([name]), longestLeaf: 65_536 });
  reader.push(Buffer.from(`<root><leaf>${text}</leaf></root>`));
  reader.end();
  expect(reader.read()).to.equal(XmlEvent.StartElement);
  expect(reader.read()).to.equal(XmlEvent.Leaf);
  return reader;
}

/** What `read` makes of it, and what it complains of. */
function outcome<T>(read: (problem: (message: string) => void) => T): { value: T; problems: string[] } {
  const problems: string[] = [];
  const value = read((message) => problems.push(message));
  return { value, problems };
}

const space = fc.array(fc.constantFrom(' ', '\t', '\n'), { maxLength: 3 }).map((all) => all.join(''));
const digits = fc.array(fc.constantFrom(...'0123456789'), { maxLength: 17 }).map((all) => all.join(''));
const nearCount = fc
  .tuple(digits, fc.constantFrom('', 'x', '-', '/', ':', '.', ' '), digits)
  .map((parts) => parts.join(''));
const date = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
const nearInstant = fc
  .tuple(date, fc.constantFrom('', 'x', 'Z', ' '), fc.nat(30))
  .map(([when, more, cut]) => {
    const iso = when.toISOString();
    return cut > 24 ? iso + more : iso.slice(0, cut) + more + iso.slice(cut);
  });

describe('the text of an element', () => {
  it('is trimmed of what XML takes for white space, and of nothing else', () => {
    const within = fc
      .array(fc.constantFrom('a', ' ', '\t', '\r', '\n', '\u00a0', '\u2003'))
      .map((all) => all.join(''));
    fc.assert(
      fc.property(within, (text) => {
        expect(trimSpace(text)).to.equal(text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''));
      }),
    );
  });

  it('is the same as a leaf, read at once, as when it is read from its pieces', () => {
    fc.assert(
      fc.property(space, fc.oneof(nearCount, nearInstant), space, (before, text, after) => {
        const written = before + text + after;
        expect(leafText(atLeaf(written))).to.equal(trimSpace(written));
        expect(commonLeafText(atLeaf(written))).to.equal(trimSpace(written));
        expect(outcome((problem) => leafCount('Errors', atLeaf(written), problem))).to.deep.equal(
          outcome((problem) => readCount('Errors', trimSpace(written), problem)),
        );
        expect(outcome((problem) => leafInstant('updated', atLeaf(written), problem))).to.deep.equal(
          outcome((problem) => readInstant('updated', trimSpace(written), problem)),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('is a count when it is one to fifteen digits; else a problem, or, empty, nothing', () => {
    fc.assert(
      fc.property(nearCount, (text) => {
        const { value, problems } = outcome((problem) => readCount('Errors', text, problem));
        const isCount =
          text !== '' && text.length <= 15 && [...text].every((char) => char >= '0' && char <= '9');
        expect(value).to.equal(isCount ? Number(text) : undefined);
        expect(problems).to.deep.equal(
          isCount || text === '' ? [] : [`Errors: "${text}" is not a whole number`],
        );
      }),
    );
    expect(outcome((problem) => readCount('Errors', 'x'.repeat(100), problem)).problems).to.deep.equal([
      `Errors: "${'x'.repeat(60)}" is not a whole number`,
    ]);
  });

  it('is an instant when it is the date and time that was written; else a problem, or, empty, nothing', () => {
    fc.assert(
      fc.property(date, (when) => {
        const written = when.toISOString();
        expect(outcome((problem) => readInstant('updated', written, problem))).to.deep.equal({
          value: when,
          problems: [],
        });
      }),
    );
    expect(outcome((problem) => readInstant('updated', '', problem))).to.deep.equal({
      value: undefined,
      problems: [],
    });
    expect(outcome((problem) => readInstant('updated', 'x'.repeat(100), problem))).to.deep.equal({
      value: undefined,
      problems: [`updated: "${'x'.repeat(60)}" is not a date and time`],
    });
  });
});
