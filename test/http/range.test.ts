import { expect } from 'chai';
import fc from 'fast-check';
import {
  askedSpan,
  askedStart,
  contentRange,
  isEntityTag,
  rangeFrom,
  readContentRange,
  validatorOf,
} from '../../src/http/range.js';

const size = fc.integer({ min: 1, max: 50 });
const place = fc.option(fc.nat(60), { nil: undefined });

describe('byte ranges', () => {
  it('mean the bytes that each of them names, one by one', () => {
    fc.assert(
      fc.property(size, place, place, (length, first, last) => {
        const bytes = Array.from({ length }, (_, index) => index);
        const wanted =
          first === undefined
            ? bytes.slice(-(last ?? 0) || length)
            : bytes.filter((at) => at >= first && at <= (last ?? length));
        const span = askedSpan(`bytes=${first ?? ''}-${last ?? ''}`, length);
        if (first === undefined && last === undefined) expect(span).to.equal(undefined);
        else if (first !== undefined && last !== undefined && last < first) expect(span).to.equal(undefined);
        else if (wanted.length === 0) expect(span).to.equal('unsatisfiable');
        else expect(span).to.deep.equal({ start: wanted[0], end: wanted.at(-1)! + 1 });
      }),
    );
  });

  it('are written as they are read', () => {
    fc.assert(
      fc.property(size, fc.nat(49), (length, offset) => {
        fc.pre(offset < length);
        const header = rangeFrom(offset);
        expect(askedStart(header)).to.equal(offset);
        const span = askedSpan(header, length);
        expect(span).to.deep.equal({ start: offset, end: length });
        if (typeof span !== 'object') return;
        expect(readContentRange(contentRange(span, length))).to.deep.equal({ ...span, length });
      }),
    );
  });

  it('that are none, or several, ask for the whole', () => {
    for (const header of [
      null,
      '',
      'bytes',
      'bytes=',
      'bytes=-',
      'items=0-1',
      'bytes=0-1,4-5',
      'bytes=a-b',
    ]) {
      expect(askedSpan(header, 10), String(header)).to.equal(undefined);
      expect(askedStart(header)).to.equal(undefined);
    }
    expect(askedSpan('bytes=-0', 10)).to.equal('unsatisfiable');
    expect(askedStart('bytes=-5')).to.equal(undefined);
  });

  it('that cannot be true are not believed', () => {
    for (const header of [
      null,
      'bytes */10',
      'bytes 0-9/*',
      'bytes 5-4/10',
      'bytes 0-10/10',
      'items 0-9/10',
      'bytes 0-9',
      'bytes=0-9/10',
    ]) {
      expect(readContentRange(header), String(header)).to.equal(undefined);
    }
  });
});

describe('validators', () => {
  const of = (headers: Record<string, string>) => validatorOf(new Headers(headers));
  const at = (seconds: number) => new Date(1_200_000_000_000 + seconds * 1000).toUTCString();

  it('are entity tags that are not weak', () => {
    for (const tag of ['"a07e1-100"', '""', '"!#~"']) {
      expect(of({ etag: tag })).to.equal(tag);
      expect(isEntityTag(tag)).to.equal(true);
    }
    for (const tag of ['W/"a"', 'a', '"a" "b"', '"a b"', '']) {
      expect(of({ etag: tag, date: at(3600), 'last-modified': at(0) }), tag).to.equal(undefined);
      expect(isEntityTag(tag)).to.equal(false);
    }
  });

  it('are dates of modification that lie a minute back', () => {
    expect(of({ date: at(60), 'last-modified': at(0) })).to.equal(at(0));
    expect(of({ date: at(59), 'last-modified': at(0) })).to.equal(undefined);
    expect(of({ 'last-modified': at(0) })).to.equal(undefined);
    expect(of({ date: at(0), 'last-modified': 'yesterday' })).to.equal(undefined);
    expect(of({})).to.equal(undefined);
  });
});
