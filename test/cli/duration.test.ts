import { expect } from 'chai';
import fc from 'fast-check';
import { isDuration, parseDuration, showDuration } from '../../src/cli/duration.js';
import { UsageError } from '../../src/activity/errors.js';

describe('duration', () => {
  const seconds = { '': 1, s: 1, m: 60, h: 3600 };

  it('is the number times its unit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.constantFrom('', 's', 'm', 'h' as const),
        (number, unit) => {
          const text = `${number}${unit}`;
          expect(isDuration(text)).to.equal(true);
          expect(parseDuration('--wait', text)).to.equal(number * 1000 * seconds[unit as 's']);
        },
      ),
    );
  });

  it('may be a fraction, and milliseconds or days', () => {
    expect(parseDuration('--wait', '1.5h')).to.equal(5_400_000);
    expect(parseDuration('--wait', '20ms')).to.equal(20);
    expect(parseDuration('--wait', '2d')).to.equal(172_800_000);
  });

  it('is nothing else, and says so with the option', () => {
    for (const text of ['', 'soon', '0', '-1', '1 h', '25d', '1e3', '10 minutes', '0x10', 'm']) {
      expect(() => parseDuration('--timeout', text), text)
        .to.throw(UsageError)
        .with.property('message')
        .that.matches(/^--timeout: must be a time such as 90s, 30m or 2h/);
    }
  });

  it('is shown in two units at most', () => {
    const shown = [0, 999, 1000, 59_999, 60_000, 125_000, 3_600_000, 4_260_000].map(showDuration);
    expect(shown).to.deep.equal([
      '0 s',
      '0 s',
      '1 s',
      '59 s',
      '1 min 00 s',
      '2 min 05 s',
      '1 h 00 min',
      '1 h 11 min',
    ]);
  });
});
