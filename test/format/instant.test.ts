import { expect } from 'chai';
import fc from 'fast-check';
import { formatInstant, parseInstant, parseInstantBytes } from '../../src/format/instant.js';

const anyDate = fc.date({
  min: new Date('0000-01-01T00:00:00.000Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
});

describe('parseInstant', () => {
  it('undoes formatInstant', () => {
    fc.assert(
      fc.property(anyDate, (date) => {
        const text = formatInstant(date);
        expect(text).to.have.length(24);
        expect(parseInstant(text)?.getTime()).to.equal(date.getTime());
      }),
      { numRuns: 500 },
    );
  });

  it('agrees with Date.parse on every spelling of a date that exists', () => {
    const spelling = fc.tuple(
      anyDate,
      fc.integer({ min: 0, max: 999_999_999 }),
      fc.integer({ min: 0, max: 9 }),
      fc.constantFrom('Z', '+00:00', '-00:00', '+05:30', '-11:45', '+14:00'),
      fc.constantFrom('', ' ', '\n\t'),
    );
    fc.assert(
      fc.property(spelling, ([date, fraction, length, zone, space]) => {
        const digits = String(fraction).padStart(9, '0').slice(0, length);
        const text = `${formatInstant(date).slice(0, 19)}${length > 0 ? `.${digits}` : ''}${zone}`;
        const expected = new Date(Date.parse(text));
        const year = expected.getUTCFullYear();
        expect(parseInstant(space + text + space)?.getTime()).to.equal(
          year < 0 || year > 9999 ? undefined : expected.getTime(),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('knows exactly the days that the calendar has', () => {
    for (const year of ['1900', '2000', '2007', '2008', '0000', '0099']) {
      for (let month = 0; month <= 13; month++) {
        for (let day = 0; day <= 32; day++) {
          const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
          const date = new Date(`${text}T00:00:00.000Z`);
          // Date takes 2008-02-30 for the first of March.
          const exists = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
          expect(parseInstant(text)?.getTime(), text).to.equal(exists ? date.getTime() : undefined);
          expect(parseInstant(`${text}T00:00:00.000Z`)?.getTime(), text).to.equal(
            exists ? date.getTime() : undefined,
          );
        }
      }
    }
  });

  it('takes a date alone for midnight UTC', () => {
    expect(parseInstant('2008-04-16')).to.deep.equal(new Date('2008-04-16T00:00:00.000Z'));
  });

  it('takes the first three digits of a fraction, and rounds nothing', () => {
    expect(parseInstant('2008-04-29T19:36:10.9489Z')?.getUTCMilliseconds()).to.equal(948);
    expect(parseInstant('2008-04-29T19:36:10.5Z')?.getUTCMilliseconds()).to.equal(500);
  });

  it('finds no instant in anything else', () => {
    const nothing = [
      '',
      ' ',
      'yesterday',
      '2008',
      '2008-04',
      '2008-13-45',
      '2008-02-30',
      '2008-4-6',
      '2008-04-29T',
      '2008-04-29T19:36:10',
      '2008-04-29T19:36Z',
      '2008-04-29T24:00:00Z',
      '2008-04-29T19:60:00Z',
      '2008-04-29T19:36:60Z',
      '2008-04-29T19:36:10.Z',
      '2008-04-29T19:36:10.1234567890Z',
      '2008-04-29T19:36:10+24:00',
      '2008-04-29T19:36:10+02:60',
      '2008-04-29T19:36:10.948Zx',
      '2008-04-29X19:36:10.948Z',
      '2008-04-29T19:36:1a.948Z',
      '2008-04-29T19:36:10.9a8Z',
      '2oo8-04-29T19:36:10.948Z',
      '2008-04-29T25:36:10.948Z',
      '+02008-04-29T19:36:10.948Z',
      '-000001-01-01T00:00:00Z',
      '0000-01-01T00:00:00+00:01',
      '9999-12-31T23:59:59-00:01',
      '２００８-04-29T19:36:10.948Z',
    ];
    for (const text of nothing) expect(parseInstant(text), text).to.equal(undefined);
  });

  it('never throws, and finds only instants in years 0000 to 9999', () => {
    const garbled = fc.string({ unit: fc.constantFrom(...'0123456789-:TZ.+ '), maxLength: 30 });
    fc.assert(
      fc.property(garbled, (text) => {
        const year = parseInstant(text)?.getUTCFullYear() ?? 0;
        expect(year).to.be.within(0, 9999);
      }),
    );
  });
});

describe('formatInstant', () => {
  it('refuses an invalid date', () => {
    expect(() => formatInstant(new Date(NaN))).to.throw(RangeError);
  });
});

describe('parseInstantBytes', () => {
  const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

  it('undoes formatInstant, wherever the bytes stand', () => {
    fc.assert(
      fc.property(anyDate, fc.nat(5), (date, before) => {
        const bytes = Buffer.from(`${' '.repeat(before)}${formatInstant(date)}7`);
        expect(parseInstantBytes(viewOf(bytes), before)?.getTime()).to.equal(date.getTime());
      }),
      { numRuns: 500 },
    );
  });

  it('finds in 24 characters what parseInstant finds, or nothing where they are not as the service writes them', () => {
    const damage = fc.tuple(fc.nat(23), fc.constantFrom(...'0123456789/:-TtZz .+'));
    fc.assert(
      fc.property(anyDate, fc.array(damage, { maxLength: 2 }), (date, places) => {
        const bytes = Buffer.from(formatInstant(date));
        for (const [at, char] of places) bytes.write(char, at);
        const text = bytes.toString();
        const exact = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text);
        expect(parseInstantBytes(viewOf(bytes), 0)).to.deep.equal(exact ? parseInstant(text) : undefined);
      }),
      { numRuns: 2000 },
    );
  });
});
