import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What a request says in `Authorization: Digest`. */
export interface DigestAnswer {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  /** Undefined for a client that knows RFC 2069 only. */
  readonly qop: string | undefined;
  readonly nc: string;
  readonly cnonce: string;
  readonly algorithm: string;
}

/**
 * The answer in a Digest header, or undefined where what it needs is missing.
 * @see RFC 2617 section 3.2.2
 */
export function parseDigest(header: string): DigestAnswer | undefined {
  const scheme = /^\s*digest\s+/i.exec(header);
  if (scheme === null) return undefined;
  const fields = new Map<string, string>();
  const field = /([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/gi;
  for (const [, name = '', quoted, plain = ''] of header.slice(scheme[0].length).matchAll(field)) {
    fields.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain);
  }
  const get = (name: string) => fields.get(name) ?? '';
  const answer = {
    username: get('username'),
    realm: get('realm'),
    nonce: get('nonce'),
    uri: get('uri'),
    response: get('response').toLowerCase(),
    qop: fields.get('qop'),
    nc: get('nc'),
    cnonce: get('cnonce'),
    algorithm: fields.get('algorithm') ?? 'MD5',
  };
  return answer.username === '' || answer.nonce === '' || answer.response === '' ? undefined : answer;
}

/**
 * The `response` that goes with the password: 32 hexadecimal digits; undefined for an algorithm or a quality of protection
 * that is not MD5, MD5-sess, `auth` or none.
 * @see RFC 2617 section 3.2.2.1
 */
export function digestResponse(answer: DigestAnswer, method: string, password: string): string | undefined {
  const { username, realm, nonce, uri, qop, nc, cnonce } = answer;
  const algorithm = answer.algorithm.toLowerCase();
  if (algorithm !== 'md5' && algorithm !== 'md5-sess') return undefined;
  if (qop !== undefined && qop.toLowerCase() !== 'auth') return undefined;
  const secret = md5(`${username}:${realm}:${password}`);
  const first = algorithm === 'md5' ? secret : md5(`${secret}:${nonce}:${cnonce}`);
  const second = md5(`${method}:${uri}`);
  return qop === undefined
    ? md5(`${first}:${nonce}:${second}`)
    : md5(`${first}:${nonce}:${nc}:${cnonce}:${qop}:${second}`);
}

/** Makes nonces that only it knows to be its own. They do not age, as a clock of the tests may jump. */
export class Nonces {
  readonly #key = randomBytes(32);

  make(): string {
    const seed = randomBytes(8).toString('hex');
    return seed + this.#sign(seed);
  }

  made(nonce: string): boolean {
    return isSame(nonce.slice(16), this.#sign(nonce.slice(0, 16)));
  }

  #sign(seed: string): string {
    return createHmac('sha256', this.#key).update(seed).digest('hex').slice(0, 24);
  }
}

/**
 * A challenge as RFC 2617 section 3.2.1 has it. The realm stands behind: where it followed the scheme, Python 2 would take
 * this for the one challenge of a header that asks for Basic too.
 */
export function digestChallenge(realm: string, nonce: string): string {
  return `Digest qop="auth", realm="${realm}", nonce="${nonce}", algorithm=MD5`;
}

/** Whether two texts are equal, in a time that does not tell where they differ. */
export function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
