import { expect } from 'chai';
import fc from 'fast-check';
import { activityLine, readingLine, showBytes, stageBar, transferLine } from '../../src/cli/progress.js';
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

  it('of reading tells the rate, and what is left where the whole is known', () => {
    expect(readingLine(50_000_000, 200_000_000, 400)).to.equal(
      '[#####---------------] 25 %  50.0 MB of 200.0 MB',
    );
    expect(readingLine(50_000_000, 200_000_000, 1000)).to.equal(
      '[#####---------------] 25 %  50.0 MB of 200.0 MB, 50.0 MB/s, 3 s left',
    );
    expect(readingLine(200_000_000, 200_000_000, 1000)).to.match(/of 200\.0 MB, 200\.0 MB\/s$/);
    expect(readingLine(3_500_000_000, undefined, 2000)).to.equal('3.5 GB, 1.8 GB/s');
    expect(readingLine(0, 100, 60_000)).to.match(/0 bytes of 100 bytes$/);
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
