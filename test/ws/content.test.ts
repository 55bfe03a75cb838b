import { expect } from 'chai';
import fc from 'fast-check';
import type { ActivityError } from '../../src/activity/activity.js';
import { DecodeError } from '../../src/activity/errors.js';
import { decodeDocument } from '../../src/ws/atom.js';
import { ContactContent } from '../../src/ws/contact-element.js';
import { decodeEntry, decodeFeed, decodeLists } from '../../src/ws/records.js';
import { salvageActivity } from '../../src/ws/salvage.js';
import { trimSpace } from '../../src/ws/text-values.js';
import { lastSegment } from '../../src/ws/uris.js';

// Documents of which any element may hold any other, beside what is to be read of them, told by the tree they are written of.

interface Element {
  readonly name: string;
  readonly children: readonly (Element | string)[];
}

const TIMES = ['RunStartTime', 'RunFinishTime', 'InsertTime'] as const;
const TIME = '2008-04-29T19:31:00.545Z';
/** No text; each of these makes an element hold more than text, so that it is read in pieces. */
const NO_TEXT = ['', '<!-- x -->', '<?x y?>', '<![CDATA[]]>'];

function elements(names: readonly string[], texts: readonly string[]): fc.Arbitrary<Element[]> {
  const name = fc.constantFrom(...names);
  const text = fc.constantFrom(...texts);
  const { tree } = fc.letrec<{ tree: Element }>((tie) => ({
    tree: fc.record({
      name,
      children: fc.oneof(
        { weight: 3, arbitrary: text.map((only) => [only]) },
        {
          weight: 2,
          arbitrary: fc.array(fc.oneof({ depthSize: 'small' }, text, tie('tree')), { maxLength: 4 }),
        },
      ),
    }),
  }));
  return fc.array(tree, { maxLength: 6 });
}

function written(children: Element['children'], between: string): string {
  return children
    .map((child) =>
      typeof child === 'string'
        ? between + child
        : `<${child.name}>${between}${written(child.children, between)}</${child.name}>`,
    )
    .join('');
}

function allText(children: Element['children']): string {
  return children.map((child) => (typeof child === 'string' ? child : allText(child.children))).join('');
}

function ownText(children: Element['children']): string {
  return children.filter((child) => typeof child === 'string').join('');
}

/** The children of that name. */
function named(children: Element['children'], ...names: readonly string[]): Element[] {
  return children.filter(
    (child): child is Element => typeof child !== 'string' && names.includes(child.name),
  );
}

function lastText(children: Element['children'], name: string): string | undefined {
  const last = named(children, name).at(-1);
  return last === undefined ? undefined : trimSpace(allText(last.children));
}

function count(text: string | undefined): number | undefined {
  return /^[0-9]{1,15}$/.test(text ?? '') ? Number(text) : undefined;
}

function entry(content: string): Buffer {
  return Buffer.from(
    '<entry xmlns="http://www.w3.org/2005/Atom"><id>http://example.com/activities/a07e1</id>' +
      `<content type="application/vnd.ctct+xml">${content}</content></entry>`,
  );
}

