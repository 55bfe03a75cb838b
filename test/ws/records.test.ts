import { expect } from 'chai';
import fc from 'fast-check';
import { DecodeError } from '../../src/activity/errors.js';
import { AtomReader } from '../../src/ws/atom.js';
import { ActivityContent } from '../../src/ws/activity-element.js';
import {
  activityReader,
  decodeEntry,
  decodeFeed,
  decodeLists,
  encodeEntry,
  encodeFeed,
  encodeLists,
  encodeMinimalEntry,
  type DocumentFrame,
} from '../../src/ws/records.js';
import { QUIRK_NAMES, type QuirkSet } from '../../src/ws/quirks.js';
import { salvageActivity } from '../../src/ws/salvage.js';
import { accountUris, DOCUMENTED_ORIGIN } from '../../src/ws/uris.js';
import { activity, contactList, userName } from '../support/arbitraries.js';
import { fixtures, plain } from '../support/fixtures.js';

/** What stands in the content of an entry, errors aside. */
const ACTIVITY = [
  ...(['type', 'status', 'fileName', 'transactionCount'] as const),
  ...(['insertTime', 'runStartTime', 'runFinishTime'] as const),
];

const frame: DocumentFrame = {
  uris: accountUris(DOCUMENTED_ORIGIN, 'joesflowers'),
  user: 'joesflowers',
  updated: new Date('2008-04-29T19:31:00.545Z'),
};

interface Expected {
  readonly root: 'feed' | 'entry' | 'lists';
  readonly record?: unknown;
  readonly records?: readonly { record: unknown; problems: readonly string[] }[];
  readonly problems?: readonly string[];
  readonly next?: string;
  readonly otherEntries?: number;
  readonly error?: { readonly code: string; readonly byteOffset?: number };
  readonly salvaged?: unknown;
}

const messages = ({ record, problems }: { record: unknown; problems: readonly { message: string }[] }) => ({
  record: plain(record),
  problems: problems.map((problem) => problem.message),
});

function decode(root: Expected['root'], bytes: Uint8Array): unknown {
  if (root === 'entry') {
    const { record, problems } = messages(decodeEntry(bytes, { source: 'document.xml' }));
    return { root, record, problems };
  }
  const feed = (root === 'feed' ? decodeFeed : decodeLists)(bytes, { source: 'document.xml' });
  const { next, otherEntries } = feed;
  return plain({ root, next, otherEntries, records: feed.records.map(messages) });
}

