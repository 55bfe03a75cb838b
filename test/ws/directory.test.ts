import { expect } from 'chai';
import fc from 'fast-check';
import { DecodeError } from '../../src/activity/errors.js';
import { decodeDocument } from '../../src/ws/atom.js';
import { ContactContent } from '../../src/ws/contact-element.js';
import {
  decodeContactDraft,
  decodeListDraft,
  encodeContact,
  encodeContacts,
  encodeMembers,
} from '../../src/ws/directory-records.js';
import type { WsAccount } from '../../src/ws/call.js';
import { wsServer } from '../../src/ws/server.js';
import { encodeList, type DocumentFrame } from '../../src/ws/records.js';
import { accountUris, DOCUMENTED_ORIGIN } from '../../src/ws/uris.js';
import { contactList, directoryContact } from '../support/arbitraries.js';
import { directoryEmulator } from '../support/directory-emulator.js';
import { fixtures } from '../support/fixtures.js';
import { rawAnswer, rawRequest } from '../support/raw-answer.js';

const frame: DocumentFrame = {
  uris: accountUris(DOCUMENTED_ORIGIN, 'joesflowers'),
  user: 'joesflowers',
  updated: new Date('2008-04-29T19:31:00.545Z'),
};
const BASE = 'https://api.constantcontact.com/ws/customers/joesflowers';
const AUTHORIZATION = { authorization: `Basic ${btoa('key%joesflowers:secret')}` };

function read(xml: string) {
  const { entries } = decodeDocument(Buffer.from(xml), new ContactContent());
  return entries.map(({ value, problems }) => ({ value, problems }));
}

