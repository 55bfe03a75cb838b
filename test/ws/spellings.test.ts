import { expect } from 'chai';
import fc from 'fast-check';
import { ServiceError } from '../../src/activity/errors.js';
import { quirksOf, type QuirkName } from '../../src/ws/quirks.js';
import { decodeRequest } from '../../src/ws/requests.js';

const FORM = 'application/x-www-form-urlencoded';
const WITHOUT = (...names: readonly QuirkName[]) =>
  quirksOf('observed', Object.fromEntries(names.map((name) => [name, false])));

/** The value as clients wrote it. */
const spelt = (value: string) =>
  fc.constantFrom(value, ` ${value}`, `${value} `, `"${value}"`, ` " ${value}" `);
const BLANK = fc.constantFrom('', ' ', '""', '" "');

function form(parameters: readonly (readonly [string, string])[]): Buffer {
  const form = new URLSearchParams();
  for (const [name, value] of parameters) form.append(name, value);
  return Buffer.from(String(form));
}

/** The values, each spelt somehow, with blank ones among them. */
function values(some: fc.Arbitrary<string>, minLength: number) {
  const value = some.chain((meant) => spelt(meant).map((text) => ({ meant, text })));
  const blank = BLANK.map((text) => ({ meant: undefined, text }));
  return fc
    .tuple(fc.array(value, { minLength, maxLength: 4 }), fc.array(blank, { maxLength: 2 }), fc.boolean())
    .map(([meant, blanks, first]) => (first ? [...blanks, ...meant] : [...meant, ...blanks]));
}

const said = (all: readonly { readonly meant: string | undefined }[]) =>
  all.flatMap(({ meant }) => (meant === undefined ? [] : [meant]));

