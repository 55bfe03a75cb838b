import { expect } from 'chai';
import type { CallOptions } from '../../src/activity/service.js';
import { WsClient } from '../../src/ws/client.js';
import { encodeEntry, encodeFeed, type DocumentFrame } from '../../src/ws/records.js';
import { accountUris, DOCUMENTED_ORIGIN } from '../../src/ws/uris.js';
import { BASIC, rejection } from '../http/loopback.js';
import { anActivity } from '../support/stub-service.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}

const RECORD = anActivity({ id: 'a07e1', type: 'EXPORT_CONTACTS', fileName: 'a07e1.csv' });
const CONTACTS = { text: 'Email Address\nann@example.com\n' };
const ACTIVITIES = '/ws/customers/joesflowers/activities';
const FRAME: DocumentFrame = {
  uris: accountUris(DOCUMENTED_ORIGIN, 'joesflowers'),
  user: 'joesflowers',
  updated: new Date(0),
};

/** Every call of a client. */
const CALLS: Readonly<Record<string, (client: WsClient, options: CallOptions) => Promise<unknown>>> = {
  get: (client, options) => client.get('a07e1', options),
  list: (client, options) => all(client.list(options)),
  'list behind one': (client, options) => all(client.list({ ...options, after: 'a07e0' })),
  lists: (client, options) => all(client.lists(options)),
  clearLists: (client, options) => client.clearLists({ lists: ['2'] }, options),
  exportContacts: (client, options) => client.exportContacts({ listId: '2' }, options),
  addContacts: (client, options) => client.addContacts({ contacts: CONTACTS, lists: ['2'] }, options),
  removeContacts: (client, options) => client.removeContacts({ contacts: CONTACTS, lists: ['2'] }, options),
  download: (client, options) => client.download(RECORD, options),
  'download by id': (client, options) => client.download('a07e1', options),
};

/** A client whose service says nothing, but what `answers` does; and what it was asked. */
function silent(onAsked: () => void, answers: (request: Request) => string | undefined = () => undefined) {
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    const request = new Request(input, init);
    asked.push(`${request.method} ${new URL(request.url).pathname}`);
    const answer = answers(request);
    if (answer !== undefined) {
      return Promise.resolve(new Response(answer, { headers: { 'content-type': 'application/atom+xml' } }));
    }
    onAsked();
    return new Promise((_, reject) => {
      const giveUp = () => {
        reject(new DOMException('aborted', 'AbortError'));
      };
      if (request.signal.aborted) giveUp();
      request.signal.addEventListener('abort', giveUp);
    });
  };
  const options = { user: 'joesflowers', credentials: BASIC, retry: false, limiter: false, fetch } as const;
  return { client: new WsClient(options), asked };
}

describe('a call of WsClient that is aborted', () => {
  for (const [name, call] of Object.entries(CALLS)) {
    it(`${name}: before it begins, asks nothing`, async () => {
      const { client, asked } = silent(() => {
        throw new Error('it was asked');
      });
      const error = await rejection(call(client, { signal: AbortSignal.abort() }));
      expect(error).to.include({ name: 'TransportError', code: 'ABORTED' });
      expect(asked).to.deep.equal([]);
    });

    it(`${name}: while no answer comes, ends`, async () => {
      const controller = new AbortController();
      const { client, asked } = silent(() => {
        controller.abort();
      });
      const error = await rejection(call(client, { signal: controller.signal }));
      expect(error).to.include({ name: 'TransportError', code: 'ABORTED' });
      expect(asked).to.have.length(1);
    });
  }

  it('ends while the file of a record that was told does not come', async () => {
    const controller = new AbortController();
    const { client, asked } = silent(
      () => {
        controller.abort();
      },
      ({ url }) => (url.endsWith('/a07e1') ? encodeEntry(RECORD, FRAME) : undefined),
    );
    const error = await rejection(client.download('a07e1', { signal: controller.signal }));
    expect(error).to.include({ code: 'ABORTED' });
    expect(asked).to.deep.equal([`GET ${ACTIVITIES}/a07e1`, `GET ${ACTIVITIES}/a07e1.csv`]);
  });

  it('ends while it is not told whether an activity was created', async () => {
    const controller = new AbortController();
    const { client, asked } = silent(
      () => {
        controller.abort();
      },
      ({ method }) => (method === 'GET' ? encodeFeed([], FRAME) : undefined),
    );
    const error = await rejection(client.clearLists({ lists: ['2'] }, { signal: controller.signal }));
    expect(error).to.include({ code: 'ABORTED' });
    expect(asked.at(-1)).to.equal(`POST ${ACTIVITIES}`);
  });

  it('takes no more rows, lets go of them, and asks nothing', async () => {
    const controller = new AbortController();
    const { client, asked } = silent(() => undefined);
    let taken = 0;
    let closed = 0;
    const rows = async function* () {
      try {
        for (; taken < 1000; taken++) {
          if (taken === 5) controller.abort();
          await Promise.resolve();
          yield { emailAddress: `c${taken}@example.com` };
        }
      } finally {
        closed++;
      }
    };
    const request = { contacts: { rows: rows() }, lists: ['2'] };
    expect((await rejection(client.addContacts(request, { signal: controller.signal }))).code).to.equal(
      'ABORTED',
    );
    expect({ taken, closed, asked }).to.deep.equal({ taken: 5, closed: 1, asked: [] });
  });
});
