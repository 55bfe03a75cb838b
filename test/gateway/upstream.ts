import type { Contacts } from '../../src/activity/request.js';
import type { ActivityService } from '../../src/activity/service.js';
import type { Clock } from '../../src/clock.js';
import { EmulatedAccount } from '../../src/emulator/account.js';
import type { Latency } from '../../src/emulator/latency.js';
import type { ListSeed } from '../../src/emulator/seed.js';
import { serve } from '../../src/http/serve.js';
import { openContactFile } from '../../src/upload/contact-file.js';
import { v2Server } from '../../src/v2/server.js';

/** What v2 was asked to do, as it took it. */
export interface UpstreamCreation {
  readonly id: string;
  readonly activityType: string;
  readonly list: string;
  /** Of an upload. */
  readonly addresses: readonly string[];
}

export interface Upstream {
  readonly url: string;
  readonly account: EmulatedAccount;
  readonly creations: readonly UpstreamCreation[];
  close(): Promise<void>;
}

/** An emulated v2 on a port, which notes what it was asked to do. */
export async function startUpstream(
  clock: Clock,
  lists: readonly ListSeed[],
  latency: Latency = { pending: [0, 2_000], queued: [0, 2_000], running: [0, 2_000] },
): Promise<Upstream> {
  const account = new EmulatedAccount(
    { user: 'joesflowers', lists, credentials: { accessToken: 't0ken' } },
    { clock, latency },
  );
  const creations: UpstreamCreation[] = [];
  const observed: ActivityService = {
    async create(request, options) {
      const addresses = 'contacts' in request ? await addressesOf(request.contacts) : [];
      const { id } = await account.create(request, { ...options, dialect: 'v2' });
      const list = String('listId' in request ? request.listId : request.lists[0]);
      creations.push({ id, activityType: request.activityType, list, addresses });
      return account.get(id, options);
    },
    get: (id, options) => account.get(id, options),
    list: (options) => account.list(options),
    download: (activity, options) => account.download(activity, options),
    lists: (options) => account.lists(options),
  };
  const server = await serve(
    v2Server({
      account: (credentials) => (account.admits(credentials) ? observed : undefined),
      now: () => clock.now(),
    }),
  );
  return { url: server.url, account, creations, close: () => server.close() };
}

async function addressesOf(contacts: Contacts): Promise<string[]> {
  const file = await openContactFile(contacts);
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.open()) chunks.push(chunk);
    return (
      Buffer.concat(chunks)
        .toString()
        .match(/[\w.-]+@example\.com/g) ?? []
    );
  } finally {
    await file.close();
  }
}
