import { expect } from 'chai';
import { UsageError } from '../../src/activity/errors.js';
import { describeRequest } from '../../src/inspect/describe.js';
import { RequestJournal, type RequestFilter } from '../../src/inspect/journal.js';
import type { JournalEntry } from '../../src/inspect/journal-entry.js';

const entry = (facts: Partial<JournalEntry> = {}): Omit<JournalEntry, 'id'> => ({
  at: '2008-04-29T19:30:00.000Z',
  duration: 1,
  method: 'GET',
  url: 'http://localhost/ws/customers/joesflowers/activities',
  path: '/ws/customers/joesflowers/activities',
  resource: 'activities',
  user: 'joesflowers',
  headers: {},
  bytes: 0,
  status: 200,
  ...facts,
});

describe('RequestJournal', () => {
  it('keeps the latest, counts all, and says how many it keeps', () => {
    for (const limit of [0, 1, 3, 1000]) {
      const journal = new RequestJournal(limit);
      for (let n = 1; n <= 500; n++) journal.add(entry({ status: n }));
      const kept = Math.min(limit, 500);
      expect(journal.count).to.equal(500);
      expect(journal.length).to.equal(kept);
      expect([...journal].map(({ id }) => id)).to.deep.equal(
        Array.from({ length: kept }, (_, index) => 501 - kept + index),
      );
      expect(journal.last?.id).to.equal(limit === 0 ? undefined : 500);
      journal.clear();
      expect([journal.count, journal.length, [...journal]]).to.deep.equal([0, 0, []]);
    }
  });

  it('finds what is asked for, all conditions together', () => {
    const journal = new RequestJournal();
    journal.add(entry());
    journal.add(entry({ method: 'POST', status: 201, activityType: 'SV_ADD', activityId: 'a07e1' }));
    journal.add(
      entry({ status: 404, path: '/ws/customers/joesflowers/activities/a', resource: 'activities/a' }),
    );
    const { status: none, ...unanswered } = entry({ user: 'ann', fault: { rule: 1, action: 'reset' } });
    expect(none).to.equal(200);
    journal.add(unanswered);
    const found = (filter: RequestFilter) => journal.matching(filter).map(({ id }) => id);
    for (const [filter, ids] of [
      [{}, [1, 2, 3, 4]],
      [{ method: 'post' }, [2]],
      [{ path: 'activities' }, [1, 2, 4]],
      [{ path: 'activities/*' }, [3]],
      [{ path: '/ws/*/joesflowers/**' }, [1, 2, 3, 4]],
      [{ path: '/ws/customers' }, []],
      [{ user: 'JoesFlowers' }, [1, 2, 3]],
      [{ activityType: 'SV_ADD' }, [2]],
      [{ activityId: 'a07e1' }, [2]],
      [{ status: 404 }, [3]],
      [{ refused: true }, [3]],
      [{ refused: false }, [1, 2, 4]],
      [{ faulty: true }, [4]],
      [{ faulty: false, after: 1 }, [2, 3]],
    ] as [RequestFilter, number[]][]) {
      expect(found(filter), JSON.stringify(filter)).to.deep.equal(ids);
    }
    expect(() => journal.matching({ metod: 'GET' } as RequestFilter)).to.throw(UsageError, 'method');
  });

  it('tells listeners, until they have heard enough', () => {
    const journal = new RequestJournal(0);
    const heard: number[] = [];
    const stop = journal.subscribe(({ id }) => heard.push(id));
    journal.add(entry());
    stop();
    journal.add(entry());
    expect(heard).to.deep.equal([1]);
  });

  it('refuses a size that is none', () => {
    for (const size of [-1, 1.5, NaN, '10' as unknown as number]) {
      expect(() => new RequestJournal(size)).to.throw(UsageError, 'journalSize');
    }
  });
});

const SECRETS = ['key-1234', 'pass 5678/x'];
const BASIC = `Basic ${Buffer.from('key-1234%joesflowers:pass 5678/x').toString('base64')}`;
const target = { user: 'joesflowers', resource: 'activities' };
const url = 'http://localhost/ws/customers/joesflowers/activities';

