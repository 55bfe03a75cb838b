import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createEmulator, type Emulator } from '../../src/emulator/emulator.js';
import { accountsOf } from '../../src/gateway/accounts.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { serve } from '../../src/http/serve.js';
import { openStore } from '../../src/store/sqlite.js';
import { fastClock } from './fast-clock.js';
import { SEED, USER } from './sides.js';

/** A server on a port, on a clock that goes by itself. */
export interface Live {
  readonly url: string;
  /** Of the account behind it. */
  readonly emulator: Emulator;
  close(): Promise<void>;
}

/** v2 has no short names of lists, which is declared. */
const ACCOUNT = { ...SEED, lists: SEED.lists?.map((list) => ({ ...list, shortName: undefined })) };

function makeEmulator(): Emulator {
  return createEmulator({ clock: fastClock(Date.now()), accounts: [ACCOUNT], latency: 'instant' });
}

/** The emulated service of the time. */
export async function liveEmulator(): Promise<Live> {
  const emulator = makeEmulator();
  const { url } = await emulator.listen();
  return { url, emulator, close: () => emulator.close() };
}

/** The gateway before an emulated v2, with its store on the disk. */
export async function liveGateway(): Promise<Live> {
  const emulator = makeEmulator();
  const { url: baseUrl } = await emulator.listen();
  const folder = await mkdtemp(path.join(tmpdir(), 'ctct-gateway-'));
  const store = await openStore(path.join(folder, 'gateway.db'));
  const gateway = createGateway({
    store,
    folder,
    accounts: accountsOf([
      {
        account: { user: USER, apiKey: 'key', accessToken: 't0ken', baseUrl },
        signIn: { basic: { password: 'secret' }, token: 't0ken', digest: { password: 'secret' } },
      },
    ]),
    clock: emulator.clock,
    limits: { perSecond: 1_000, perDay: 1_000_000 },
  });
  await gateway.start();
  const server = await serve(gateway.fetch);
  return {
    url: server.url,
    emulator,
    async close() {
      await server.close();
      await gateway.close();
      await store.close();
      await emulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