describe('the content of an entry, whatever stands in it', () => {
  const errorOf = ({ children }: Element): ActivityError => ({
    lineNumber: count(lastText(children, 'LineNumber')),
    emailAddress: lastText(children, 'EmailAddress'),
    message: lastText(children, 'Message') ?? trimSpace(ownText(children)),
  });

  it('is the activity that its children tell: fields by all their text, errors by theirs, and nothing else', () => {
    const names = [
      ...['Type', 'Status', 'FileName', 'TransactionCount', ...TIMES],
      ...['Errors', 'Errors', 'Errors', 'Error', 'Error', 'LineNumber', 'EmailAddress', 'Message', 'Other'],
    ];
    const texts = ['', ' ', '7', '12', ' 3\n', TIME, 'x y'];
    fc.assert(
      fc.property(elements(names, texts), fc.constantFrom(...NO_TEXT), (children, between) => {
        const { record, problems } = decodeEntry(
          entry(
            `<Activity xmlns="http://ws.constantcontact.com/ns/1.0/">${written(children, between)}</Activity>`,
          ),
        );
        const lists = named(children, 'Errors');
        // In <Errors> stand fields of the activity too, as they follow one another.
        const flat = children.flatMap((child) =>
          typeof child !== 'string' && child.name === 'Errors' ? child.children : [child],
        );
        const listed = lists.flatMap((list) => named(list.children, 'Error')).map(errorOf);
        const stated = trimSpace(lists.map((list) => ownText(list.children)).join(''));
        const time = (name: string) => (lastText(flat, name) === TIME ? new Date(TIME) : undefined);
        const other = stated !== '' && count(stated) === undefined;
        const errors = other
          ? [...listed, { lineNumber: undefined, emailAddress: undefined, message: stated }]
          : listed;
        expect(record).to.deep.include({
          id: 'a07e1',
          type: lastText(flat, 'Type') === '' ? undefined : lastText(flat, 'Type'),
          status: lastText(flat, 'Status') === '' ? undefined : lastText(flat, 'Status'),
          fileName: lastText(flat, 'FileName'),
          transactionCount: count(lastText(flat, 'TransactionCount')),
          runStartTime: time('RunStartTime'),
          runFinishTime: time('RunFinishTime'),
          insertTime: time('InsertTime'),
          errors,
          errorCount: Math.max(count(stated) ?? 0, errors.length),
        });
        const numbers = [
          ...named(flat, 'TransactionCount'),
          ...lists
            .flatMap((list) => named(list.children, 'Error'))
            .flatMap((error) => named(error.children, 'LineNumber')),
        ].map((element) => trimSpace(allText(element.children)));
        const times = named(flat, ...TIMES).map((element) => trimSpace(allText(element.children)));
        const wrong =
          numbers.filter((text) => text !== '' && count(text) === undefined).length +
          times.filter((text) => text !== '' && text !== TIME).length +
          (other || (count(stated) ?? Infinity) < listed.length ? 1 : 0);
        expect(problems.length).to.equal(wrong);
      }),
      { numRuns: 500 },
    );
  });

  it('is the list that its children tell, and the last of each name counts', () => {
    const names = [
      'OptInDefault',
      'Name',
      'ShortName',
      'DisplayOnSignup',
      'SortOrder',
      'ContactCount',
      'Other',
    ];
    const flags = ['true', 'Yes', 'false', 'No', 'nope', 'yesterday', 'untrue', 'oh no'];
    const flag = (text: string | undefined) =>
      ['true', 'yes'].includes(text?.toLowerCase() ?? '')
        ? true
        : ['false', 'no'].includes(text?.toLowerCase() ?? '')
          ? false
          : undefined;
    fc.assert(
      fc.property(
        elements(names, ['', ' ', '7', ...flags]),
        fc.constantFrom(...NO_TEXT),
        (children, between) => {
          const list = `<ContactList xmlns="http://ws.constantcontact.com/ns/1.0/" id="http://example.com/lists/4">${written(children, between)}</ContactList>`;
          const feed = Buffer.from(`<feed xmlns="http://www.w3.org/2005/Atom">${String(entry(list))}</feed>`);
          const { records } = decodeLists(feed);
          expect(records.map(({ record }) => record)).to.deep.equal([
            {
              id: '4',
              name: lastText(children, 'Name') ?? '',
              shortName: lastText(children, 'ShortName'),
              system: false,
              contactCount: count(lastText(children, 'ContactCount')),
              optInDefault: flag(lastText(children, 'OptInDefault')),
              displayOnSignup: flag(lastText(children, 'DisplayOnSignup')),
              sortOrder: count(lastText(children, 'SortOrder')),
              updated: undefined,
            },
          ]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is the contact that its children tell, with the lists that stand in its lists', () => {
    const names = [
      ...['Status', 'EmailAddress', 'EmailType', 'Name', 'Note', 'OptInSource', 'Other'],
      ...['ContactLists', 'ContactLists', 'ContactLists', 'ContactList', 'ContactList'],
    ];
    fc.assert(
      fc.property(
        elements(names, ['', ' ', 'x y', ' ACTION_BY_CONTACT']),
        fc.constantFrom(...NO_TEXT),
        (children, between) => {
          const xml = `<Contact xmlns="http://ws.constantcontact.com/ns/1.0/" id="http://example.com/contacts/4">${written(children, between)}</Contact>`;
          const { entries } = decodeDocument(entry(xml), new ContactContent());
          const lists = named(children, 'ContactLists');
          const flat = children.flatMap((child) =>
            typeof child !== 'string' && child.name === 'ContactLists' ? child.children : [child],
          );
          // A list or lists where none can be are like any other unknown element.
          const text = (name: string, from = flat) => {
            const last = lastText(from, name);
            return last === '' ? undefined : last;
          };
          const members = lists.flatMap((list) => named(list.children, 'ContactList'));
          expect(entries.map(({ value }) => value)).to.deep.equal([
            {
              id: '4',
              status: text('Status'),
              emailAddress: text('EmailAddress') ?? '',
              emailType: text('EmailType'),
              name: text('Name'),
              values: new Map(),
              note: text('Note'),
              lists: members.map((list) => ({
                listId: '',
                optInSource: text('OptInSource', [...list.children]),
                optInTime: undefined,
              })),
              optInSource:
                text('OptInSource') ?? (members[0] && text('OptInSource', [...members[0].children])),
              optInTime: undefined,
              insertTime: undefined,
              updated: undefined,
            },
          ]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is of the activity that its URIs end with; of two that do not agree the first counts, and it is told', () => {
    const piece = fc.constantFrom(
      ...[
        'a07e1',
        'b2',
        'Z9z',
        '/',
        '/',
        '/',
        '//',
        '/activities/',
        ' ',
        '\n',
        '?',
        '#',
        '%20',
        '%',
        '-',
        '_',
        'é',
      ],
      ...['[', '`', '{', '@', ':', 'x'.repeat(990), 'x'.repeat(4090)],
    );
    const text = fc.array(piece, { maxLength: 7 }).map((pieces) => `http://example.com/${pieces.join('')}`);
    const uri = fc.oneof(
      text,
      fc.constantFrom(
        '',
        '/',
        'a07e1',
        '/a07e1',
        'a/a07e1',
        's/a07e1',
        'http://example.com/activities/a07e1',
      ),
    );
    const maybe = fc.option(uri, { nil: undefined });
    fc.assert(
      fc.property(maybe, maybe, maybe, (own, id, edit) => {
        const attribute = (value: string) => value.replaceAll('&', '&amp;').replaceAll('\n', '&#10;');
        const xml =
          '<entry xmlns="http://www.w3.org/2005/Atom">' +
          (id === undefined ? '' : `<id>${id}</id>`) +
          (edit === undefined ? '' : `<link rel="edit" href="${attribute(edit)}"/>`) +
          `<content><Activity${own === undefined ? '' : ` id="${attribute(own)}"`}></Activity></content></entry>`;
        const { record, problems } = decodeEntry(Buffer.from(xml));
        const ids = [own, id, edit].map((known) => lastSegment(known ?? '')).filter((known) => known !== '');
        const [first = ''] = ids;
        const other = ids.find((known) => known !== first);
        expect(record.id).to.equal(first);
        expect(problems.map(({ message }) => message)).to.deep.equal([
          ...(first === '' ? ['id: the entry names none'] : []),
          ...(other === undefined
            ? []
            : [`id: the entry calls itself both ${first} and ${other}; the first is taken`]),
        ]);
      }),
      { numRuns: 500 },
    );
  });

  it('tells of a count that is none, and of the one that is too small', () => {
    const read = (errors: string) => {
      const { record, problems } = decodeEntry(entry(`<Activity><Errors>${errors}</Errors></Activity>`));
      return [record.errorCount, record.errors.length, ...problems.map(({ message }) => message)];
    };
    const two = '<Error><Message>a</Message></Error><Error>b</Error>';
    expect(read(`2${two}`)).to.deep.equal([2, 2]);
    expect(read(`${two}3`)).to.deep.equal([3, 2]);
    expect(read(`1${two}`)).to.deep.equal([2, 2, 'Errors: the count says 1, but 2 are listed']);
    for (const text of ['7 or more', 'about 7', '1234567890123456', 'x'.repeat(70)]) {
      const told = `Errors: "${text.slice(0, 60)}" is neither a count nor an <Error>; kept as an error of its own`;
      expect(read(`${two}${text}`)).to.deep.equal([3, 3, told]);
    }
  });

  it('is read of damaged entries as of sound ones', () => {
    const fields = ['Type', 'Status', 'FileName', 'TransactionCount', ...TIMES];
    const values = fc.constantFrom('', ' ', '7', 'x', TIME);
    const some = fc.uniqueArray(fc.record({ name: fc.constantFrom(...fields, 'Errors'), text: values }), {
      selector: ({ name }) => name,
    });
    const count = fc.constantFrom('', ' 7 ', '12');
    fc.assert(
      fc.property(some, count, (children, errors) => {
        const content = children
          .map(({ name, text }) => `<${name}>${name === 'Errors' ? errors : text}</${name}>`)
          .join('');
        const document = entry(`<Activity>${content}</Activity>`);
        const { record, problems } = decodeEntry(document);
        const salvaged = salvageActivity(String(document));
        expect(salvaged?.activity).to.deep.equal(record);
        expect(salvaged?.problems).to.have.members(problems.map(({ message }) => message));
      }),
    );
  });

  it('stands in a feed or an entry, and any other document is told by its root', () => {
    for (const [root, found] of [
      ['<a/>', '<a>'],
      ['<feed/>', undefined],
      ['<a xmlns="urn:x"/>', '<a> of urn:x'],
      ['<html/>', '<html>; this looks like the page of a proxy or a login'],
      ['<HTML xmlns="urn:x"/>', '<HTML> of urn:x; this looks like the page of a proxy or a login'],
    ] as const) {
      const read = () => decodeFeed(Buffer.from(root));
      if (found === undefined)
        expect(read()).to.deep.equal({ records: [], otherEntries: 0, next: undefined });
      else expect(read).to.throw(DecodeError, new RegExp(`expected an Atom feed or entry, found ${found}$`));
    }
  });
});
