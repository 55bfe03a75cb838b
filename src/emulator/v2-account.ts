import type { ActivityService } from '../activity/service.js';
import type { ApiKeyCredentials } from '../http/credentials.js';
import type { EmulatedAccount } from './account.js';

/**
 * The account that the credentials of v2 mean, which name no user: the one whose seed asks for this token, else the one
 * that the token names as its user, else the first that takes any token.
 */
export function v2Account(
  accounts: readonly EmulatedAccount[],
  credentials: ApiKeyCredentials,
): ActivityService | undefined {
  const admitting = accounts.filter((account) => account.admits(credentials));
  const account =
    admitting.find(({ credentials: { accessToken } }) => accessToken !== undefined) ??
    admitting.find(({ user }) => user.toLowerCase() === credentials.token.toLowerCase()) ??
    admitting[0];
  return account === undefined ? undefined : asV2(account);
}

/** The account, with uploads checked by the rules of v2. */
function asV2(account: EmulatedAccount): ActivityService {
  return {
    create: (request, options) => account.create(request, { ...options, dialect: 'v2' }),
    get: (id, options) => account.get(id, options),
    list: (options) => account.list(options),
    download: (activity, options) => account.download(activity, options),
    lists: (options) => account.lists(options),
  };
}
