import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CtctError, UsageError } from '../activity/errors.js';
import { readDocument } from '../format/document.js';
import { checkCredentials } from '../http/credentials.js';
import { parseBaseUrl } from '../http/origin.js';
import { readHosts } from '../http/origin.js';
import { isSecretReference, readSecret, whyUnreadable } from '../http/secret.js';
import { readTargets } from '../translate/columns.js';
import type { GatewayEntry, GatewayUser, SignIn } from './accounts.js';
import { isPasswordHash, isUsableHash } from './password.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The document of schemas/gateway-accounts.schema.json. */
interface AccountsDocument {
  readonly accounts: readonly AccountDocument[];
}

/** An account with references in place of its secrets. */
interface AccountDocument extends Omit<GatewayUser, 'apiKey' | 'accessToken' | 'baseUrl' | 'allowHttp'> {
  readonly signIn: SignIn;
  readonly target: Pick<GatewayUser, 'apiKey' | 'accessToken' | 'baseUrl' | 'allowHttp'>;
}

/** The accounts, and the files that they were read from. */
export interface ReadAccounts {
  readonly entries: readonly GatewayEntry[];
  readonly files: readonly string[];
}

/** Told of an account that cannot be used, and why. */
export type WrongAccount = (user: string, error: CtctError) => void;

/**
 * The accounts of a file, their secrets read from where it says that they are.
 * @param wrong told of accounts that cannot be used, which are left out then. Default: the first of them is thrown.
 * @throws UsageError `CONFIG_INVALID` for a file that cannot be used, `CREDENTIALS_REQUIRED` for a secret that is not
 * there, `CREDENTIALS_EXPOSED` for one that other users can read; each names the place.
 */
export async function readAccounts(
  path: string,
  env: Environment,
  wrong?: WrongAccount,
): Promise<ReadAccounts> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const message = `${path}: the accounts cannot be read (${whyUnreadable(error)})`;
    throw new UsageError('CONFIG_INVALID', message, { cause: error });
  }
  const { accounts } = await readDocument<AccountsDocument>(text, {
    source: path,
    schema: 'gateway-accounts',
  });
  const users = new Map<string, number>();
  accounts.forEach(({ user }, index) => {
    const other = users.get(user.toLowerCase());
    if (other !== undefined) {
      throw invalid(
        `${path}: accounts[${index}].user: accounts[${other}] has it too; case makes no difference`,
      );
    }
    users.set(user.toLowerCase(), index);
  });
  const reader = new References(env, dirname(resolve(path)));
  const entries: GatewayEntry[] = [];
  for (const [index, account] of accounts.entries()) {
    try {
      entries.push(await readAccount(account, reader, (field) => `${path}: accounts[${index}].${field}`));
    } catch (error) {
      if (wrong === undefined || !(error instanceof CtctError)) throw error;
      wrong(account.user, error);
    }
  }
  return { entries, files: [resolve(path), ...reader.files] };
}

/**
 * The one account that the environment tells of: `CTCT_USER`; how it is reached, as `ctct --api v2` has it, by
 * `CTCT_API_KEY`, `CTCT_ACCESS_TOKEN` (or `_FILE`), `CTCT_BASE_URL` and `CTCT_ALLOW_HTTP`; and what the old client signs in
 * with, `CTCT_GATEWAY_PASSWORD` (or `_FILE`; itself or its hash) and `CTCT_GATEWAY_API_KEY`, or `CTCT_GATEWAY_TOKEN`.
 * @throws UsageError `CREDENTIALS_REQUIRED` that names what to set.
 */
export async function environmentAccount(env: Environment): Promise<ReadAccounts> {
  const set = (name: string) => env[name] !== undefined && env[name] !== '';
  const reference = (name: string) => {
    if (set(name)) return `env:${name}`;
    return set(`${name}_FILE`) ? `file:${env[`${name}_FILE`] ?? ''}` : undefined;
  };
  const user = env.CTCT_USER ?? '';
  const [apiKey, accessToken] = [reference('CTCT_API_KEY'), reference('CTCT_ACCESS_TOKEN')];
  const [password, token] = [reference('CTCT_GATEWAY_PASSWORD'), reference('CTCT_GATEWAY_TOKEN')];
  const oldKey = reference('CTCT_GATEWAY_API_KEY');
  const missing = [
    ...(user === '' ? ['CTCT_USER'] : []),
    ...(apiKey === undefined ? ['CTCT_API_KEY'] : []),
    ...(accessToken === undefined ? ['CTCT_ACCESS_TOKEN (or CTCT_ACCESS_TOKEN_FILE)'] : []),
    ...((password ?? token) === undefined
      ? ['CTCT_GATEWAY_PASSWORD (or CTCT_GATEWAY_PASSWORD_FILE, or CTCT_GATEWAY_TOKEN)']
      : []),
  ];
  if (apiKey === undefined || accessToken === undefined || missing.length > 0) {
    throw new UsageError(
      'CREDENTIALS_REQUIRED',
      `no accounts: give --accounts FILE, or for one account set ${missing.join(', ')}`,
    );
  }
  const account: AccountDocument = {
    user,
    signIn: {
      ...(password !== undefined && { basic: { password, apiKey: oldKey } }),
      ...(token !== undefined && { token }),
    },
    target: {
      apiKey,
      accessToken,
      ...(set('CTCT_BASE_URL') && { baseUrl: env.CTCT_BASE_URL }),
      allowHttp: readHosts(env.CTCT_ALLOW_HTTP),
    },
  };
  const reader = new References(env, process.cwd());
  const entry = await readAccount(account, reader, (field) => `the environment: ${field}`);
  return { entries: [entry], files: reader.files };
}

