import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { ServiceError, UsageError } from '../../src/activity/errors.js';
import { WsClient, type WsClientOptions } from '../../src/ws/client.js';
import { encodeFeed, encodeLists } from '../../src/ws/records.js';
import { accountUris } from '../../src/ws/uris.js';
import { secretsOf } from '../../src/http/credentials.js';
import { BASIC, closeServers, httpServer, rejection, TOKEN } from '../http/loopback.js';
import { leapingClock } from '../support/leaping-clock.js';
import { aList, anActivity } from '../support/stub-service.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const gathered: T[] = [];
  for await (const item of items) gathered.push(item);
  return gathered;
}

/** A client of a server that answers so, and what that server was asked for. */
async function against(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  options: Partial<WsClientOptions> = {},
) {
  const asked: string[] = [];
  const base = await httpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => {
      answer(request, response);
    });
  });
  const client = new WsClient({
    user: 'joesflowers',
    credentials: BASIC,
    baseUrl: base.href,
    clock: leapingClock(),
    random: () => 0,
    reconcile: false,
    ...options,
  });
  const frame = { uris: accountUris(base.origin, 'joesflowers'), user: 'joesflowers', updated: new Date(0) };
  return { client, asked, base, frame };
}

/** Every call of a client that reads something. */
const CALLS = {
  get: (client: WsClient): Promise<unknown> => client.get('a07e1'),
  list: (client: WsClient): Promise<unknown> => all(client.list()),
  lists: (client: WsClient): Promise<unknown> => all(client.lists()),
  create: (client: WsClient): Promise<unknown> => client.clearLists({ lists: ['2'] }),
  'create with a look before': (client: WsClient): Promise<unknown> => client.exportContacts({ listId: '2' }),
  download: async (client: WsClient): Promise<unknown> => {
    const download = await client.download(anActivity({ id: 'a07e1' }));
    return all(download.body);
  },
} as const;