describe('the parameters of a request', () => {
  it('are read in every spelling, and what is blank is as if it were not there', async () => {
    const uri = fc.nat().map((id) => `http://api.constantcontact.com/ws/customers/joesflowers/lists/${id}`);
    const column = fc.constantFrom('First Name', 'LAST NAME', 'email address', 'Custom Field 1');
    const oneOf = (table: Readonly<Record<string, unknown>>) =>
      fc.option(
        fc
          .constantFrom(...Object.keys(table))
          .chain((key) => spelt(key).map((text) => ({ text, meant: table[key] }))),
        { nil: undefined },
      );
    const kind = { csv: 'CSV', CSV: 'CSV', Txt: 'TXT', '': undefined };
    const order = { EMAIL_ADDRESS: 'EMAIL_ADDRESS', date_desc: 'DATE_DESC', '': undefined };
    const flag = {
      true: true,
      TRUE: true,
      yes: true,
      Yes: true,
      false: false,
      no: false,
      False: false,
      '': false,
    };
    const request = fc.record({
      lists: values(uri, 1),
      columns: values(column, 0),
      joined: fc.boolean(),
      ...{
        fileType: oneOf({ csv: kind.csv, CSV: kind.CSV, Txt: kind.Txt }),
        sortBy: oneOf({ EMAIL_ADDRESS: order.EMAIL_ADDRESS, date_desc: order.date_desc }),
      },
      ...{ exportOptDate: oneOf(flag), exportOptSource: oneOf(flag), exportListName: oneOf(flag) },
    });
    await fc.assert(
      fc.asyncProperty(request, spelt('EXPORT_CONTACTS'), async (made, type) => {
        const clear = form([
          ['activityType', 'CLEAR_CONTACTS_FROM_LISTS'],
          ...made.lists.map(({ text }) => ['lists', text] as const),
        ]);
        expect(await decodeRequest(FORM, clear)).to.deep.equal({
          activityType: 'CLEAR_CONTACTS_FROM_LISTS',
          lists: said(made.lists),
        });
        const [listId = { text: '', meant: '' }] = made.lists.filter(({ meant }) => meant !== undefined);
        // Quotes stand around each, or around all of a value, not around some of one.
        const texts = made.columns.map(({ text, meant }) => (made.joined ? (meant ?? ' ') : text));
        const named = ['fileType', 'sortBy', 'exportOptDate', 'exportOptSource', 'exportListName'] as const;
        const body = form([
          ['activityType', type],
          ['listId', listId.text],
          ...named.flatMap((name) => {
            const value = made[name];
            return value === undefined ? [] : [[name, value.text] as const];
          }),
          ...(made.joined ? [texts.join(',')] : texts).map((text) => ['columns', text] as const),
        ]);
        expect(await decodeRequest(FORM, body)).to.deep.equal({
          activityType: 'EXPORT_CONTACTS',
          listId: listId.meant,
          fileType: made.fileType?.meant,
          sortBy: made.sortBy?.meant,
          exportOptDate: made.exportOptDate?.meant ?? false,
          exportOptSource: made.exportOptSource?.meant ?? false,
          exportListName: made.exportListName?.meant ?? false,
          columns: said(made.columns),
        });
      }),
      { numRuns: 200 },
    );
  });

  it('have names, of which a blank value is one', async () => {
    for (const name of ['fileType', 'sortBy']) {
      const body = form([
        ['activityType', 'EXPORT_CONTACTS'],
        ['listId', '2'],
        [name, ' '],
      ]);
      expect(await decodeRequest(FORM, body)).to.have.property(name, undefined);
    }
  });

  it('are true, false and blank in every form of flags', async () => {
    for (const quirks of [WITHOUT(), WITHOUT('flagSpellings')]) {
      for (const [text, meant] of [
        ['true', true],
        ['false', false],
        ['', false],
      ] as const) {
        const body = Buffer.from(`activityType=EXPORT_CONTACTS&listId=5&exportOptDate=${text}`);
        expect(await decodeRequest(FORM, body, quirks), text).to.include({ exportOptDate: meant });
      }
    }
  });

  it('that cannot be understood are refused, in words that name them', async () => {
    const clear = 'activityType=CLEAR_CONTACTS_FROM_LISTS';
    const exported = 'activityType=EXPORT_CONTACTS&listId=2';
    const long = 'x'.repeat(100);
    const cases: readonly (readonly [body: string, detail: string, off?: QuirkName])[] = [
      ['', 'activityType is missing'],
      ['activityType=+', 'activityType is missing'],
      [`${clear}&${clear}&lists=2`, 'activityType is given 2 times; give it once'],
      ['activityType=ERASE', 'activityType "ERASE" is not known'],
      [`activityType=${long}`, `activityType "${long.slice(0, 79)}…" is not known`],
      [`activityType=${long.slice(0, 80)}`, `activityType "${long.slice(0, 80)}" is not known`],
      ['activityType=SV_CLEAR_INT&lists=2', 'activityType "SV_CLEAR_INT" is not known', 'svClearInt'],
      ['activityType=SV_ADD&lists=2', 'SV_ADD needs data or dataFile'],
      [clear, 'lists is missing: name at least one list by its URI'],
      [`${clear}&lists=`, 'lists is missing: name at least one list by its URI'],
      [
        `${clear}&lists%5B0%5D=2`,
        '"lists[0]" is not a parameter: repeat lists=, without brackets, for each list',
      ],
      [
        `${clear}&lists=https%3A%2F%2Fexample.com%2Flists%2F2`,
        '"https://example.com/lists/2" is not the id of a list, which begins with http:',
        'httpsListUris',
      ],
      [
        `${clear}&lists=2%26lists%3D5`,
        'a value of lists holds several; repeat lists= for each',
        'severalListsInOneValue',
      ],
      [`${clear}&lists=http://example.com/lists/2`, 'a list URI is not percent-encoded', 'unencodedListUris'],
      [`${exported}&listId=http://example.com`, 'a list URI is not percent-encoded', 'unencodedListUris'],
      [`${clear}&lists=2\n`, 'there is a line break behind the form', 'lineBreakAfterForm'],
      [`${clear}&lists=2\r`, 'there is a line break behind the form', 'lineBreakAfterForm'],
      ['activityType=EXPORT_CONTACTS', 'listId is missing'],
      [`${exported}&listId=5`, 'listId is given 2 times; give it once'],
      [`${exported}&fileType=PDF`, 'fileType "PDF" is not known; use CSV or TXT'],
      [`${exported}&fileType=toString`, 'fileType "toString" is not known; use CSV or TXT'],
      [`${exported}&sortBy=NAME`, 'sortBy "NAME" is not known; use EMAIL_ADDRESS or DATE_DESC'],
      [`${exported}&exportOptDate=maybe`, 'exportOptDate must be true or false, got "maybe"'],
      [`${exported}&exportOptDate=valueOf`, 'exportOptDate must be true or false, got "valueOf"'],
      [
        `${exported}&exportOptSource=Yes`,
        'exportOptSource must be true or false, got "Yes"',
        'flagSpellings',
      ],
      [
        `${exported}&exportListName=TRUE`,
        'exportListName must be true or false, got "TRUE"',
        'flagSpellings',
      ],
      [`${exported}&columns=Contact+ID`, 'columns "Contact ID" is not known'],
    ];
    for (const [body, detail, off] of cases) {
      const quirks = WITHOUT(...(off === undefined ? [] : [off]));
      const error: unknown = await decodeRequest(FORM, Buffer.from(body), quirks).catch(
        (thrown: unknown) => thrown,
      );
      expect(error, body).to.be.instanceOf(ServiceError);
      expect(error, body).to.include({
        code: 'SERVICE_REFUSED',
        status: 400,
        detail,
        message: `the request cannot be understood: ${detail}`,
      });
      if (off !== undefined)
        await decodeRequest(FORM, Buffer.from(body), quirksOf('observed')).catch(() => 0);
    }
  });

  it('stand in a form, urlencoded or multipart, by its name in any case, and in nothing else', async () => {
    const body = Buffer.from('activityType=CLEAR_CONTACTS_FROM_LISTS&lists=2');
    const parts =
      '--b\r\ncontent-disposition: form-data; name="activityType"\r\n\r\nCLEAR_CONTACTS_FROM_LISTS\r\n' +
      '--b\r\ncontent-disposition: form-data; name="lists"\r\n\r\n 2 \r\n--b--\r\n';
    const request = { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2'] };
    for (const type of [FORM, FORM.toUpperCase(), ` ${FORM} ; charset=utf-8`]) {
      expect(await decodeRequest(type, body), type).to.deep.equal(request);
    }
    for (const type of [
      'multipart/form-data; boundary=b',
      'Multipart/Form-Data;Boundary="b"',
      'multipart/form-data;\t boundary=b',
      'multipart/form-data',
      `${FORM}; boundary=b`,
    ]) {
      expect(await decodeRequest(type, Buffer.from(parts)), type).to.deep.equal(request);
    }
    for (const type of [null, '', 'text/plain', `x${FORM}`, `${FORM}x`, 'multipart/mixed']) {
      const error: unknown = await decodeRequest(type, body).catch((thrown: unknown) => thrown);
      expect(error, type ?? '').to.include({
        code: 'SERVICE_REFUSED',
        status: 415,
        message: 'the request has the wrong Content-Type; send a form, urlencoded or multipart',
        detail: `Content-Type "${type ?? ''}" is not supported; use ${FORM} or multipart/form-data`,
      });
    }
  });
});
