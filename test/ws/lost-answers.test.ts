import { expect } from 'chai';
import { AmbiguousCreateError, type CtctError } from '../../src/activity/errors.js';
import type { Activity } from '../../src/activity/activity.js';
import type { Warning } from '../../src/activity/request.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { WsClient, type WsClientOptions } from '../../src/ws/client.js';
import { closeServers, httpServer, rejection } from '../http/loopback.js';
import { leapingClock } from '../support/leaping-clock.js';

type Answer = (request: Request) => Promise<Response>;

const contacts = { text: 'Email Address\nann@example.com\n' };
const reset = () =>
  new TypeError('fetch failed', {
    cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
  });

/** An emulated account, and a client whose calls go through `between`. */
function account(
  between: (request: Request, answer: Answer) => Promise<Response>,
  options: Partial<WsClientOptions> = {},
) {
  const clock = leapingClock();
  const emulator = createEmulator({
    accounts: [{ user: 'joesflowers', lists: [{ id: '2', name: 'Roses' }] }],
    clock,
  });
  const calls: string[] = [];
  const warnings: Warning[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    const request = new Request(input, init);
    calls.push(request.method);
    return between(request, (passed) => emulator.fetch(passed));
  };
  const client = new WsClient({
    user: 'joesflowers',
    credentials: { scheme: 'basic', apiKey: 'key', user: 'joesflowers', password: 's3cret' },
    fetch,
    clock,
    random: () => 0,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  const held = async () => {
    const all: Activity[] = [];
    for await (const activity of emulator.account('joesflowers')!.list()) all.push(activity);
    return all.map(({ id }) => id);
  };
  return { client, calls, held, warnings, emulator, clock };
}

/** Lets the first POSTs through, and loses their answers. */
const losing = (posts: number) => {
  let lost = 0;
  return async (request: Request, answer: Answer) => {
    const response = await answer(request);
    if (request.method === 'GET' || lost++ >= posts) return response;
    throw reset();
  };
};

/** Loses the first POSTs themselves. */
const dropping = (posts: number) => {
  let dropped = 0;
  return (request: Request, answer: Answer) =>
    request.method === 'GET' || dropped++ >= posts ? answer(request) : Promise.reject(reset());
};

describe('a WsClient whose answers get lost', () => {
  const creations = {
    'form add': (client: WsClient) => client.addContacts({ contacts, lists: ['2'] }),
    'detailed add': (client: WsClient) =>
      client.addContacts({
        contacts: { text: 'Email Address,First Name\nann@example.com,Ann\n' },
        lists: ['2'],
      }),
    remove: (client: WsClient) => client.removeContacts({ contacts, lists: ['2'] }),
    clear: (client: WsClient) => client.clearLists({ lists: ['2'] }),
    export: (client: WsClient) => client.exportContacts({ listId: '2' }),
  };

  for (const [name, create] of Object.entries(creations)) {
    it(`finds the ${name} that was done, and does it once`, async () => {
      const { client, calls, held, warnings, clock } = account(losing(1));
      const before = clock.now();
      const { id } = await create(client);
      expect(await held()).to.deep.equal([id]);
      expect(calls).to.deep.equal(['GET', 'POST', 'GET']);
      expect(clock.now()).to.equal(before);
      expect(warnings.filter(({ code }) => code === 'ANSWER_LOST').at(-1)?.message).to.equal(
        `found it: activity ${id} was created`,
      );
      expect((await client.get(id)).id).to.equal(id);
      await create(client);
      expect(await held(), 'the next one is another').to.have.length(2);
    });
  }

  it('sends an export again that never came there, and nothing else', async () => {
    const exporting = account(dropping(1));
    const { id } = await creations.export(exporting.client);
    expect(await exporting.held()).to.deep.equal([id]);
    for (const name of ['form add', 'remove', 'clear'] as const) {
      const { client, calls, held } = account(dropping(1));
      const error = await rejection(creations[name](client));
      expect(error).to.be.instanceOf(AmbiguousCreateError).and.deep.include({ candidates: [] });
      expect(error.message).to.include('listed for 120 s, and no new one showed');
      expect(calls.filter((method) => method === 'POST')).to.have.length(1);
      expect(await held()).to.deep.equal([]);
    }
    const asked = account(dropping(1), { reconcile: { repeatUploads: true, quietPeriod: 10_000 } });
    const added = await creations['form add'](asked.client);
    expect(await asked.held()).to.deep.equal([added.id]);
    expect(JSON.stringify(asked.warnings)).to.include('the creation is sent once more');
  });

  it('reads answers that fail, break off or make no sense in the same way', async () => {
    const answers: readonly ((response: Response) => Response)[] = [
      () => new Response('gateway', { status: 502 }),
      () => new Response('oops', { status: 500 }),
      () => new Response('<html><title>Sign in</title></html>', { status: 200 }),
      () => new Response(null, { status: 303, headers: { location: '/ws/customers/joesflowers/done' } }),
      (response) => new Response(response.body, { status: 201, headers: { 'content-length': '100000' } }),
    ];
    for (const spoil of answers) {
      const { client, held, calls } = account(async (request, answer) => {
        const response = await answer(request);
        return request.method === 'POST' ? spoil(response) : response;
      });
      const { id } = await client.clearLists({ lists: ['2'] });
      expect(await held()).to.deep.equal([id]);
      expect(calls.filter((method) => method === 'POST')).to.have.length(1);
    }
  });

  it('tells two apart only as far as they can be told', async () => {
    const { client, held } = account(async (request, answer) => {
      if (request.method === 'GET') return answer(request);
      await answer(request.clone());
      await answer(request);
      throw reset();
    });
    const error = await rejection(client.clearLists({ lists: ['2'] }));
    expect((error as AmbiguousCreateError).candidates).to.have.members(await held());
  });

  it('leaves it to the caller when told so', async () => {
    const { client, calls } = account(losing(1), { reconcile: false });
    expect(await rejection(client.clearLists({ lists: ['2'] }))).to.include({
      code: 'RESPONSE_LOST',
      sent: 'maybe',
    });
    expect(calls).to.deep.equal(['POST']);
  });

  it('sends nothing when the activities cannot be listed first', async () => {
    const failing = account((request, answer) =>
      request.method === 'GET' ? Promise.resolve(new Response('', { status: 500 })) : answer(request),
    );
    const error = await rejection(failing.client.clearLists({ lists: ['2'] }));
    expect(error).to.include({ code: 'REQUEST_NOT_SENT', sent: 'no' });
    expect(error.message).to.include('could not be listed first');
    expect(failing.calls).to.deep.equal(['GET', 'GET', 'GET']);
  });

  it('tells of no doubtful records when it only looks', async () => {
    const { client, warnings, held } = account(async (request, answer) => {
      const response = await answer(request);
      if (request.method !== 'GET') throw reset();
      const feed = (await response.text()).replaceAll('<entry>', '<entry><updated>yesterday</updated>');
      return new Response(feed, { headers: response.headers });
    });
    const { id } = await client.clearLists({ lists: ['2'] });
    expect(await held()).to.deep.equal([id]);
    expect(warnings.map(({ code }) => code)).to.deep.equal(['ANSWER_LOST', 'ANSWER_LOST']);
  });

  it('aborts at once while it is looking', async () => {
    const controller = new AbortController();
    const { client } = account(
      (request, answer) => {
        if (request.method === 'POST')
          setTimeout(() => {
            controller.abort();
          }, 5);
        return dropping(1)(request, answer);
      },
      { clock: { now: () => 0, sleep: () => new Promise(() => undefined) } },
    );
    const error = await rejection(client.clearLists({ lists: ['2'] }, { signal: controller.signal }));
    expect(error).to.include({ code: 'ABORTED', sent: 'maybe' });
  });

  describe('over sockets', () => {
    afterEach(closeServers);

    /** The emulator behind a server that resets the connection instead of passing the answers to POSTs on. */
    async function through(act: 'lose' | 'drop') {
      const { emulator, held, clock } = account((request, answer) => answer(request));
      let posts = 0;
      const base = await httpServer((request, response) => {
        void (async () => {
          const chunks: Buffer[] = [];
          for await (const chunk of request) chunks.push(chunk as Buffer);
          const post = request.method === 'POST';
          const spoiled = post && posts++ === 0;
          if (spoiled && act === 'drop') return request.socket.resetAndDestroy();
          const answer = await emulator.fetch(
            new Request(new URL(request.url ?? '', 'http://127.0.0.1'), {
              method: request.method!,
              headers: request.headers as Record<string, string>,
              ...(post && { body: Buffer.concat(chunks) }),
            }),
          );
          if (spoiled) return request.socket.resetAndDestroy();
          response.writeHead(answer.status, Object.fromEntries(answer.headers));
          return response.end(Buffer.from(await answer.arrayBuffer()));
        })();
      });
      const client = new WsClient({
        user: 'joesflowers',
        credentials: { scheme: 'basic', apiKey: 'key', user: 'joesflowers', password: 's3cret' },
        baseUrl: base.href,
        clock,
        random: () => 0,
      });
      return { client, held };
    }

    it('a reset after the creation is no second creation', async () => {
      const { client, held } = await through('lose');
      const { id } = await client.addContacts({ contacts, lists: ['2'] });
      expect(await held()).to.deep.equal([id]);
    });

    it('a reset before it is told', async () => {
      const { client, held } = await through('drop');
      const error: CtctError = await rejection(client.addContacts({ contacts, lists: ['2'] }));
      expect(error.code).to.equal('CREATE_AMBIGUOUS');
      expect(await held()).to.deep.equal([]);
    });
  });
});