describe('ws records', () => {
  describe('documents as they were seen', () => {
    for (const fixture of fixtures('ws/records')) {
      it(fixture.name, () => {
        const { error, salvaged, ...expected } = fixture.json('expected.json') as Expected;
        const bytes = fixture.bytes('document.xml');
        if (error === undefined) {
          expect(decode(expected.root, bytes)).to.deep.equal(expected);
        } else {
          const thrown = catchDecodeError(() => decode(expected.root, bytes));
          expect(thrown.code).to.equal(error.code);
          expect(thrown.message).to.match(/^document\.xml/);
          if (error.byteOffset !== undefined) expect(thrown.position?.byteOffset).to.equal(error.byteOffset);
        }
        if (salvaged !== undefined) {
          expect(plain(salvageActivity(bytes.toString('utf8'))?.activity)).to.deep.equal(salvaged);
        }
      });
    }

    it('are read alike however their bytes arrive', () => {
      for (const fixture of fixtures('ws/records')) {
        const bytes = fixture.bytes('document.xml');
        const whole = readInPieces(bytes, [bytes.length]);
        fc.assert(
          fc.property(fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1 }), (sizes) => {
            expect(readInPieces(bytes, sizes)).to.deep.equal(whole);
          }),
          { numRuns: 5 },
        );
        expect(readInPieces(bytes, [1])).to.deep.equal(whole);
      }
    });
  });

  describe('laws', () => {
    it('decodeEntry(encodeEntry(activity)) is the activity', () => {
      fc.assert(
        fc.property(activity, (record) => {
          const decoded = decodeEntry(Buffer.from(encodeEntry(record, frame)));
          expect(decoded).to.deep.equal({ record, problems: [] });
        }),
      );
    });

    it('decodeFeed(encodeFeed(activities)) are the activities, with the next link', () => {
      fc.assert(
        fc.property(fc.array(activity, { maxLength: 6 }), userName, fc.boolean(), (records, user, paged) => {
          const uris = accountUris('http://127.0.0.1:8080', user);
          const next = paged ? `${new URL(uris.activities).pathname}?next=a07e1` : undefined;
          const links = { next, first: '/', current: '/' };
          const decoded = decodeFeed(Buffer.from(encodeFeed(records, { ...frame, uris, user }, links)));
          expect(decoded.records.map(({ record }) => record)).to.deep.equal(records);
          expect(decoded.records.flatMap(({ problems }) => problems)).to.deep.equal([]);
          expect(decoded.next).to.equal(next);
        }),
      );
    });

    it('whatever quirks are on, the same is read, but for the errors that a feed only counts', () => {
      // Sound: one value for each name.
      const quirkSet = fc.record(
        Object.fromEntries(QUIRK_NAMES.map((name) => [name, fc.boolean()])),
      ) as fc.Arbitrary<QuirkSet>;
      const links = { next: 'activities?next=a', first: '/', current: '/' };
      fc.assert(
        fc.property(activity, quirkSet, (record, quirks) => {
          const counted = quirks.errorCountInFeed ? { ...record, errors: [] } : record;
          const entry = decodeEntry(Buffer.from(encodeEntry(record, { ...frame, quirks })));
          const feed = decodeFeed(Buffer.from(encodeFeed([record], { ...frame, quirks }, links)));
          const minimal = decodeEntry(Buffer.from(encodeMinimalEntry(record, { ...frame, quirks })));
          const empty = ACTIVITY.every((field) => record[field] === undefined) && record.errorCount === 0;
          expect(entry).to.deep.equal({ record, problems: [] });
          expect(feed.records).to.deep.equal([{ record: empty ? record : counted, problems: [] }]);
          expect(feed.next).to.equal(links.next);
          const { id, title, updated, editMedia } = record;
          expect(minimal.record).to.deep.include({ id, title, updated, editMedia, status: undefined });
        }),
      );
    });

    it('decodeLists(encodeLists(lists)) are the lists', () => {
      fc.assert(
        fc.property(fc.array(contactList, { maxLength: 6 }), (records) => {
          const decoded = decodeLists(Buffer.from(encodeLists(records, frame)));
          expect(decoded.records).to.deep.equal(records.map((record) => ({ record, problems: [] })));
        }),
      );
    });

    it('salvageActivity reads a whole entry as decodeEntry does', () => {
      fc.assert(
        fc.property(activity, (record) => {
          const text = encodeEntry(record, frame);
          expect(salvageActivity(text)).to.deep.equal({ activity: record, problems: [] });
        }),
      );
    });

    it('salvageActivity never throws, and an entry cut anywhere after its id keeps the id', () => {
      fc.assert(
        fc.property(activity, fc.double({ min: 0, max: 1, noNaN: true }), (record, share) => {
          const text = encodeEntry(record, frame);
          const cut = text.slice(0, Math.floor(text.length * share));
          const salvaged = salvageActivity(cut);
          if (cut.includes('</id>')) expect(salvaged?.activity.id).to.equal(record.id);
        }),
      );
    });
  });

  describe('refusals', () => {
    it('a feed is not an entry, an entry not a feed, a list not an activity', () => {
      const feed = Buffer.from(encodeFeed([], frame));
      const lists = encodeLists(
        [
          {
            id: '2',
            name: 'Roses',
            shortName: undefined,
            system: false,
            contactCount: 1,
            optInDefault: undefined,
            displayOnSignup: undefined,
            sortOrder: undefined,
            updated: undefined,
          },
        ],
        frame,
      );
      const listEntry = Buffer.from(
        lists
          .replace(/^[\s\S]*?<entry>/, '<entry xmlns="http://www.w3.org/2005/Atom">')
          .replace('</feed>', ''),
      );
      expect(catchDecodeError(() => decodeEntry(feed)).message).to.equal(
        'found a feed where a single entry was expected',
      );
      for (const [decode, document] of [
        [decodeEntry, feed],
        [decodeEntry, listEntry],
        [decodeFeed, listEntry],
      ] as const) {
        const error = catchDecodeError(() => decode(document, { source: 'a.xml' }));
        expect(error.message).to.match(/^a\.xml: /);
      }
      expect(catchDecodeError(() => decodeFeed(listEntry)).message).to.equal(
        'found a single entry where a feed was expected',
      );
      expect(catchDecodeError(() => decodeLists(listEntry)).code).to.equal('DOCUMENT_UNEXPECTED');
      expect(catchDecodeError(() => decodeEntry(listEntry)).message).to.equal(
        'the content of the entry is not an Activity',
      );
    });

    it('an entry that says nothing salvages to nothing', () => {
      expect(salvageActivity('')).to.equal(undefined);
      expect(salvageActivity('<entry><title>only')).to.equal(undefined);
      expect(salvageActivity('<entry><Activity/>')?.activity.id).to.equal('');
    });
  });

  describe('hostile documents', () => {
    const entry = (inner: string) =>
      Buffer.from(`<entry xmlns="http://www.w3.org/2005/Atom">${inner}<id>x/activities/a07e1</id></entry>`);

    it('text of any length is limited, in every element', () => {
      const long = 'x'.repeat(1_048_577);
      for (const inner of [
        `<title>${long}</title>`,
        `<content><Activity><FileName>${long}</FileName></Activity></content>`,
        `<content><Activity><Errors>${long}</Errors></Activity></content>`,
        `<content><Activity><Errors><Error>${long}</Error></Errors></Activity></content>`,
      ]) {
        expect(catchDecodeError(() => decodeEntry(entry(inner))).code).to.equal('XML_LIMIT');
      }
      const passedOver = `<content><Activity><Other>${long}</Other></Activity></content><summary>${long}</summary>`;
      expect(decodeEntry(entry(passedOver)).record.id).to.equal('a07e1');
      const reader = activityReader({ limits: { text: 3 } });
      reader.push(entry('<title>four</title>'));
      expect(catchDecodeError(() => reader.read()).message).to.include('longer than 3 characters');
    });

    it('blanks and long ids cost no more than their length', () => {
      const blanks = `<title>x${' '.repeat(500_000)}x</title>`;
      expect(decodeEntry(entry(blanks)).record.title).to.have.length(500_002);
      const id = `<content><Activity id="${'a'.repeat(500_000)}/b"/></content>`;
      expect(decodeEntry(entry(id)).record.id.length).to.be.at.most(4096);
    });

    it('what is wrong in one entry is told a hundred times at most', () => {
      const errors = '<Error><LineNumber>x</LineNumber></Error>'.repeat(500);
      const { record, problems } = decodeEntry(
        entry(`<content><Activity><Errors>${errors}</Errors></Activity></content>`),
      );
      expect(record.errors).to.have.length(500);
      expect(problems).to.have.length(100);
      expect(problems.at(-1)?.message).to.include('not listed');
    });

    it('an entry inside an entry that was cut off is told where it begins', () => {
      const cut = '<entry><content><Activity><Status>COM<entry><id>a/activities/a07e2</id></entry>';
      const feed = Buffer.from(`<feed xmlns="http://www.w3.org/2005/Atom">${cut}</feed>`);
      const error = catchDecodeError(() => decodeFeed(feed));
      expect(error.position?.byteOffset).to.equal(feed.lastIndexOf('<entry>'));
      expect(error.message).to.include('another <entry> that is not closed');
      const title = Buffer.from(
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Bulk<entry></entry></feed>',
      );
      expect(catchDecodeError(() => decodeFeed(title)).message).to.include('inside an element of the feed');
    });

    it('content of another kind may hold an entry of its own', () => {
      const nested = '<content><feed><entry><id>inner</id></entry></feed></content>';
      const feed = Buffer.from(`<feed xmlns="http://www.w3.org/2005/Atom"><entry>${nested}</entry></feed>`);
      expect(decodeFeed(feed)).to.deep.equal({ records: [], otherEntries: 1, next: undefined });
    });
  });

  it('a feed puts the next link third, before first and current, as old clients need it', () => {
    const xml = encodeFeed([], frame, { next: '?next=a', first: '/first', current: '/current' });
    expect([...xml.matchAll(/<link href="([^"]*)"/g)].map((match) => match[1])).to.deep.equal([
      'activities',
      'activities',
      '?next=a',
      '/first',
      '/current',
    ]);
    expect(xml).to.match(
      /^<\?xml version='1\.0' encoding='UTF-8'\?>\s*<feed xmlns="http:\/\/www\.w3\.org\/2005\/Atom">/,
    );
  });
});

function catchDecodeError(run: () => unknown): DecodeError {
  try {
    run();
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
  throw new Error('expected a DecodeError');
}

/** All that a reader says of a document fed in pieces of these sizes, over and over. */
function readInPieces(bytes: Uint8Array, sizes: readonly number[]): unknown {
  const reader: AtomReader<unknown> = activityReader({ source: 'document.xml' });
  expect(new AtomReader(new ActivityContent()).root).to.equal(undefined);
  const told: unknown[] = [];
  let offset = 0;
  let turn = 0;
  try {
    for (;;) {
      const step = reader.read();
      if (step.kind === 'end') break;
      if (step.kind === 'entry') {
        told.push(step.entry);
      } else if (offset >= bytes.length) {
        reader.end();
      } else {
        const size = sizes[turn++ % sizes.length] ?? 1;
        reader.push(bytes.slice(offset, offset + size));
        offset += size;
      }
    }
  } catch (error) {
    told.push(error instanceof DecodeError ? error.toJSON() : error);
  }
  return { told, root: reader.root, next: reader.next };
}
