import { expect } from 'chai';
import { ServiceError } from '../../src/activity/errors.js';
import { LOSSLESS, type QuirkName } from '../../src/ws/quirks.js';
import { checkUploadForm } from '../../src/ws/upload-form.js';

/** What is said against the text with these quirks off; undefined when nothing is. */
async function said(contacts: string | Uint8Array, ...off: QuirkName[]): Promise<string | undefined> {
  const quirks = { ...LOSSLESS, ...Object.fromEntries(off.map((name) => [name, false])) };
  try {
    await checkUploadForm(typeof contacts === 'string' ? { text: contacts } : { bytes: contacts }, quirks);
    return undefined;
  } catch (error) {
    expect(error).to.be.instanceOf(ServiceError).and.include({ status: 400 });
    return (error as ServiceError).detail;
  }
}

describe('checkUploadForm', () => {
  it('says nothing with all quirks on', async () => {
    expect(await said('Email Address, email type, Custom Field1\n a@example.com, HTML, x,,\n')).to.equal(
      undefined,
    );
  });

  it('names the line with blanks around a cell, and takes those in quotes', async () => {
    const off = 'blanksAroundCells';
    for (const [text, line] of [
      ['Email Address, City\na@example.com,x', 1],
      ['Email Address,City\na@example.com, x', 2],
      ['Email Address,City\r\na@example.com,x\r\n b@example.com,x', 3],
      ['Email Address,City\ra@example.com ,x\r', 2],
      ['Email Address,City\n"a@example.com" ,x', 2],
      ['Email Address,City\na@example.com, "Boston, MA"', 2],
      ['Email Address,City\n"a@example.com","Boston,\n MA"\nb@example.com, x', 4],
    ] as const) {
      expect(await said(text, off), text).to.match(new RegExp(`^line ${line} has blanks`));
    }
    for (const text of [
      'Email Address,First Name\na@example.com,Mary Ann\n',
      'Email Address,City\na@example.com,"Boston, MA"\nb@example.com," x "',
      'Email Address,City\n\n',
    ]) {
      expect(await said(text, off), text).to.equal(undefined);
    }
  });

  it('names the line with more commas than the heading', async () => {
    const off = 'trailingCommas';
    expect(await said('Email Address,City\na@example.com,x\nb@example.com,x,\n', off)).to.equal(
      'line 3 has 3 cells, the heading 2',
    );
    expect(
      await said('Email Address,City\na@example.com,x,y\nb@example.com\nc@example.com,\n', off),
    ).to.equal(undefined);
  });

  it('names the column that is spelled otherwise, and passes over others', async () => {
    expect(await said('email address,CUSTOM FIELD 1,Shoe Size\nx', 'columnSpellings')).to.equal(undefined);
    expect(await said('Email Address,Custom Field1\nx', 'columnSpellings')).to.include('CUSTOM FIELD 1');
    expect(await said('Email Address,Email_Type\nx', 'columnSpellings')).to.equal(undefined);
    expect(await said('Email Address,Email Type\nx', 'emailTypeColumn')).to.include(
      '"Email Type" is not a column',
    );
  });

  it('does not look into a spreadsheet, and reads bytes that are not UTF-8', async () => {
    const xls = Buffer.from('d0cf11e0a1b11ae100000a20782c2079', 'hex');
    expect(await said(xls, 'blanksAroundCells', 'columnSpellings')).to.equal(undefined);
    const latin = Buffer.from('Email Address\na@example.com, \xc9ve', 'latin1');
    expect(await said(latin, 'blanksAroundCells')).to.match(/^line 2/);
  });
});
