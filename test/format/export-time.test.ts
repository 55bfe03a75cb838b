import { expect } from 'chai';
import { exportTime } from '../../src/format/export-time.js';

describe('the time in an export', () => {
  it('is that of the east coast, summer and winter', () => {
    const time = exportTime();
    expect(time(Date.UTC(2012, 0, 4, 21, 11))).to.equal('01/04/2012 04:11 PM EST');
    expect(time(Date.UTC(2012, 6, 4, 20, 11, 59, 999))).to.equal('07/04/2012 04:11 PM EDT');
    expect(time(Date.UTC(2012, 6, 4, 20, 11))).to.equal('07/04/2012 04:11 PM EDT');
    expect(time(Date.UTC(2012, 6, 4, 4, 5))).to.equal('07/04/2012 12:05 AM EDT');
  });

  it('is that of another zone, where one is named', () => {
    expect(exportTime('America/Denver')(Date.UTC(2012, 0, 4, 21, 11))).to.equal('01/04/2012 02:11 PM MST');
    expect(() => exportTime('Mars/Olympus')).to.throw(RangeError);
  });
});