describe('the neighbouring collections', () => {
  describe('whole exchanges', () => {
    for (const fixture of fixtures('ws/directory')) {
      it(fixture.name, async () => {
        const { emulator } = directoryEmulator();
        const response = await emulator.fetch(rawRequest(fixture.bytes('request.http')));
        expect(await rawAnswer(response)).to.equal(fixture.bytes('response.http').toString());
      });
    }
  });

  describe('laws', () => {
    it('a contact that is written is read again, whole in an entry, in part in a feed', () => {
      fc.assert(
        fc.property(directoryContact, (contact) => {
          expect(read(encodeContact(contact, frame))).to.deep.equal([{ value: contact, problems: [] }]);
          const { id, status, emailAddress, emailType, name, optInSource, optInTime, updated } = contact;
          expect(read(encodeContacts([contact], frame))).to.deep.equal([
            {
              value: {
                ...{ id, status, emailAddress, emailType, name, optInSource, optInTime, updated },
                ...{ values: new Map(), note: undefined, lists: [], insertTime: undefined },
              },
              problems: [],
            },
          ]);
        }),
      );
    });

    it('what a client reads and sends back says the same', () => {
      fc.assert(
        fc.property(directoryContact, (contact) => {
          const draft = decodeContactDraft(Buffer.from(`\r\n\t ${encodeContact(contact, frame)}`));
          const { emailAddress, emailType, values, note, optInSource } = contact;
          const lists = contact.lists.map(({ listId }) => listId);
          expect(draft).to.deep.equal({ emailAddress, emailType, values, note, lists, optInSource });
        }),
      );
      fc.assert(
        fc.property(contactList, (list) => {
          const { name, shortName, optInDefault, displayOnSignup, sortOrder } = list;
          expect(decodeListDraft(Buffer.from(encodeList(list, frame)))).to.deep.equal({
            ...{ name, shortName, optInDefault, displayOnSignup, sortOrder },
          });
        }),
      );
    });

    it('a member is read as a contact with address and name', () => {
      fc.assert(
        fc.property(directoryContact, ({ id, emailAddress, name, updated }) => {
          const [entry] = read(encodeMembers([{ id, emailAddress, name, updated }], '2', frame));
          expect(entry?.value).to.deep.include({ id, emailAddress, name, updated, lists: [] });
        }),
      );
    });

    it('a country of two letters is a code', () => {
      const [contact] = fc.sample(directoryContact, 1);
      const xml = encodeContact({ ...contact!, values: new Map([['COUNTRY', 'ca']]) }, frame);
      expect(xml).to.include('<CountryCode>ca</CountryCode><CountryName/>');
      expect(read(xml)[0]?.value?.values.get('COUNTRY')).to.equal('ca');
    });
  });

  it('what a client sends is read strictly', () => {
    for (const xml of [
      '',
      '<entry/>',
      '<!DOCTYPE x><entry xmlns="http://www.w3.org/2005/Atom"/>',
      '<feed xmlns="http://www.w3.org/2005/Atom"/>',
      '<entry xmlns="http://www.w3.org/2005/Atom"><content><Other/></content></entry>',
      encodeContacts(fc.sample(directoryContact, 1), frame),
    ]) {
      expect(() => decodeContactDraft(Buffer.from(xml)), xml).to.throw(DecodeError);
      expect(() => decodeListDraft(Buffer.from(xml)), xml).to.throw(DecodeError);
    }
  });

  it('nested and foreign elements of a contact are passed over', () => {
    const xml =
      '<entry xmlns="http://www.w3.org/2005/Atom"><id>http://x/contacts/7</id><content><Contact ' +
      'xmlns="http://ws.constantcontact.com/ns/1.0/">text<Other><EmailAddress>no@example.com</EmailAddress></Other>' +
      '<EmailAddress> a<b>n</b>n@example.com </EmailAddress><ContactLists>text<Other/><ContactList id="http://x/lists/2">' +
      '<Other><OptInSource>no</OptInSource></Other><ContactList id="no"/></ContactList></ContactLists>' +
      '<OptInTime>yesterday</OptInTime></Contact></content></entry>';
    const [{ value, problems }] = read(xml) as [ReturnType<typeof read>[number]];
    expect(value).to.deep.include({ id: '7', emailAddress: 'ann@example.com', optInTime: undefined });
    expect(value?.lists).to.deep.equal([{ listId: '2', optInSource: undefined, optInTime: undefined }]);
    expect(problems.map(({ message }) => message)).to.deep.equal([
      'OptInTime: "yesterday" is not a date and time',
    ]);
  });

  describe('over HTTP, with state', () => {
    const entry = (contact: string) =>
      `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/vnd.ctct+xml">${contact}</content></entry>`;
    const contact = (address: string, lists: string[], more = '') =>
      entry(
        `<Contact xmlns="http://ws.constantcontact.com/ns/1.0/"><EmailAddress>${address}</EmailAddress>${more}` +
          `<ContactLists>${lists.map((id) => `<ContactList id="${BASE}/lists/${id}"/>`).join('')}</ContactLists></Contact>`,
      );

    function client() {
      const { clock, emulator } = directoryEmulator();
      const call = (path: string, method = 'GET', body?: string) =>
        emulator.fetch(new URL(`${BASE}${path}`), {
          method,
          headers: { ...AUTHORIZATION, 'content-type': 'application/atom+xml' },
          ...(body === undefined ? {} : { body }),
        });
      const addresses = async (first: string) => {
        const found: string[] = [];
        for (let path: string | undefined = first; path !== undefined;) {
          const xml: string = await (await call(path)).text();
          found.push(...Array.from(xml.matchAll(/<EmailAddress>([^<]*)</g), ([, address = '']) => address));
          path = /<link href="([^"]*)" rel="next"/
            .exec(xml)?.[1]
            ?.replaceAll('&amp;', '&')
            .replace('/ws/customers/joesflowers', '');
        }
        return found;
      };
      const bulk = (form: string) =>
        emulator.fetch(`${BASE}/activities`, {
          method: 'POST',
          headers: { ...AUTHORIZATION, 'content-type': 'application/x-www-form-urlencoded' },
          body: form,
        });
      return { clock, call, bulk, addresses };
    }

    it('every contact stands on one page, whatever chooses them', async () => {
      const { clock, call, addresses } = client();
      const all = ['out', 'gone', 'ann', 'bob', 'cid'].map((name) => `${name}@example.com`);
      expect(await addresses('/contacts')).to.deep.equal(all);
      expect(await addresses('/contacts?listtype=active')).to.deep.equal(all.slice(2));
      expect(await addresses('/contacts?listid=5')).to.deep.equal(['ann@example.com']);
      expect(await addresses('/lists/active/members')).to.deep.equal(all.slice(2));
      const emails = ['cid', 'nobody', 'ann', 'bob', 'CID']
        .map((name) => `email=${name}@example.com`)
        .join('&');
      const asked = ['cid@example.com', 'ann@example.com', 'bob@example.com'];
      expect(await addresses(`/contacts?${emails}`)).to.deep.equal(asked);
      expect(await addresses(`/contacts?${emails}&listtype=do-not-mail`)).to.deep.equal([]);
      expect(await addresses('/contacts?email=out@example.com&listtype=do-not-mail')).to.deep.equal([all[0]]);

      await clock.advance('1d');
      expect((await call('/contacts', 'POST', contact('a+b@example.com', ['2']))).status).to.equal(201);
      expect(await addresses('/contacts?email=a+b@example.com')).to.deep.equal(['a+b@example.com']);
      const since = '2008-04-30t00:00:00z';
      expect(await addresses(`/contacts?updatedsince=${since}&listtype=active`)).to.deep.equal([
        'a+b@example.com',
      ]);
      expect((await call('/contacts?listtype=general')).status).to.equal(400);
      expect((await call('/contacts?listid=99')).status).to.equal(404);
      expect((await call('/contacts?next=abc')).status).to.equal(400);
    });

    it('who deletes the lists of a page can go on to the next', async () => {
      const { call } = client();
      const list = (name: string) =>
        entry(
          `<ContactList xmlns="http://ws.constantcontact.com/ns/1.0/"><Name>${name}</Name></ContactList>`,
        );
      for (const name of ['A', 'B', 'C', 'D', 'E']) {
        expect((await call('/lists', 'POST', list(name))).status).to.equal(201);
      }
      let deleted = 0;
      for (let path: string | undefined = '/lists'; path !== undefined;) {
        const page = await call(path);
        expect(page.status).to.equal(200);
        const xml = await page.text();
        for (const [, id = ''] of xml.matchAll(/<id>[^<]*\/lists\/([0-9]+)<\/id>/g)) {
          expect((await call(`/lists/${id}`, 'DELETE')).status).to.equal(204);
          deleted++;
        }
        path = /<link href="([^"]*)" rel="next"/.exec(xml)?.[1]?.replace('/ws/customers/joesflowers', '');
      }
      expect(deleted).to.be.at.least(5);
      expect(await (await call('/lists')).text()).not.to.match(/\/lists\/[0-9]/);
    });

    it('what cannot be is refused, and changes nothing', async () => {
      const { call, addresses } = client();
      const before = await addresses('/contacts');
      for (const body of [
        contact('no address', ['2']),
        contact('', ['2']),
        contact('x@example.com', ['99']),
      ]) {
        expect((await call('/contacts', 'POST', body)).status).to.equal(400);
      }
      expect((await call('/contacts', 'POST', contact('x@example.com', ['x']))).status).to.equal(400);
      expect((await call('/contacts/99', 'PUT', contact('x@example.com', ['2']))).status).to.equal(404);
      expect((await call('/contacts/x', 'DELETE')).status).to.equal(404);
      expect(await addresses('/contacts')).to.deep.equal(before);
    });

    it('an account without a directory serves its lists, and nothing else of it', async () => {
      const account = { lists: () => [], list: () => [] } as unknown as WsAccount;
      const server = wsServer({ account: () => account });
      const status = async (path: string, method = 'GET') =>
        (await server(new Request(`${BASE}${path}`, { method }))).status;
      expect(await status('/contacts')).to.equal(404);
      expect(await status('/lists/2')).to.equal(404);
      expect(await status('/lists', 'POST')).to.equal(415);
      const service = await server(new Request(`${BASE}/`));
      expect(await service.text())
        .to.include('/lists')
        .and.not.to.include('/contacts');
    });

    it('a contact is created, found, changed, taken off its lists, and opted out', async () => {
      const { call, addresses } = client();
      const created = await call(
        '/contacts',
        'POST',
        contact('dan@example.com', ['2', '5'], '<FirstName>Dan</FirstName>'),
      );
      expect(created.status).to.equal(201);
      const path = new URL(created.headers.get('location') ?? '').pathname.replace(
        '/ws/customers/joesflowers',
        '',
      );
      expect(await addresses('/lists/5/members')).to.deep.equal(['ann@example.com', 'dan@example.com']);
      expect(await addresses('/contacts?email=DAN@example.com')).to.deep.equal(['dan@example.com']);

      expect((await call(path, 'PUT', contact('daniel@example.com', ['2']))).status).to.equal(204);
      expect(await addresses('/lists/5/members')).to.deep.equal(['ann@example.com']);
      expect(await addresses('/lists/2/members')).to.include('daniel@example.com');
      expect(await (await call(path)).text()).to.include('<FirstName/>');
      expect((await call(path, 'PUT', contact('ann@example.com', ['2']))).status).to.equal(409);

      expect((await call(path, 'PUT', contact('daniel@example.com', []))).status).to.equal(204);
      expect(await addresses('/contacts?listtype=removed')).to.deep.equal([
        'gone@example.com',
        'daniel@example.com',
      ]);

      expect((await call(path, 'DELETE')).status).to.equal(204);
      expect(await (await call(path)).text()).to.include('<Status>Do Not Mail</Status>');
      expect((await call(path, 'PUT', contact('daniel@example.com', ['2']))).status).to.equal(400);
      const back = contact('daniel@example.com', ['2'], '<OptInSource>ACTION_BY_CONTACT</OptInSource>');
      expect((await call(path, 'PUT', back)).status).to.equal(204);
      expect(await (await call(path)).text()).to.match(/<Status>Active<[^]*<OptInSource>ACTION_BY_CONTACT</);
    });

    it('a list is created, renamed, used by a bulk upload, and deleted', async () => {
      const { clock, call, bulk, addresses } = client();
      const list = (name: string) =>
        entry(
          `<ContactList xmlns="http://ws.constantcontact.com/ns/1.0/"><Name>${name}</Name></ContactList>`,
        );
      const created = await call('/lists', 'POST', list('Lilies'));
      const id = created.headers.get('location') ?? '';
      expect(id).to.match(/^http:.*\/lists\/6$/);
      expect((await call('/lists/6', 'PUT', list('White lilies'))).status).to.equal(204);
      expect(await (await call('/lists/6')).text()).to.include('<Name>White lilies</Name><ShortName>Lilies<');
      expect((await call('/lists/6', 'PUT', list('Tulips'))).status).to.equal(409);
      expect((await call('/lists/6', 'PUT', list('Do not mail'))).status).to.equal(409);
      expect((await call('/lists/6', 'PUT', list(' '))).status).to.equal(400);
      expect((await call('/lists/99', 'PUT', list('x'))).status).to.equal(404);

      const upload = await bulk(
        `activityType=SV_ADD&data=Email+Address%0Aeve%40example.com&lists=${encodeURIComponent(id)}`,
      );
      expect(upload.status).to.equal(201);
      await clock.advance('1h');
      expect(await addresses('/lists/6/members')).to.deep.equal(['eve@example.com']);
      expect(await (await call('/lists/6')).text()).to.include('<ContactCount>1</ContactCount>');

      expect((await call('/lists/6', 'DELETE')).status).to.equal(204);
      expect((await call('/lists/6')).status).to.equal(404);
      expect((await call('/lists/6', 'DELETE')).status).to.equal(404);
      expect((await call('/lists/6/members')).status).to.equal(404);
      expect(await addresses('/contacts?listtype=removed')).to.include('eve@example.com');
    });
  });
});