type Place = (field: string) => string;

async function readAccount(account: AccountDocument, read: References, place: Place): Promise<GatewayEntry> {
  const { signIn, target, ...facts } = account;
  checkFacts(facts, place);
  const { apiKey, accessToken, ...where } = target;
  const secrets = {
    apiKey: await read.secret(apiKey, place('target.apiKey')),
    accessToken: await read.secret(accessToken, place('target.accessToken')),
  };
  at(place('target'), () => {
    checkCredentials({ scheme: 'api_key', apiKey: secrets.apiKey, token: secrets.accessToken });
  });
  if (where.baseUrl !== undefined) {
    const { baseUrl, allowHttp } = where;
    at(place('target.baseUrl'), () => parseBaseUrl(baseUrl, allowHttp));
  }
  return { account: { ...facts, ...secrets, ...where }, signIn: await readSignIn(signIn, read, place) };
}

async function readSignIn(signIn: SignIn, read: References, place: Place): Promise<SignIn> {
  const { basic, token, digest, oauth1 } = signIn;
  const all = async <T extends object>(given: T, name: string): Promise<T> => {
    const found: Record<string, string> = {};
    for (const [field, reference] of Object.entries(given) as [string, string | undefined][]) {
      if (reference !== undefined)
        found[field] = await read.secret(reference, place(`signIn.${name}.${field}`));
    }
    return found as T;
  };
  const result: SignIn = {
    ...(basic && { basic: await all(basic, 'basic') }),
    ...(token !== undefined && { token: await read.secret(token, place('signIn.token')) }),
    ...(digest && { digest: await all(digest, 'digest') }),
    ...(oauth1 && { oauth1: await all(oauth1, 'oauth1') }),
  };
  const hashed = result.basic?.password ?? '';
  if (isPasswordHash(hashed) && !isUsableHash(hashed)) {
    throw invalid(
      `${place('signIn.basic.password')}: is no hash of this kind; make one by: ctct gateway hash-password`,
    );
  }
  if (isPasswordHash(result.digest?.password ?? '')) {
    throw invalid(
      `${place('signIn.digest.password')}: leads to a hash, which cannot verify Digest; it must lead to the password itself`,
    );
  }
  return result;
}

function checkFacts({ into, timeZone }: Pick<GatewayUser, 'into' | 'timeZone'>, place: Place) {
  at(place('into'), () => readTargets(into ?? {}));
  try {
    new Intl.DateTimeFormat('en-US', { timeZone });
  } catch (error) {
    throw invalid(`${place('timeZone')}: is no time zone, such as "Europe/London"`, error);
  }
}

/** Reads what references lead to, and remembers the files. */
class References {
  readonly files: string[] = [];
  readonly #env: Environment;
  readonly #folder: string;

  constructor(env: Environment, folder: string) {
    this.#env = env;
    this.#folder = folder;
  }

  /** A hash stands for itself; it is the one thing that may. */
  async secret(reference: string, place: string): Promise<string> {
    if (isPasswordHash(reference)) return reference;
    if (!isSecretReference(reference)) throw invalid(`${place}: must be env:NAME or file:PATH`);
    if (reference.startsWith('file:'))
      this.files.push(resolve(this.#folder, reference.slice('file:'.length)));
    return readSecret(reference, { env: this.#env, folder: this.#folder, place });
  }
}

/** Does what may refuse, the place in front of what it says. */
function at(place: string, act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (error instanceof CtctError) throw invalid(`${place}: ${error.message}`, error);
    throw error;
  }
}

function invalid(message: string, cause?: unknown): UsageError {
  return new UsageError('CONFIG_INVALID', message, cause === undefined ? undefined : { cause });
}
