import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmulator } from '../emulator/emulator.js';
import { accountsOf } from '../gateway/accounts.js';
import { memoryStore } from '../store/memory.js';
import { demoAccount, FAST } from './demo-account.js';
import type { Exit } from './exit-codes.js';
import { interrupted } from './interrupted.js';
import { gatewayLog, serveGateway, type ServedGateway, type ServeSettings } from './gateway-serve.js';
import type { Session } from './session.js';

const USER = 'joesflowers';
/** What the old client of the demo signs in with. */
const OLD = { apiKey: 'old-key', password: 'old-password' } as const;
/** What the gateway reaches the emulated v2 by. */
const NEW = { apiKey: 'demo-v2-key', accessToken: 'demo-v2-token' } as const;
/** The emulated jobs take a second, so they are looked at more often than real ones. */
const POLL = 200;
const LIMITS = { perSecond: 50 } as const;

/** An emulated v2 service and a gateway before it, with lines to try it by, until it is told to end. */
export async function runDemo(
  session: Session,
  settings: ServeSettings,
  told: (served: Pick<ServedGateway, 'url' | 'opsUrl'>) => Promise<void>,
): Promise<Exit> {
  const folder = await mkdtemp(join(tmpdir(), 'ctct-gateway-demo-'));
  const emulator = createEmulator({
    accounts: [{ ...demoAccount(USER), credentials: { ...NEW } }],
    clock: session.clock,
    latency: FAST,
  });
  const store = memoryStore();
  try {
    const upstream = await emulator.listen();
    const account = { user: USER, ...NEW, baseUrl: upstream.url };
    const accounts = accountsOf([{ account, signIn: { basic: OLD } }]);
    const log = await gatewayLog(session, settings.log, () => [...Object.values(NEW), OLD.password]);
    const options = { store, folder, limits: LIMITS, pollInterval: POLL };
    const served = await serveGateway(session, options, accounts, log, settings);
    try {
      await told(served);
      explain(session, served.url, upstream.url, { opsUrl: served.opsUrl, page: settings.page });
      await interrupted(session.io.signal);
    } finally {
      await served.close();
    }
  } finally {
    await store.close();
    await emulator.close();
    await rm(folder, { recursive: true, force: true });
  }
  return 'ok';
}

interface Shown {
  readonly opsUrl: string | undefined;
  readonly page: boolean;
}

function explain({ talk }: Session, url: string, upstream: string, { opsUrl, page }: Shown): void {
  talk.note(`An emulated v2 service is at ${upstream}, and a gateway before it: old clients see ws.`);
  talk.note('In another terminal, as a script of 2010 would do it. Upload two contacts to list 2:');
  talk.note('');
  for (const line of demoLines(url)) talk.note(line);
  talk.note('');
  talk.note(`What v2 is asked, and what can go wrong there: ${upstream}/__emulator/`);
  if (page && opsUrl !== undefined) talk.note(`What passes through the gateway: ${opsUrl}/page/`);
  talk.note('Ctrl-C ends it, and all that it holds.');
}

/** Command lines of curl, each to be copied as it is, in the order in which they make sense. */
export function demoLines(url: string): readonly string[] {
  const activities = `${url}/ws/customers/${USER}/activities`;
  const curl = `curl -sS -u '${OLD.apiKey}%${USER}:${OLD.password}'`;
  const list = `${url.replace(/^https?:/, 'http:')}/ws/customers/${USER}/lists/2`;
  return [
    `  ${curl} -i ${activities} -d activityType=SV_ADD -d 'lists=${list}' --data-urlencode 'data=Email Address,First Name`,
    'ann@example.com,Ann',
    "bob@example.com,Bob'",
    '',
    'See what became of it, once or again:',
    '',
    `  ${curl} ${activities}`,
    '',
    'Export the list, and download the file when it is complete:',
    '',
    `  export_uri=$(${curl} -o /dev/null -D - ${activities} -d activityType=EXPORT_CONTACTS -d fileType=CSV ` +
      `-d 'listId=${list}' -d 'columns=FIRST NAME' | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')`,
    `  sleep 3; ${curl} "$export_uri.csv"`,
  ];
}
