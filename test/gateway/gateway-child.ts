import { writeSync } from 'node:fs';
import path from 'node:path';
import { accountsOf } from '../../src/gateway/accounts.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { serve } from '../../src/http/serve.js';
import { openStore } from '../../src/store/sqlite.js';
import { fastClock } from './fast-clock.js';
import { killing } from './killing-store.js';

/**
 * A gateway in a process that can be killed: `gateway-child.ts <JSON of ChildOptions>`. Tells where it listens. With
 * `CTCT_KILL=before:17` it kills itself before its 17th call that writes to the store, with `after:17` behind it; with
 * `CTCT_KILL=count` it tells the number of those calls when it is ended by SIGTERM.
 */
export interface ChildOptions {
  readonly folder: string;
  readonly port: number;
  readonly upstream: string;
  /** Where the clock begins, in milliseconds since 1970. */
  readonly start: number;
}

const { folder, port, upstream, start } = JSON.parse(process.argv[2] ?? '') as ChildOptions;
const clock = fastClock(start);
const { store, writes } = killing(
  await openStore(path.join(folder, 'gateway.db'), { thread: true }),
  process.env.CTCT_KILL,
);
const gateway = createGateway({
  store,
  folder,
  accounts: accountsOf([
    {
      account: { user: 'joesflowers', apiKey: 'key', accessToken: 't0ken', baseUrl: upstream },
      signIn: { basic: { password: 'secret' } },
    },
  ]),
  clock,
  limits: { perSecond: 1_000, perDay: 1_000_000 },
  pollInterval: 1_000,
  // Looking longer for what was lost would find no more here, and take its time.
  reconcile: { quietPeriod: 20_000 },
  timeouts: { connect: 2_000, headers: 800, bodyIdle: 800 },
});
await gateway.start();
const server = await serve(gateway.fetch, { port });
process.once('SIGTERM', () => {
  void server
    .close()
    .then(() => gateway.close())
    .then(() => store.close())
    .then(() => {
      writeSync(1, `writes ${writes()}\n`);
      process.exit(0);
    });
});
writeSync(1, `${server.url}\n`);