describe('a WsClient', () => {
  afterEach(closeServers);

  describe('sends credentials to its own origin only', () => {
    /** A server that nobody should call. */
    async function stranger() {
      const seen: string[] = [];
      const url = await httpServer((request, response) => {
        seen.push(`${request.url} ${request.headers.authorization}`);
        response.end();
      });
      return { url, seen };
    }

    it('whatever a redirect says', async () => {
      const { url, seen } = await stranger();
      for (const status of [301, 302, 303, 307, 308]) {
        for (const [name, call] of Object.entries(CALLS)) {
          const { client } = await against((_, response) =>
            response.writeHead(status, { location: `${url.href}take` }).end(),
          );
          const taken = status === 303 && name.startsWith('create');
          const told = taken ? { code: 'CREATE_AMBIGUOUS' } : { code: 'REDIRECTED', status };
          expect(await rejection(call(client)), name).to.include(told);
        }
      }
      expect(seen).to.deep.equal([]);
    });

    it('whatever the next link of a feed says', async () => {
      const { url, seen } = await stranger();
      const pages = {
        list: (frame: Parameters<typeof encodeFeed>[1], next: string) =>
          encodeFeed([anActivity({ id: 'a07e1' })], frame, { next, first: '/', current: '/' }),
        lists: (frame: Parameters<typeof encodeFeed>[1], next: string) =>
          encodeLists([aList('2', 'Roses')], frame, { next, first: '/', current: '/' }),
      };
      for (const name of ['list', 'lists'] as const) {
        for (const next of [
          `${url.href}take`,
          `//${url.host}/take`,
          'javascript:alert(1)',
          'file:///etc/passwd',
        ]) {
          const { client, frame, asked } = await against((_, response) =>
            response.end(pages[name](frame, next)),
          );
          expect((await rejection(CALLS[name](client))).code, next).to.equal('FOREIGN_ORIGIN');
          expect(asked).to.have.length(1);
        }
      }
      expect(seen).to.deep.equal([]);
    });

    it('whatever edit-media or FileName say', async () => {
      const { url, seen } = await stranger();
      const { client, asked } = await against((_, response) => response.end());
      for (const facts of [{ editMedia: `${url.href}a07e1.csv` }, { fileName: `${url.href}a07e1.csv` }]) {
        const error = await rejection(client.download(anActivity({ id: 'a07e1', ...facts })));
        expect(error).to.be.instanceOf(UsageError).and.include({ code: 'FOREIGN_ORIGIN' });
      }
      expect([seen, asked]).to.deep.equal([[], []]);
    });

    it('whatever a Location says: only the id is taken from it', async () => {
      const { url, seen } = await stranger();
      const { client, asked } = await against((_, response) =>
        response.writeHead(201, { location: `${url.href}ws/customers/mallory/activities/a07e9` }).end(),
      );
      const { id } = await client.clearLists({ lists: ['2'] });
      expect(id).to.equal('a07e9');
      expect(asked).to.deep.equal(['POST /ws/customers/joesflowers/activities']);
      expect(seen).to.deep.equal([]);
    });
  });

  it('keeps a user and an id within their place in the path', async () => {
    const { client, asked } = await against((_, response) => response.writeHead(404).end(), {
      user: 'joe’s flowers+50%?#',
      credentials: { scheme: 'bearer', token: TOKEN },
    });
    for (const id of ['../lists', 'a/../../x', '%2e%2e', 'a?next=1', 'a#b']) await rejection(client.get(id));
    for (const path of asked) {
      expect(path).to.match(
        /^GET \/ws\/customers\/joe%E2%80%99s%20flowers%2B50%25%3F%23\/activities\/[^/?#]+$/,
      );
    }
    expect(asked).to.have.length(5);
  });

  describe('tells a page of a proxy or a login from what it expected', () => {
    const PAGES = [
      '<html><head><title>Please sign in</title></head></html>',
      '<!DOCTYPE html>\n<HTML LANG="en"><TITLE>\n Please\n sign in </TITLE>',
      '\ufeff<?xml version="1.0"?>\n<!-- portal --><!DOCTYPE html PUBLIC "x" "y"><html xmlns="http://www.w3.org/1999/xhtml"><title>Please sign in</title></html>',
    ];

    for (const [name, call] of Object.entries(CALLS)) {
      it(name, async () => {
        for (const page of PAGES) {
          for (const status of [200, 403, 502]) {
            const { client } = await against((_, response) =>
              response.writeHead(status, { 'content-type': 'text/html' }).end(page),
            );
            const error = await rejection(call(client));
            expect(error.message, `${status} ${page}`).to.match(
              /this looks like (the page of )?a proxy or a login/,
            );
            if (status === 200 && name !== 'download')
              expect(error.message).to.include('titled "Please sign in"');
            if (status !== 200) expect(error).to.be.instanceOf(ServiceError);
          }
        }
      });
    }

    it('and a proxy that wants a password of its own', async () => {
      const { client } = await against((_, response) => response.writeHead(407).end());
      for (const call of Object.values(CALLS)) {
        expect((await rejection(call(client))).message).to.match(
          /does a proxy on the way want .* \(407\)\?$/,
        );
      }
      const fetch = () => Promise.resolve(new Response('', { status: 407 }));
      for (const call of Object.values(CALLS)) {
        const { client: other } = await against(() => expect.fail('called'), { fetch });
        const error = await rejection(call(other));
        expect(error).to.include({ code: 'SERVICE_REFUSED', status: 407 });
        expect(error.message).to.match(/: 407 a proxy on the way asks who you are$/);
      }
    });

    it('but takes a document for what it is, whatever it is called', async () => {
      const { client, frame } = await against((_, response) => {
        response.setHeader('content-type', 'text/html');
        response.end(encodeFeed([anActivity({ id: 'a07e1', title: '<html>' })], frame));
      });
      expect((await all(client.list())).map(({ id }) => id)).to.deep.equal(['a07e1']);
    });
  });

  it('shows no secret, whatever a service echoes', async () => {
    const echoes: readonly ((secret: string) => string)[] = [
      (secret) => secret,
      (secret) => `<html><title>${secret}</title></html>`,
      (secret) => `<feed xmlns="http://www.w3.org/2005/Atom"><${secret}`,
      (secret) => `<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>${secret}</id>`,
      (secret) => `{"error": ${JSON.stringify(secret)}}`,
    ];
    for (const credentials of [
      BASIC,
      { scheme: 'bearer', token: TOKEN },
      { scheme: 'access_token', token: TOKEN },
    ] as const) {
      for (const echo of echoes) {
        for (const status of [200, 201, 400, 403]) {
          const text = secretsOf(credentials).map(echo).join('');
          const fetch = () => Promise.resolve(new Response(text, { status }));
          const client = new WsClient({
            user: 'joesflowers',
            credentials,
            fetch,
            retry: false,
            reconcile: false,
          });
          // `rejection` looks for secrets in message, stack, JSON and inspection.
          for (const call of [CALLS.get, CALLS.list, CALLS.create]) await rejection(call(client));
        }
      }
    }
  });

  describe('reads no more than it should', () => {
    it('of what unpacks out of all proportion, in documents and in files', async () => {
      const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, ' '));
      for (const name of ['get', 'list', 'lists', 'download'] as const) {
        const headers = { 'content-encoding': 'gzip', 'content-length': String(bomb.length) };
        const { client } = await against((_, response) => response.writeHead(200, headers).end(bomb));
        expect(await rejection(CALLS[name](client)), name).to.include({ code: 'RESPONSE_TOO_LARGE' });
      }
    });

    it('but what is packed as usual, it does', async () => {
      const { client, frame } = await against((_, response) => {
        const feed = encodeFeed(
          Array.from({ length: 50 }, (__, index) => anActivity({ id: `a07e${index}` })),
          frame,
        );
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(feed));
      });
      expect(await all(client.list())).to.have.length(50);
    });

    it('of an answer that never ends', async () => {
      const { client } = await against((request, response) => {
        const chunk = Buffer.alloc(1024 * 1024, ' ');
        response.writeHead(200);
        const pour = () => {
          while (!request.socket.destroyed && response.write(chunk));
        };
        response.on('drain', pour);
        pour();
      });
      expect(await rejection(client.get('a07e1'))).to.include({ code: 'RESPONSE_TOO_LARGE' });
    });
  });
});
