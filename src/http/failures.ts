import { CtctError, TransportError } from '../activity/errors.js';

type Sent = TransportError['sent'];
interface Failure {
  /** Whether the service may have acted on the request. */
  readonly sent: Sent;
  /** In words, to follow "GET https://… was not sent: ". */
  readonly reason: string;
  /** Another try would meet the same. Default false. */
  readonly lasting?: true;
}

/** What the codes of a failed connection mean. A code that is not here means: unknown, so the request may be sent. */
const FAILURES = {
  ECONNREFUSED: { sent: 'no', reason: 'connection refused; nothing listens there' },
  ENOTFOUND: { sent: 'no', reason: 'no such host; is the name spelled right?' },
  EAI_AGAIN: { sent: 'no', reason: 'the host name could not be looked up; is the network up?' },
  EHOSTUNREACH: { sent: 'no', reason: 'the host cannot be reached' },
  ENETUNREACH: { sent: 'no', reason: 'the network cannot be reached' },
  ENETDOWN: { sent: 'no', reason: 'the network is down' },
  EADDRNOTAVAIL: { sent: 'no', reason: 'this machine has no address to connect from' },
  UND_ERR_CONNECT_TIMEOUT: { sent: 'no', reason: 'no connection in the time allowed' },
  CERT_HAS_EXPIRED: { sent: 'no', reason: "the host's certificate has expired", lasting: true },
  CERT_NOT_YET_VALID: {
    sent: 'no',
    reason: "the host's certificate is not yet valid; is the clock right?",
    lasting: true,
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    sent: 'no',
    reason: "the host's certificate is signed by itself",
    lasting: true,
  },
  SELF_SIGNED_CERT_IN_CHAIN: {
    sent: 'no',
    reason: "the host's certificate has an unknown authority",
    lasting: true,
  },
  UNABLE_TO_GET_ISSUER_CERT: {
    sent: 'no',
    reason: "the host's certificate has an unknown authority",
    lasting: true,
  },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: {
    sent: 'no',
    reason: "the host's certificate has an unknown authority",
    lasting: true,
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    sent: 'no',
    reason: "the host's certificate cannot be verified",
    lasting: true,
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    sent: 'no',
    reason: "the host's certificate is for another host",
    lasting: true,
  },
  EPROTO: { sent: 'no', reason: 'the TLS handshake failed' },
  ERR_NOCK_NO_MATCH: { sent: 'no', reason: 'no nock interceptor matches it', lasting: true },
  UND_MOCK_ERR_MOCK_NOT_MATCHED: {
    sent: 'no',
    reason: 'no interceptor of the MockAgent matches it',
    lasting: true,
  },
  ETIMEDOUT: { sent: 'maybe', reason: 'the connection timed out' },
  ECONNRESET: { sent: 'maybe', reason: 'the connection was reset' },
  ECONNABORTED: { sent: 'maybe', reason: 'the connection was aborted' },
  EPIPE: { sent: 'maybe', reason: 'the other side closed the connection' },
  UND_ERR_SOCKET: { sent: 'maybe', reason: 'the other side closed the connection' },
  UND_ERR_HEADERS_TIMEOUT: { sent: 'maybe', reason: 'no answer in the time allowed' },
  UND_ERR_BODY_TIMEOUT: { sent: 'maybe', reason: 'the answer stopped coming' },
  UND_ERR_HEADERS_OVERFLOW: { sent: 'maybe', reason: 'the head of the answer is too large' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { sent: 'maybe', reason: 'the answer is not as long as it says' },
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: { sent: 'maybe', reason: 'the request is not as long as it says' },
} as const satisfies Record<string, Failure>;

const TIMEOUTS: readonly string[] = [
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
];

/**
 * The error a failed call ends with. One of this package's own passes unchanged (a contact file that changed while it
 * was sent, say); any other becomes a TransportError, without anything of `secrets` in it or in its cause.
 * @param call such as `GET https://api.constantcontact.com/ws/…`, without query
 * @param answered whether the head of the answer was there already
 */
export function failureOf(
  error: unknown,
  call: string,
  answered: boolean,
  secrets: readonly string[],
): CtctError {
  const own = chain(error).find((link) => link instanceof CtctError);
  if (own !== undefined) return own;
  const code = codeOf(error);
  const known = lookup(error, code);
  const sent = answered ? 'maybe' : (known?.sent ?? 'maybe');
  const reason = known?.reason ?? redact(describe(error), secrets).slice(0, 300);
  const label = code === undefined ? '' : ` (${redact(code, secrets)})`;
  const options = { sent, cause: withoutSecrets(error, secrets) };
  const outcome = sent === 'no' ? 'was not sent' : answered ? 'was answered in part' : 'got no answer';
  const kind =
    code !== undefined && TIMEOUTS.includes(code)
      ? 'TIMED_OUT'
      : sent === 'no'
        ? 'REQUEST_NOT_SENT'
        : 'RESPONSE_LOST';
  return new TransportError(kind, `${call} ${outcome}: ${reason}${label}`, options);
}

/**
 * Whether another try of the same request may go better. What broke before anything was sent for no known reason (a body
 * that cannot be read, say) breaks again.
 */
export function mayPass(error: TransportError): boolean {
  switch (error.code) {
    case 'REQUEST_NOT_SENT':
    case 'RESPONSE_LOST':
    case 'TIMED_OUT': {
      if (error.sent === 'maybe') return true;
      const known = lookup(error.cause, codeOf(error.cause));
      return known !== undefined && known.lasting !== true;
    }
    default:
      return false;
  }
}

function lookup(error: unknown, code: string | undefined): Failure | undefined {
  // Only the message tells this one: fetch refuses some ports before it connects.
  if (chain(error).some((link) => link instanceof Error && link.message === 'bad port')) {
    return { sent: 'no', reason: 'fetch refuses to connect to this port; use another', lasting: true };
  }
  const refusal = chain(error)
    .map(proxyStatus)
    .find((status) => status !== undefined);
  if (refusal !== undefined) {
    const reason = `the proxy answered ${refusal} instead of opening a connection`;
    return refusal === '407' ? { sent: 'no', reason, lasting: true } : { sent: 'no', reason };
  }
  // undici gives this one a code for some faults only.
  if (chain(error).some((link) => property(link, 'name') === 'HTTPParserError')) {
    return { sent: 'maybe', reason: 'the answer is not HTTP' };
  }
  if (code === undefined) return undefined;
  if (code.startsWith('ERR_SSL_')) return { sent: 'no', reason: 'the TLS handshake failed' };
  const known = Object.hasOwn(FAILURES, code) ? FAILURES[code as keyof typeof FAILURES] : undefined;
  if (!chain(error).some(neverConnected)) return known;
  return { reason: 'no connection came about', ...known, sent: 'no' };
}

/** What a proxy answered to a CONNECT, other than 200. */
function proxyStatus(error: unknown): string | undefined {
  return error instanceof Error ? /^Proxy response \((\d+)\) !== 200/.exec(error.message)?.[1] : undefined;
}

/** An error of the connecting itself, TLS included. Some have codes that others, of later moments, have too. */
function neverConnected(error: unknown): boolean {
  return (
    property(error, 'syscall') === 'connect' ||
    property(error, NEVER_CONNECTED) === true ||
    (error instanceof Error && error.message.includes('before secure TLS connection'))
  );
}

/** The name of a mark that the package's own agents put on errors. */
export const NEVER_CONNECTED = 'neverConnected';

/** The code nearest to the outside: nock throws the error itself, fetch one that has it as its cause. */
function codeOf(error: unknown): string | undefined {
  for (const link of chain(error)) {
    const code = property(link, 'code');
    if (typeof code === 'string' && code !== '') return code;
  }
  return undefined;
}

/** The error and its causes, the outermost first, at most five. */
function chain(error: unknown): unknown[] {
  const links: unknown[] = [];
  for (let link = error; link !== undefined && links.length < 5; link = property(link, 'cause')) {
    links.push(link);
  }
  return links;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** The innermost message that says anything. */
function describe(error: unknown): string {
  const messages = chain(error).map((link) => (link instanceof Error ? link.message : String(link)));
  const said = messages.findLast((message) => message !== '') ?? 'unknown failure';
  // Without a reason fetch fails when it is answered 407, which no server but a proxy does.
  return messages.at(-1) === '' && said === 'fetch failed'
    ? 'fetch gives no reason; does a proxy on the way want credentials of its own (407)?'
    : said;
}

/** Shorter secrets are hidden where they stand alone: `***` for every "ab" would make a riddle of the text. */
const SHORTEST_ANYWHERE = 4;

/**
 * The text with `***` in place of every secret; percent-encoded ones are found with either case of their digits, and all
 * of them as HTML escapes them. Texts are cut afterwards, never before: half a secret is not found.
 * @param secrets in each spelling they may have, as `secretsOf` gives them.
 */
export function redact(text: string, secrets: readonly string[]): string {
  const patterns = secrets
    .filter((secret) => secret !== '')
    // In one pass, the longest first: so no piece of one is left, and no *** is taken for another.
    .toSorted((a, b) => b.length - a.length)
    .map(patternOf);
  return patterns.length === 0 ? text : text.replace(new RegExp(patterns.join('|'), 'gu'), '***');
}

/** The error without secrets in its message and stack, for one that quotes what a service said. */
export function redactError<E extends Error>(error: E, secrets: readonly string[]): E {
  error.message = redact(error.message, secrets);
  if (error.stack !== undefined) error.stack = redact(error.stack, secrets);
  return error;
}

/** How pages write what has a meaning in HTML. */
const IN_PAGES: Readonly<Record<string, string>> = {
  '&': '&amp;|&#0*38;|&#x26;',
  '<': '&lt;|&#0*60;|&#x3[Cc];',
  '>': '&gt;|&#0*62;|&#x3[Ee];',
  '"': '&quot;|&#0*34;|&#x22;',
  "'": '&apos;|&#0*39;|&#x27;',
};

function patternOf(secret: string): string {
  const pattern = secret
    .replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
    .replace(/%[0-9A-F]{2}/gi, (code) =>
      code.replace(/[A-F]/gi, (digit) => `[${digit.toUpperCase()}${digit.toLowerCase()}]`),
    )
    .replace(/[&<>"']/g, (character) => `(?:${character}|${IN_PAGES[character] ?? ''})`);
  return secret.length < SHORTEST_ANYWHERE ? `(?<![\\p{L}\\p{N}])${pattern}(?![\\p{L}\\p{N}])` : pattern;
}

/**
 * A copy of the error for people who debug: name, message, code and stack of it and of its causes, redacted.
 * The original stays behind, since its other fields may be anything: nock puts whole requests into its errors.
 */
function withoutSecrets(error: unknown, secrets: readonly string[]): Error {
  const [outermost, ...causes] = chain(error);
  const cause = causes.reduceRight<Error | undefined>(
    (inner, link) => redactedCopy(link, inner, secrets),
    undefined,
  );
  return redactedCopy(outermost, cause, secrets);
}

function redactedCopy(error: unknown, cause: Error | undefined, secrets: readonly string[]): Error {
  const message = redact(error instanceof Error ? error.message : String(error), secrets);
  const copy: Error & { code?: string } = new Error(message, cause === undefined ? undefined : { cause });
  if (error instanceof Error) {
    copy.name = error.name;
    if (error.stack !== undefined) copy.stack = redact(error.stack, secrets);
  }
  const code = property(error, 'code');
  if (typeof code === 'string') copy.code = redact(code, secrets);
  return copy;
}
