import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { safeFileName } from '../../src/http/file-name.js';

describe('safeFileName', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc
      .array(
        fc.constantFrom(
          '..',
          '.',
          '/',
          '\\',
          'C:',
          ' ',
          '-',
          'con',
          'COM1',
          '\0',
          '\u202e',
          'a',
          '.csv',
          '%2f',
        ),
      )
      .map((parts) => parts.join('')),
  );

  it('is always one plain name inside its folder, and safe to use again', () => {
    fc.assert(
      fc.property(nasty, (name) => {
        const safe = safeFileName(name);
        for (const system of [path.posix, path.win32]) {
          expect(system.basename(safe)).to.equal(safe);
          expect(system.dirname(system.resolve('/folder', safe))).to.equal(system.resolve('/folder'));
        }
        expect(safe)
          .to.match(/^[^\s.-]/)
          .and.match(/[^\s.]$/);
        expect(safe).not.to.match(/[<>:"|?*\p{Cc}\p{Cf}\p{Cs}]/u);
        expect(safe).not.to.match(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
        expect(Buffer.byteLength(safe)).to.be.within(1, 201);
        expect(safeFileName(safe)).to.equal(safe);
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves the names the service gives as they are', () => {
    for (const name of [
      'a07e1gpfcd3fhysynnp.csv',
      'contacts 2011.txt',
      'Kunden Ä.csv',
      '顧客.csv',
      'a-b_c.tar.gz',
    ]) {
      expect(safeFileName(name)).to.equal(name);
    }
  });

  it('takes the last segment that says anything', () => {
    expect(safeFileName('https://api.constantcontact.com/ws/activities/a07.csv')).to.equal('a07.csv');
    expect(safeFileName('../../etc/passwd')).to.equal('passwd');
    expect(safeFileName('C:\\Windows\\system.ini')).to.equal('system.ini');
    expect(safeFileName('C:x.csv')).to.equal('x.csv');
    expect(safeFileName('folder/')).to.equal('folder');
    expect(safeFileName('.. ')).to.equal('download');
    expect(safeFileName('')).to.equal('download');
  });

  it('disarms hidden files, options, devices and text that runs backwards', () => {
    expect(safeFileName('.bashrc')).to.equal('bashrc');
    expect(safeFileName('-rf')).to.equal('rf');
    expect(safeFileName('nul.csv')).to.equal('_nul.csv');
    expect(safeFileName('COM¹')).to.equal('_COM¹');
    expect(safeFileName('console.csv')).to.equal('console.csv');
    expect(safeFileName('x\u202evsc.exe')).to.equal('xvsc.exe');
    expect(safeFileName('a<b>:c?.csv. .')).to.equal('a_b__c_.csv');
  });

  it('shortens long names and keeps their extension', () => {
    const safe = safeFileName(`${'ä'.repeat(300)}.csv`);
    expect(Buffer.byteLength(safe)).to.be.within(190, 200);
    expect(safe).to.match(/^ä+\.csv$/);
    expect(safeFileName('x'.repeat(500))).to.equal('x'.repeat(200));
  });
});
