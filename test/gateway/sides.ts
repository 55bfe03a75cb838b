import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { EmulatedAccount } from '../../src/emulator/account.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import type { AccountSeed } from '../../src/emulator/seed.js';
import { createVirtualClock, type VirtualClock } from '../../src/emulator/virtual-clock.js';
import { accountsOf, type GatewayUser } from '../../src/gateway/accounts.js';
import { createGateway, type GatewayOptions } from '../../src/gateway/gateway.js';
import { memoryStore } from '../../src/store/memory.js';

/** Something that answers old clients, and the account that is changed by what they ask for. */
export interface Side {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly account: EmulatedAccount;
  /** Lets time pass until every activity has ended. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export const USER = 'joesflowers';
export const BASE = `https://api.constantcontact.com/ws/customers/${USER}`;
export const AUTHORIZATION = `Basic ${btoa(`key%${USER}:secret`)}`;

/** An account with something of everything. */
export const SEED: AccountSeed = {
  user: USER,
  credentials: { apiKey: 'key', password: 'secret', accessToken: 't0ken' },
  lists: [
    { id: '1', name: 'General Interest' },
    {
      id: '2',
      name: 'Roses',
      members: [
        'old@example.com',
        { emailAddress: 'user1@example.com', firstName: 'Uma', lastName: 'Öberg, Jr.', city: 'Zürich' },
      ],
    },
    {
      id: '5',
      name: 'Tulips and "more"',
      shortName: 'Tulips',
      members: ['ann@example.com', 'old@example.com'],
    },
  ],
  removed: ['left@example.com'],
  doNotMail: ['gone@example.com'],
};

const START = '2011-03-01T12:00:00.000Z';
const LATENCY = { pending: [0, 2_000], queued: [0, 2_000], running: [500, 1_000] } as const;

/** The emulated service of the time. */
export function emulatedWs(seed: AccountSeed = SEED): Promise<Side> {
  const clock = createVirtualClock({ now: START });
  const emulator = createEmulator({ clock, accounts: [seed], latency: LATENCY });
  const side = { fetch: emulator.fetch, account: emulator.account(seed.user)! };
  return Promise.resolve({ ...side, settle: () => settle(side, clock), close: () => emulator.close() });
}

/** The gateway before an emulated v2 whose account is the same. */
export async function gateway(
  seed: AccountSeed = SEED,
  more: Partial<GatewayUser> = {},
  options: Partial<GatewayOptions> = {},
): Promise<Side> {
  const clock = createVirtualClock({ now: START });
  const emulator = createEmulator({ clock, accounts: [seed], latency: LATENCY });
  const folder = await mkdtemp(path.join(tmpdir(), 'ctct-gateway-'));
  const made = createGateway({
    store: memoryStore(),
    folder,
    accounts: accountsOf([
      {
        account: { user: seed.user, apiKey: 'key', accessToken: 't0ken', ...more },
        signIn: {
          basic: { apiKey: 'key', password: 'secret' },
          token: 't0ken',
          digest: { apiKey: 'key', password: 'secret' },
        },
      },
    ]),
    clock,
    fetch: emulator.fetch,
    ...options,
  });
  await made.start();
  const side = { fetch: made.fetch, account: emulator.account(seed.user)! };
  return {
    ...side,
    settle: () => settle(side, clock),
    async close() {
      await made.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const OPEN = /<Status>(?:UNCONFIRMED|PENDING|QUEUED|RUNNING)<\/Status>/;
const STEP = 5_000;
const MOST_STEPS = 2_000;

/** Moves the clock on until the feed shows no activity that is under way. */
export async function settle({ fetch }: Pick<Side, 'fetch'>, clock: VirtualClock): Promise<void> {
  for (let step = 0; step < MOST_STEPS; step++) {
    await clock.advance(STEP);
    // What is written to the disk needs a moment that no virtual clock can give.
    await new Promise((resolve) => setTimeout(resolve, 1));
    const feed = await fetch(
      new Request(`${BASE}/activities`, { headers: { authorization: AUTHORIZATION } }),
    );
    if (!OPEN.test(await feed.text())) return;
  }
  throw new Error(`activities are under way after ${(MOST_STEPS * STEP) / 60_000} minutes`);
}
