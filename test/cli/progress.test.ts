import { expect } from 'chai';
import fc from 'fast-check';
import { activityLine, showBytes, stageBar, transferLine } from '../../src/cli/progress.js';
import { anActivity } from '../support/stub-service.js';

describe('progress', () => {
  it('fills a bar as an activity goes on', () => {
    const bars = ['UNCONFIRMED', 'PENDING', 'QUEUED', 'RUNNING', 'COMPLETE', undefined].map(stageBar);
    expect(bars).to.deep.equal(['□□□□', '■□□□', '■■□□', '■■■□', '■■■■', '□□□□']);
    expect(activityLine(anActivity({ id: 'a07e', status: 'RUNNING' }), 12_000)).to.equal(
      'a07e ■■■□ RUNNING, 12 s',
    );
  });

  it('of a transfer is a bar of 20, never more than full, and never less than before', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1 }), (a, b, whole) => {
        const filled = (bytes: number) => transferLine(bytes, whole).split('#').length - 1;
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        expect(transferLine(more, whole)).to.match(/^\[#*-*\] \d+ % {2}/);
        expect(transferLine(more, whole).indexOf(']')).to.equal(21);
        expect(filled(less)).to.be.at.most(filled(more));
        expect(filled(Math.max(more, whole))).to.equal(20);
      }),
    );
    expect(transferLine(500_000, 2_000_000)).to.equal('[#####---------------] 25 %  500.0 kB of 2.0 MB');
  });

  it('of a transfer of unknown size is the bytes alone', () => {
    expect(transferLine(812, undefined)).to.equal('812 bytes');
    expect(transferLine(0, 0)).to.equal('0 bytes');
  });

  it('shows bytes in the unit that fits', () => {
    expect([1, 999, 34_100, 2_000_000].map(showBytes)).to.deep.equal([
      '1 byte',
      '999 bytes',
      '34.1 kB',
      '2.0 MB',
    ]);
  });
});