describe('describeRequest', () => {
  it('knows of nobody and no secret what it is not to know', async () => {
    const people = ['ann@example.com', 'Ann', 'Röschen', 'bob@example.com', 'Bob, the elder'];
    const data = `Email Address,First Name\r\n${people[0]},${people[1]}\r\n${people[3]},"${people[4]}"\r\nx@example.com,Röschen\r\n`;
    const form = new URLSearchParams([
      ['activityType', 'SV_ADD'],
      ['data', data],
      ['lists', 'http://api.constantcontact.com/ws/customers/joesflowers/lists/1'],
      ['password', SECRETS[1]!],
      ['note', `by ann@example.com with ${SECRETS[0]}`],
    ]);
    const multipart = new FormData();
    for (const [name, value] of form) {
      if (name === 'data') multipart.append('dataFile', new Blob([value], { type: 'text/csv' }), 'up.csv');
      else multipart.append(name, value);
    }
    for (const body of [form, multipart]) {
      const request = new Request(`${url}?email=bob%40example.com&access_token=tok-777&next=abc`, {
        method: 'POST',
        headers: {
          authorization: BASIC,
          cookie: 'session=tok-888',
          'x-api-key': 'tok-999',
          'x-odd': SECRETS[0]!,
        },
        body,
      });
      const seen = await describeRequest(
        request,
        new Uint8Array(await request.clone().arrayBuffer()),
        target,
      );
      const text = JSON.stringify(seen);
      for (const hidden of [...people, ...SECRETS, 'bob%40', 'tok-', BASIC.slice(6)]) {
        expect(text, hidden).not.to.include(hidden);
      }
      expect(seen).to.deep.include({
        method: 'POST',
        user: 'joesflowers',
        scheme: 'basic',
        activityType: 'SV_ADD',
        contacts: { rows: 3, heading: ['Email Address', 'First Name'] },
      });
      expect(seen.headers).to.include({ authorization: 'Basic ***', cookie: '***', 'x-odd': '***' });
      expect(seen.url).to.equal(`${url}?email=somebody@example.com&access_token=***&next=abc`);
      const contacts = seen.parameters?.find(({ name }) => name.startsWith('data'));
      expect(contacts?.value).to.equal(
        'Email Address,First Name\ncontact1@example.com,\ncontact2@example.com,\ncontact3@example.com,\n',
      );
    }
  });

  it('keeps contacts and bodies when it is told to, secrets never', async () => {
    const body = new URLSearchParams({ activityType: 'SV_ADD', data: 'Email Address\nann@example.com\n' });
    const request = new Request(`${url}?email=ann%40example.com`, {
      method: 'POST',
      headers: { authorization: BASIC },
      body,
    });
    const seen = await describeRequest(request, Buffer.from(body.toString()), target, { recordBodies: true });
    expect(seen.parameters?.[1]?.value).to.equal('Email Address\nann@example.com\n');
    expect(seen.url).to.include('ann%40example.com');
    expect(JSON.stringify(seen)).not.to.include(BASIC.slice(6));
    const xml = new Request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/atom+xml' },
      body: '<entry/>',
    });
    expect(await describeRequest(xml, Buffer.from('<entry/>'), target, { recordBodies: true })).to.include({
      body: '<entry/>',
    });
    expect(await describeRequest(xml, Buffer.from('<entry/>'), target)).not.to.have.property('body');
  });

  it('takes no person for a heading', async () => {
    for (const [data, contacts] of [
      ['ann@example.com,Ann\nbob@example.com,Bob\n', { rows: 2 }],
      ['Ann,Smith\nBob,Jones', { rows: 2 }],
      ['Email Address,ann@example.com\nx@example.com,', { rows: 2 }],
      ['', { rows: 0 }],
      ['Email Address', { rows: 0, heading: ['Email Address'] }],
      [
        '\n\nEmail Address,Shoe Size\n"a\nb@example.com",3\n\n',
        { rows: 1, heading: ['Email Address', 'Shoe Size'] },
      ],
    ] as const) {
      const body = Buffer.from(new URLSearchParams({ data }).toString());
      const request = new Request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body,
      });
      const seen = await describeRequest(request, body, target);
      expect(seen.contacts, data).to.deep.equal(contacts);
      expect(seen.parameters?.[0]?.value).not.to.match(/ann|Smith|Jones/);
    }
  });

  it('says nothing of a spreadsheet but that it is one', async () => {
    const form = new FormData();
    form.append('dataFile', new Blob([Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'ann@example.com']), 'up.xls');
    const request = new Request(url, { method: 'POST', body: form });
    const seen = await describeRequest(request, new Uint8Array(await request.clone().arrayBuffer()), target);
    expect(seen.contacts).to.deep.equal({});
    expect(seen.parameters).to.deep.equal([
      { name: 'dataFile', value: '', fileName: 'up.xls', contentType: 'application/octet-stream' },
    ]);
  });

  it('has no parameters of what is no form, or a broken one', async () => {
    for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'multipart/form-data']) {
      const request = new Request(url, { method: 'POST', headers: { 'content-type': type }, body: 'a=b' });
      const seen = await describeRequest(request, Buffer.from('a=b'), {});
      expect(seen).to.include({ bytes: 3, contentType: type });
      expect(seen).not.to.have.any.keys('parameters', 'body', 'user', 'resource');
    }
  });

  it('names the way the caller shows who it is', async () => {
    for (const [headers, query, scheme] of [
      [{}, '', undefined],
      [{ authorization: BASIC }, '', 'basic'],
      [{ authorization: 'Bearer t' }, '', 'bearer'],
      [{}, '?access_token=t', 'access_token'],
      [{ authorization: 'Digest username="a"' }, '', 'digest'],
      [{ authorization: 'OAuth oauth_token="t"' }, '', 'oauth1'],
      [{}, '?oauth_token=t&oauth_signature=s', 'oauth1'],
    ] as [Record<string, string>, string, string | undefined][]) {
      const seen = await describeRequest(new Request(url + query, { headers }), new Uint8Array(), target);
      expect(seen.scheme).to.equal(scheme);
      expect(JSON.stringify(seen)).not.to.match(/=t\b|="t"|=s\b/);
    }
  });
});
