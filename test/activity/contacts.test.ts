import { expect } from 'chai';
import { UsageError } from '../../src/activity/errors.js';
import { checkContacts } from '../../src/activity/contacts.js';
import { checkRequest, type ActivityRequest, type Contacts } from '../../src/activity/request.js';

function refusal(contacts: unknown): UsageError {
  try {
    checkContacts(contacts);
  } catch (error) {
    expect(error).to.be.instanceOf(UsageError);
    return error as UsageError;
  }
  throw new Error('expected a UsageError');
}

async function* stream() {
  await Promise.resolve();
  yield Uint8Array.of(65);
}

const GOOD: readonly Contacts[] = [
  { rows: [] },
  { rows: new Set([{ email: 'a@example.com' }]), columns: ['email'] },
  { text: '' },
  { text: 'x', fileName: 'x.txt' },
  { bytes: Buffer.from('x') },
  { bytes: new Uint8Array(), fileName: 'x.xls' },
  { file: 'x.csv' },
  { stream: stream() },
  { stream: stream(), fileName: 'x.csv' },
];

describe('checkContacts', () => {
  it('leaves good contacts as they are, and drops what is undefined', () => {
    for (const contacts of GOOD) {
      expect(checkContacts(contacts)).to.deep.equal(contacts);
      const padded = { rows: undefined, text: undefined, file: undefined, columns: undefined, ...contacts };
      expect(checkContacts(padded)).to.deep.equal(contacts);
      const request = { activityType: 'SV_ADD', contacts: padded, lists: ['2'] } as ActivityRequest;
      expect(checkRequest(request)).to.have.property('contacts').that.deep.equals(contacts);
    }
  });

  it('refuses values of the wrong kind, and says what they must be', () => {
    for (const [contacts, says] of [
      [
        { file: new URL('file:///tmp/a.csv') },
        /^file: must be the path .*fileURLToPath\(url\)\), got a URL$/,
      ],
      [{ file: 5 }, /^file: must be the path .* got 5$/],
      [{ text: 5 }, /^text: must be the text .* got 5$/],
      [{ text: Buffer.from('x') }, /^text: must be .* got an object$/],
      [{ bytes: [1] }, /^bytes: must be a Uint8Array, such as a Buffer, got an array$/],
      [{ bytes: 'x' }, /^bytes: .* got "x"$/],
      [{ rows: 5 }, /^rows: must be an array or another iterable of objects, got 5$/],
      [{ rows: 'abc' }, /^rows: .* got "abc"$/],
      [{ rows: { email: 'a@example.com' } }, /^rows: .* got an object$/],
      [{ rows: null }, /^rows: .* got null$/],
      [{ stream: 5 }, /^stream: must be an asynchronous iterable of bytes, got 5$/],
      [{ stream: () => stream() }, /^stream: .* got a function$/],
      [{ rows: [], columns: 'email' }, /^columns: must be an array of column names, got "email"$/],
      [{ rows: [], columns: ['email', 5] }, /^columns: must be an array of column names, got an array$/],
      [{ rows: [], columns: [5] }, /^columns: must be an array of column names, got an array$/],
      [{ text: 'x', fileName: 5 }, /^fileName: must be text, got 5$/],
      [{ bytes: Buffer.from('x'), fileName: new Date(0) }, /^fileName: must be text, got a Date$/],
    ] as const) {
      const error = refusal(contacts);
      expect(error.message).to.match(says);
      expect(error.code).to.equal('CONTACTS_INVALID');
    }
  });

  it('refuses fields that would not be read', () => {
    for (const [contacts, says] of [
      [
        { file: 'a.csv', fileName: 'b.csv' },
        /^contacts with file: "fileName" is not a field of it; there are file$/,
      ],
      [{ text: 'x', filename: 'b.csv' }, /did you mean fileName\?$/],
      [{ text: 'x', columns: ['email'] }, /^contacts with text: "columns" is not a field/],
      [{ rows: [], colums: ['email'] }, /did you mean columns\?$/],
    ] as const) {
      const error = refusal(contacts);
      expect(error.message).to.match(says);
      expect(error.code).to.equal('OPTION_INVALID');
    }
  });

  it('wants exactly one way', () => {
    for (const contacts of [undefined, null, 5, 'a.csv', {}, { rows: undefined }, { contacts: [] }]) {
      expect(refusal(contacts).message).to.match(/^contacts: nothing to upload/);
    }
    expect(refusal({ text: 'a', file: 'b' }).message).to.equal(
      'contacts: give one of text, file, not several',
    );
  });
});
