/** Where in a message something happens: after so many bytes, or after a share (0 to 1) of its head and body. */
export type Point = { readonly bytes: number } | { readonly share: number };

/** Which way: what the client sends, or what it is answered. */
export type Side = 'request' | 'answer';

/** What becomes of one request and its answer on their way through a fault proxy. */
export type Fault =
  | { readonly kind: 'none' }
  /** The answer begins so much later. */
  | { readonly kind: 'latency'; readonly milliseconds: number }
  /** The answer comes in slices of so many bytes, with a pause after each: a narrow line. */
  | { readonly kind: 'slices'; readonly bytes: number; readonly milliseconds: number }
  /** From that point on nothing moves any more, and the connection stays open. */
  | { readonly kind: 'stall'; readonly side: Side; readonly at: Point }
  /** At that point the client's connection is reset, and the service's is gone. */
  | { readonly kind: 'reset'; readonly side: Side; readonly at: Point }
  /** The answer ends at that point, as if that were all of it. */
  | { readonly kind: 'truncate'; readonly at: Point }
  /** The connection is closed when the request comes; nothing of it is passed on. */
  | { readonly kind: 'early-close' }
  /** The sending side to the service is closed once the request went through; its answer still comes back. */
  | { readonly kind: 'half-close' }
  /** The request is taken and goes nowhere; no answer. */
  | { readonly kind: 'black-hole' }
  /** So many bytes of the answer's body come twice; the length stays, so that as many are missing at its end. */
  | { readonly kind: 'duplicate'; readonly at: Point; readonly bytes: number }
  /** One byte of the answer becomes NUL. Of the head, it is one of the twelve that begin the status line. */
  | { readonly kind: 'corrupt'; readonly where: 'head' | 'body'; readonly at: Point }
  /** The proxy answers itself; nothing is passed on. */
  | { readonly kind: 'answer'; readonly answer: AnswerName }
  /** The service gets the request and does it; of its answer nothing comes back but this ending. */
  | { readonly kind: 'lost-answer'; readonly ending: 'reset' | 'close' | 'stall' | AnswerName }
  /**
   * The whole request is held back until `deliver` is called, whether the client still waits or not. `deliver`
   * resolves when the service has answered.
   */
  | { readonly kind: 'late'; readonly schedule: (deliver: () => Promise<void>) => void };

export type FaultKind = Fault['kind'];

interface CannedAnswer {
  readonly status: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const TEXT = 'text/plain; charset=utf-8';

/** What stands between a client and the service answers by itself. */
export const ANSWERS = {
  'internal-error': {
    status: '500 Internal Server Error',
    headers: { 'content-type': TEXT },
    body: 'An error occurred.\n',
  },
  'bad-gateway': {
    status: '502 Bad Gateway',
    headers: { 'content-type': 'text/html' },
    body: '<html><body><h1>502 Bad Gateway</h1></body></html>\n',
  },
  unavailable: {
    status: '503 Service Unavailable',
    headers: { 'content-type': TEXT, 'retry-after': '7' },
    body: 'Come back later.\n',
  },
  'gateway-timeout': {
    status: '504 Gateway Timeout',
    headers: { 'content-type': 'text/html' },
    body: '<html><body><h1>504 Gateway Time-out</h1></body></html>\n',
  },
  'too-many': {
    status: '429 Too Many Requests',
    headers: { 'content-type': TEXT, 'retry-after': '3' },
    body: 'Too many requests are in progress.\n',
  },
  'over-qps': {
    status: '403 Forbidden',
    headers: { 'content-type': 'application/json' },
    body: '[{"error_key":"mashery.not.authorized.over.qps","error_message":"over its queries-per-second quota"}]',
  },
  'over-ratelimit': {
    status: '403 Forbidden',
    headers: { 'content-type': 'application/json' },
    body: '[{"error_key":"mashery.not.authorized.over.ratelimit","error_message":"over its daily quota"}]',
  },
  'login-page': {
    status: '200 OK',
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<!DOCTYPE html><html><body><form><input type="password" name="p"></form></body></html>\n',
  },
  redirect: {
    status: '302 Found',
    headers: { location: 'http://login.example.com/', 'content-type': 'text/html' },
    body: '<html><body>Moved</body></html>\n',
  },
} as const satisfies Record<string, CannedAnswer>;

export type AnswerName = keyof typeof ANSWERS;

/** The bytes of a canned answer; the connection ends behind it. */
export function answerBytes(name: AnswerName, now: number): Buffer {
  const { status, headers, body }: CannedAnswer = ANSWERS[name];
  const lines = Object.entries({
    date: new Date(now).toUTCString(),
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }).map(([field, value]) => `${field}: ${value}\r\n`);
  return Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`);
}
