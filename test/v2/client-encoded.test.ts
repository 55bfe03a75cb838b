import { expect } from 'chai';
import { createEmulator } from '../../src/emulator/emulator.js';
import type { CreationAttempt } from '../../src/create.js';
import { encodeRequest } from '../../src/v2/requests.js';
import { V2Client } from '../../src/v2/client.js';
import { leapingClock } from '../support/leaping-clock.js';

const credentials = { scheme: 'api_key', apiKey: 'key-1234', token: 'token-5678' } as const;

describe('V2Client.createEncoded', () => {
  async function stage(meanwhile: () => void = () => undefined) {
    const clock = leapingClock();
    const emulator = createEmulator({ clock, latency: 'instant' });
    const posts: URL[] = [];
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const request = new Request(input, init);
      if (request.method === 'POST') {
        posts.push(new URL(request.url));
        meanwhile();
        request.signal.throwIfAborted();
      }
      return emulator.fetch(request);
    };
    const client = new V2Client({ credentials, fetch, clock });
    const body = await encodeRequest({ operation: 'clearlists', lists: ['1'] });
    return { client, emulator, posts, body };
  }

  it('sends the body as it is, to its operation', async () => {
    const { client, emulator, posts, body } = await stage();
    const activityType = 'CLEAR_CONTACTS_FROM_LISTS';
    const made = await client.createEncoded({ activityType, operation: 'clearlists', body });
    expect((await client.get(made.id)).type).to.equal(activityType);
    expect(posts.map(({ pathname, search }) => pathname + search)).to.deep.equal([
      '/v2/activities/clearlists?api_key=key-1234',
    ]);
    let count = 0;
    for await (const { id } of emulator.account('joesflowers')!.list()) {
      expect(id).to.equal(made.id);
      count++;
    }
    expect(count).to.equal(1);
  });

  it('says of uploads that blank cells erase, where they do', async () => {
    const { client, posts } = await stage();
    const upload = {
      contentType: 'multipart/form-data; boundary=xyz',
      replayable: true,
      length: undefined,
      // eslint-disable-next-line @typescript-eslint/require-await
      open: async function* () {
        const part = (head: string, text: string) =>
          `--xyz\r\nContent-Disposition: form-data; ${head}\r\n\r\n${text}\r\n`;
        yield Buffer.from(
          part('name="file_name"', 'a.csv') +
            part('name="lists"', '1') +
            part('name="data"', 'EMAIL\na@example.com\n') +
            '--xyz--\r\n',
        );
      },
    };
    const activityType = 'ADD_CONTACTS';
    const encoded = { activityType, operation: 'addcontacts', body: upload } as const;
    const { id } = await client.createEncoded({ ...encoded, blanksEnabled: true });
    await client.createEncoded(encoded);
    expect(posts.map(({ searchParams }) => searchParams.get('blanks_enabled'))).to.deep.equal(['true', null]);
    expect((await client.waitForActivity(id)).fileName).to.equal('a.csv');
  });

  it('lets a request go through that is on its way, where somebody keeps what becomes of it', async () => {
    const kept: CreationAttempt[] = [];
    const memory = {
      kept: undefined,
      keep: (attempt: CreationAttempt) => Promise.resolve(void kept.push(attempt)),
    };
    for (const [options, expected] of [
      [{ memory }, 'made'],
      [{}, 'ABORTED'],
    ] as const) {
      const controller = new AbortController();
      const { client, body } = await stage(() => {
        controller.abort();
      });
      const encoded = { activityType: 'CLEAR_CONTACTS_FROM_LISTS', operation: 'clearlists', body } as const;
      const outcome = await client.createEncoded(encoded, { ...options, signal: controller.signal }).then(
        () => 'made',
        (error: unknown) => (error as { code?: string }).code,
      );
      expect(outcome).to.equal(expected);
    }
    expect(kept).to.have.length(1);
  });
});
