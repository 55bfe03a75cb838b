import { UsageError } from '../activity/errors.js';
import {
  environmentAccount,
  readAccounts,
  type ReadAccounts,
  type WrongAccount,
} from '../gateway/accounts-file.js';
import type { Session } from './session.js';

/**
 * The accounts of a file, or the one of the environment, of which `--user` and `--base-url` go before what is set.
 * @param wrong as for `readAccounts`
 * @throws UsageError that names the place; `OPTION_INVALID` for `--user` or `--base-url` beside a file
 */
export async function gatewayAccounts(
  session: Session,
  path: string | undefined,
  wrong?: WrongAccount,
): Promise<ReadAccounts> {
  const { env } = session.io;
  const { user, baseUrl } = session.settingSources.flags;
  if (path === undefined) {
    return environmentAccount({
      ...env,
      ...(user !== undefined && { CTCT_USER: user }),
      ...(baseUrl !== undefined && { CTCT_BASE_URL: baseUrl }),
    });
  }
  if (user !== undefined) {
    throw new UsageError('OPTION_INVALID', `--user: ${path} names the accounts; leave it out`);
  }
  if (baseUrl === undefined) return readAccounts(path, env, wrong);
  const message = `--base-url: each account of ${path} says where its service is: target.baseUrl`;
  throw new UsageError('OPTION_INVALID', message);
}
