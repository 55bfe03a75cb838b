import { expect } from 'chai';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { RelaxNGValidator, XmlDocument } from 'libxml2-wasm';
import { encodeEntry, encodeFeed, encodeLists, type DocumentFrame } from '../../src/ws/records.js';
import { accountUris, DOCUMENTED_ORIGIN } from '../../src/ws/uris.js';
import { encodeContact, encodeContacts } from '../../src/ws/directory-records.js';
import { activity, contactList, directoryContact } from '../support/arbitraries.js';
import { fixtures, splitMessage } from '../support/fixtures.js';

const frame: DocumentFrame = {
  uris: accountUris(DOCUMENTED_ORIGIN, 'joesflowers'),
  user: 'joesflowers',
  updated: new Date('2008-04-29T19:31:00.545Z'),
};

/** Documents that are read though the schema, which says what the service meant to write, does not have them. */
const OUTSIDE_THE_SCHEMA: Readonly<Record<string, string>> = {
  'entry-bad-values': 'its dates and numbers are none',
  'entry-export-documented': 'not well-formed',
  'entry-errors-plain': 'an Error as bare text',
  'entry-markup-inside-id': 'markup inside an id',
  'entry-prefixed': 'a foreign element, and a date without a time',
  'entry-truncated': 'not well-formed',
  'feed-mixed': 'contacts and activities in one feed',
  'feed-without-ctct-namespace': 'the namespace is missing',
  'feed-without-namespaces': 'the namespaces are missing',
  'lists-without-namespace': 'the namespace is missing',
  'not-atom': 'HTML',
};

describe('schemas/ws/documents.rng', () => {
  const schema = XmlDocument.fromString(
    readFileSync(new URL('../../schemas/ws/documents.rng', import.meta.url), 'utf8'),
  );
  const validator = RelaxNGValidator.fromDoc(schema);
  after(() => {
    validator.dispose();
    schema.dispose();
  });

  const accepts = (xml: string): boolean => {
    let document: XmlDocument | undefined;
    try {
      document = XmlDocument.fromString(xml);
      validator.validate(document);
      return true;
    } catch {
      return false;
    } finally {
      document?.dispose();
    }
  };

  it('accepts every feed and entry of activities that is written', () => {
    fc.assert(
      fc.property(fc.array(activity, { maxLength: 4 }), (records) => {
        const links = { next: '?next=a07e1', first: 'a', current: 'b' };
        expect(accepts(encodeFeed(records, frame, links))).to.equal(true);
        for (const record of records) expect(accepts(encodeEntry(record, frame))).to.equal(true);
      }),
    );
  });

  it('accepts every feed of lists that is written', () => {
    fc.assert(
      fc.property(fc.array(contactList, { minLength: 1, maxLength: 4 }), (lists) => {
        expect(accepts(encodeLists(lists, frame))).to.equal(true);
      }),
    );
  });

  it('accepts every document of the neighbouring collections, and of the quirks', () => {
    let count = 0;
    for (const fixture of fixtures('ws/directory')) {
      const { headers, body } = splitMessage(fixture.bytes('response.http'));
      if (!/^application\/atom(?:svc)?\+xml/.test(headers['content-type'] ?? '')) continue;
      expect(accepts(body.toString()), fixture.name).to.equal(true);
      count += 1;
    }
    for (const fixture of fixtures('ws/quirks')) {
      for (const file of ['on.http', 'off.http']) {
        const { headers, body } = splitMessage(fixture.bytes(file));
        if (headers['content-type']?.startsWith('application/atom+xml') !== true) continue;
        expect(accepts(body.toString()), `${fixture.name} ${file}`).to.equal(true);
        count += 1;
      }
    }
    expect(count).to.be.above(60);
  });

  it('accepts every contact that is written', () => {
    fc.assert(
      fc.property(fc.array(directoryContact, { minLength: 1, maxLength: 3 }), (contacts) => {
        expect(accepts(encodeContacts(contacts, frame))).to.equal(true);
        for (const contact of contacts) expect(accepts(encodeContact(contact, frame))).to.equal(true);
      }),
      { numRuns: 40 },
    );
  });

  it('accepts the documents that were seen, but for those that are broken', () => {
    const refused = fixtures('ws/records').filter(
      (fixture) => !accepts(fixture.bytes('document.xml').toString('utf8')),
    );
    expect(refused.map(({ name }) => name)).to.deep.equal(Object.keys(OUTSIDE_THE_SCHEMA).sort());
  });

  it('refuses what is not of the dialect', () => {
    const good = encodeEntry(
      {
        id: 'a07e1',
        type: 'ADD_CONTACTS',
        status: 'COMPLETE',
        errors: [{ lineNumber: 2, emailAddress: 'ann@example.com', message: 'Invalid email' }],
        errorCount: 1,
        fileName: '',
        transactionCount: 3,
        insertTime: new Date(0),
        runStartTime: new Date(0),
        runFinishTime: new Date(0),
        updated: new Date(0),
        title: '',
        editMedia: undefined,
      },
      frame,
    );
    expect(accepts(good)).to.equal(true);
    for (const [what, instead] of [
      ['<Type>', '<Kind>'],
      ['<LineNumber>2<', '<LineNumber>two<'],
      ['1970-01-01T00:00:00.000Z</InsertTime>', 'yesterday</InsertTime>'],
      ['http://ws.constantcontact.com/ns/1.0/', 'http://example.com/'],
      ['rel="edit"', 'rel="alternate"'],
    ] as const) {
      const bad = good
        .replace(what, instead)
        .replace('</Type>', instead === '<Kind>' ? '</Kind>' : '</Type>');
      expect(bad).not.to.equal(good);
      expect(accepts(bad), instead).to.equal(false);
    }
  });
});
