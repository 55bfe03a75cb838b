import type { Encoding } from '../format/transcode.js';
import { isSame } from '../http/digest.js';
import type { PresentedCredentials } from '../http/presented.js';
import type { ColumnTargets } from '../translate/columns.js';
import { isRight } from './password.js';

/** An account that the gateway serves: who it is for the old client, and by what it is reached at v2. */
export interface GatewayUser {
  /** As the account spells it; case does not matter in what clients send. */
  readonly user: string;
  /** The API key of v2. Its limits are shared by all accounts that have the same. */
  readonly apiKey: string;
  /** The OAuth 2 access token of v2, which tells the account. */
  readonly accessToken: string;
  /** Default `https://api.constantcontact.com`. */
  readonly baseUrl?: string | undefined;
  /** Hosts that may be reached by plain http. */
  readonly allowHttp?: readonly string[] | undefined;
  /** Ids of lists, as the old client knows them, by what v2 calls them. Those not named are the same in both. */
  readonly lists?: Readonly<Record<string, string>> | undefined;
  /** Where the values of columns go that v2 ignores. Default: they are left out, with a warning. */
  readonly into?: ColumnTargets | undefined;
  /** Of uploaded files without a byte order mark. Default `auto`: each line is UTF-8 or, where it is not, windows-1252. */
  readonly encoding?: Encoding | 'auto' | undefined;
  /** The time zone of times in exported files, by its IANA name. Default `America/New_York`, as the service had it. */
  readonly timeZone?: string | undefined;
}

/** The accounts that the gateway serves at present; they may change while it runs. */
export interface GatewayAccounts {
  /** The account of a user whose credentials are right; undefined refuses. Nothing of what is presented is kept or passed on. */
  find(user: string, presented: PresentedCredentials | undefined): Promise<GatewayUser | undefined>;
  /** The account of a user, in any case; undefined when it is not, or no longer, served. */
  get(user: string): GatewayUser | undefined;
  /** All accounts that are served at present. */
  all(): readonly GatewayUser[];
}

/** What the old client of an account shows: any of these will do. Where none is given, nobody is let in. */
export interface SignIn {
  /** HTTP Basic, `<apiKey>%<user>:<password>`. */
  readonly basic?: {
    /** Default: any, and none. */
    readonly apiKey?: string | undefined;
    /** The password itself, or a hash of it as `hashPassword` makes it. */
    readonly password: string;
  };
  /** The OAuth 2 token, in the header or the query. */
  readonly token?: string;
  /** HTTP Digest: the password itself, which a hash cannot stand for. */
  readonly digest?: { readonly apiKey?: string | undefined; readonly password: string };
  /** OAuth 1.0a. */
  readonly oauth1?: {
    /** Default: any. */
    readonly consumerKey?: string | undefined;
    /** Default: any. */
    readonly token?: string | undefined;
    readonly consumerSecret: string;
    readonly tokenSecret: string;
  };
}

/** An account, and how its old client signs in. */
export interface GatewayEntry {
  readonly account: GatewayUser;
  readonly signIn: SignIn;
}

/** Accounts by user. Users differ by more than case; of two that do not, the later counts. */
export function accountsOf(entries: readonly GatewayEntry[]): GatewayAccounts {
  const byUser = new Map(entries.map((entry) => [entry.account.user.toLowerCase(), entry]));
  const all = [...byUser.values()].map(({ account }) => account);
  return {
    async find(user, presented) {
      const entry = byUser.get(user.toLowerCase());
      if (entry === undefined || presented === undefined) return undefined;
      return (await admits(entry, presented)) ? entry.account : undefined;
    },
    get: (user) => byUser.get(user.toLowerCase())?.account,
    all: () => all,
  };
}

async function admits({ account, signIn }: GatewayEntry, presented: PresentedCredentials): Promise<boolean> {
  const names = ({ user }: { user: string }) => user.toLowerCase() === account.user.toLowerCase();
  switch (presented.scheme) {
    case 'basic': {
      const { basic } = signIn;
      if (basic === undefined || !names(presented) || !fits(basic.apiKey, presented.apiKey)) return false;
      return isRight(presented.password, basic.password);
    }
    case 'digest': {
      const { digest } = signIn;
      if (digest === undefined || !names(presented) || !fits(digest.apiKey, presented.apiKey)) return false;
      return presented.verify(digest.password);
    }
    case 'oauth1': {
      const { oauth1 } = signIn;
      if (oauth1 === undefined || !fits(oauth1.consumerKey, presented.consumerKey)) return false;
      return fits(oauth1.token, presented.token ?? '') && presented.verify(oauth1);
    }
    // A key beside the token, as v2 has it, was nothing to ws.
    default:
      return signIn.token !== undefined && isSame(signIn.token, presented.token);
  }
}

function fits(wanted: string | undefined, given: string): boolean {
  return wanted === undefined || isSame(wanted, given);
}
