import { expect } from 'chai';
import fc from 'fast-check';
import { shown } from '../../src/activity/shown.js';

describe('shown', () => {
  it('is one line of bounded length, whatever the value', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(shown(value)).to.match(/^[^\n]{1,800}$/);
      }),
    );
  });

  it('is of a text the text in quotes, of a long one its beginning', () => {
    const text = 'x'.repeat(120);
    expect(shown(text)).to.equal(`"${text}"`);
    expect(shown(`${text}y`)).to.equal(`"${'x'.repeat(119)}…"`);
    expect(shown('a\n"b"')).to.equal('"a\\n\\"b\\""');
  });

  it('is of anything else its kind', () => {
    const symbol = Symbol('2');
    for (const [value, kind] of [
      [null, 'null'],
      [undefined, 'undefined'],
      [5, '5'],
      [true, 'true'],
      [2n, '2'],
      [symbol, 'Symbol(2)'],
      [['secret'], 'an array'],
      [new URL('https://user:secret@example.com'), 'a URL'],
      [new Date(0), 'a Date'],
      [{ password: 'secret' }, 'an object'],
      [() => 'secret', 'a function'],
    ] as const) {
      expect(shown(value)).to.equal(kind);
    }
  });
});
