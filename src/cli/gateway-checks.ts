import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { ContactList } from '../activity/list.js';
import type { GatewayEntry } from '../gateway/accounts.js';
import { isPasswordHash } from '../gateway/password.js';
import type { Limiter } from '../http/limiter.js';
import { tlsOf } from './emulator-setup.js';
import { exitOf, type Exit } from './exit-codes.js';
import { checkGatewayStore } from './gateway-store.js';
import type { Session } from './session.js';
import { plainText } from './terminal.js';

/** What was looked at, and what was found. */
export interface Finding {
  /** The user, or nothing for what is not of one account. */
  readonly account: string;
  readonly what: string;
  readonly result: 'ok' | 'warning' | 'problem';
  readonly detail: string;
  /** What a problem means for the exit. */
  readonly exit?: Exit;
}

/** Days before its end at which a certificate is told of. */
const SOON = 21;
const DAY = 24 * 60 * 60 * 1000;

/** An account that cannot be served as it is configured. */
export function accountProblem(user: string, error: unknown): Finding {
  const detail = messageOf(error);
  return { account: user, what: 'configuration', result: 'problem', detail, exit: exitOf(error) };
}

/** What is configured for an account, and what v2 says of it, where there is a limiter to ask it by. Nothing is changed there. */
export async function* accountFindings(
  session: Session,
  { account, signIn }: GatewayEntry,
  others: readonly GatewayEntry[],
  limiter: Limiter | undefined,
): AsyncGenerator<Finding, void> {
  const of = { account: account.user };
  const { basic, token, digest, oauth1 } = signIn;
  const ways = [
    ...(basic ? [isPasswordHash(basic.password) ? 'Basic, by a hash' : 'Basic'] : []),
    ...(token === undefined ? [] : ['token']),
    ...(digest ? ['Digest'] : []),
    ...(oauth1 ? ['OAuth 1.0a'] : []),
  ];
  yield { ...of, what: 'sign-in', result: 'ok', detail: ways.join(', ') };
  const twin = others.find((other) => other.account.accessToken === account.accessToken);
  if (twin !== undefined) {
    const detail = `has the same token as ${twin.account.user}: both lead to one account of v2`;
    yield { ...of, what: 'token', result: 'warning', detail };
  }
  if (limiter === undefined) return;
  const found = await listsOf(session, account, limiter);
  if ('failed' in found) {
    yield {
      ...of,
      what: 'v2',
      result: 'problem',
      detail: messageOf(found.failed),
      exit: exitOf(found.failed),
    };
    return;
  }
  const own = found.lists.filter(({ system }) => !system);
  const many = own.length === 1 ? '1 list' : `${own.length} lists`;
  yield { ...of, what: 'v2', result: 'ok', detail: `key and token are accepted; ${many}` };
  yield* listFindings(of, own, account.lists ?? {});
}

/** What each list of the old client is in v2, by name. */
function* listFindings(
  of: { readonly account: string },
  own: readonly ContactList[],
  ids: Readonly<Record<string, string>>,
): Generator<Finding, void> {
  for (const [old, id] of Object.entries(ids)) {
    const list = own.find((candidate) => candidate.id === id);
    const what = `list ${old}`;
    if (list === undefined) {
      yield {
        ...of,
        what,
        result: 'problem',
        detail: `leads to ${id}, and v2 has no such list`,
        exit: 'failure',
      };
    } else {
      yield { ...of, what, result: 'ok', detail: `is ${id} in v2, "${plainText(list.name)}"` };
    }
  }
  const mapped = new Set(Object.values(ids));
  for (const { id, name } of own.filter((list) => !mapped.has(list.id))) {
    const hidden = Object.hasOwn(ids, id);
    yield {
      ...of,
      what: `list ${id}`,
      result: hidden ? 'warning' : 'ok',
      detail: hidden
        ? `cannot be reached, as its id leads to ${ids[id] ?? ''}: "${plainText(name)}"`
        : `is the same in v2, "${plainText(name)}"`,
    };
  }
}

async function listsOf(
  session: Session,
  { apiKey, accessToken, baseUrl, allowHttp }: GatewayEntry['account'],
  limiter: Limiter,
): Promise<{ readonly lists: readonly ContactList[] } | { readonly failed: unknown }> {
  const { V2Client } = await import('../v2/client.js');
  try {
    const client = new V2Client({
      credentials: { scheme: 'api_key', apiKey, token: accessToken },
      baseUrl,
      allowHttp,
      clock: session.clock,
      limiter,
      ...(session.io.fetch && { fetch: session.io.fetch }),
    });
    const lists: ContactList[] = [];
    for await (const list of client.lists(session.abort)) lists.push(list);
    return { lists };
  } catch (error) {
    if (session.io.signal?.aborted === true) throw error;
    return { failed: error };
  }
}

/** Whether there is a store, and it can be used. */
export async function storeFinding(folder: string): Promise<Finding> {
  try {
    const there = await checkGatewayStore(folder);
    const detail = there ? `${folder} can be used` : `there is none in ${folder} yet; it will be made`;
    return { account: '', what: 'store', result: 'ok', detail };
  } catch (error) {
    return { account: '', what: 'store', result: 'problem', detail: messageOf(error), exit: exitOf(error) };
  }
}

/** Whether the certificate fits its key, and for how long it holds. */
export async function tlsFinding(session: Session, path: string, keyPath?: string): Promise<Finding> {
  const of = { account: '', what: 'certificate' } as const;
  try {
    const tls = await tlsOf(path, keyPath);
    const certificate = new X509Certificate(tls?.cert ?? '');
    if (!certificate.checkPrivateKey(createPrivateKey(tls?.key ?? ''))) {
      return {
        ...of,
        result: 'problem',
        detail: `${keyPath ?? path}: the key is of another certificate`,
        exit: 'usage',
      };
    }
    const left = Math.floor((Date.parse(certificate.validTo) - session.clock.now()) / DAY);
    const until = `holds until ${new Date(certificate.validTo).toISOString().slice(0, 10)}`;
    if (left < 0) return { ...of, result: 'problem', detail: `${path}: has run out`, exit: 'usage' };
    return { ...of, result: left < SOON ? 'warning' : 'ok', detail: until };
  } catch (error) {
    const readable =
      exitOf(error) === 'usage' ? messageOf(error) : `${path}: is no certificate with its key (PEM)`;
    return { ...of, result: 'problem', detail: readable, exit: 'usage' };
  }
}

function messageOf(error: unknown): string {
  return plainText(error instanceof Error ? error.message : String(error));
}
