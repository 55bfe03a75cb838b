import type { GatewayOptions } from '../gateway/gateway.js';
import type { WatchedAccounts } from '../gateway/accounts-watch.js';
import type { Exit } from './exit-codes.js';
import {
  accountsFrom,
  gatewayLog,
  serveGateway,
  type ServedGateway,
  type ServeSettings,
} from './gateway-serve.js';
import { openGatewayStore } from './gateway-store.js';
import { interrupted } from './interrupted.js';
import type { Session } from './session.js';

export interface RunSettings {
  readonly serve: ServeSettings;
  readonly gateway: Omit<GatewayOptions, 'store' | 'folder' | 'accounts' | 'clock' | 'onEvent'>;
  /** Called once requests are taken. */
  readonly told: (served: Pick<ServedGateway, 'url' | 'opsUrl'>) => Promise<void>;
}

/**
 * Runs a gateway until it is told to end.
 * @param path of the accounts; undefined for the one of the environment
 * @throws UsageError for what cannot be used, before any request is taken
 */
export async function runGateway(
  session: Session,
  path: string | undefined,
  folder: string,
  { serve, gateway, told }: RunSettings,
): Promise<Exit> {
  let accounts: WatchedAccounts | undefined = undefined;
  const log = await gatewayLog(session, serve.log, () => accounts?.secrets() ?? []);
  accounts = await accountsFrom(session, path, {
    onNews: (news) => {
      log.accounts(news);
    },
  });
  try {
    const store = await openGatewayStore(folder);
    try {
      const served = await serveGateway(session, { ...gateway, store, folder }, accounts, log, serve);
      try {
        const reread = onHangUp(() => {
          void accounts.reload();
          served.renew().catch((error: unknown) => {
            log.say('error', `the certificate could not be read again: ${messageOf(error)}`);
          });
        });
        log.say('info', 'the gateway takes requests', {
          url: served.url,
          ...(served.opsUrl !== undefined && { operations: served.opsUrl }),
          accounts: accounts.all().length,
        });
        await told(served);
        await interrupted(session.io.signal);
        reread();
        log.say('info', 'the gateway is about to end');
      } finally {
        await served.close();
      }
    } finally {
      await store.close();
    }
  } finally {
    accounts.close();
  }
  return 'ok';
}

/** Calls back at each SIGHUP, until the result is called. Windows has none. */
function onHangUp(act: () => void): () => void {
  process.on('SIGHUP', act);
  return () => process.off('SIGHUP', act);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
