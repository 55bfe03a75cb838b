import type { ActivityRequest } from '../activity/request.js';
import { redact } from '../http/failures.js';
import type { ContactEncoding } from './apis.js';
import type { Exit } from './exit-codes.js';
import type { View } from './output.js';
import type { Session } from './session.js';

/** What `--dry-run` says in help. */
export const DRY_RUN = {
  kind: 'flag',
  help: 'print the request that would be sent, and send nothing',
} as const;

/** One request that would have been sent. */
export interface Unsent {
  readonly method: string;
  readonly url: URL;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

export const REQUEST: View<Unsent> = {
  kind: ['request', 'requests'],
  none: 'Nothing would be sent.',
  fields: [
    { name: 'method', heading: 'Method', value: ({ method }) => method },
    { name: 'url', heading: 'URL', value: ({ url }) => url.href },
    { name: 'body', heading: 'Body', value: ({ body }) => Buffer.from(body).toString() },
  ],
  details: ['headers'],
  more: ({ headers }) => ({ headers: Object.fromEntries(headers) }),
};

/**
 * Puts out the request that creates this activity, byte for byte, but for the credentials: as an HTTP message, or as
 * data. Nothing is sent.
 */
export async function putRequest(
  session: Session,
  request: ActivityRequest,
  encoding?: ContactEncoding,
): Promise<Exit> {
  const unsent: Unsent[] = [];
  const record = async (input: string | URL | Request, init?: RequestInit) => {
    const { method, url, headers, body } = await unsentOf(new Request(input, init));
    unsent.push({ method, url, headers, body });
    const location = url.href.replace(/\/activities.*$/, '/activities/dry-run');
    return new Response(null, { status: 201, headers: { location } });
  };
  const secrets = await session.pretend(request, record, encoding);
  session.talk.note('This would be sent; nothing was:');
  for (const one of unsent) await put(session, one, secrets);
  return 'ok';
}

async function unsentOf(request: Request): Promise<Unsent> {
  return {
    method: request.method,
    url: new URL(request.url),
    headers: [...request.headers],
    body: Buffer.from(await request.arrayBuffer()),
  };
}

async function put({ output }: Session, request: Unsent, secrets: readonly string[]) {
  const safe = (text: string) => redact(text, secrets);
  const { method, body } = request;
  const url = new URL(safe(request.url.href));
  const headers = [
    ...request.headers.map(([name, value]) => {
      const hidden = name === 'authorization' ? value.replace(/\s.*$/s, ' ***') : safe(value);
      return [name, hidden] as const;
    }),
    ['content-length', String(body.length)] as const,
  ];
  if (!output.isFree) {
    await output.record(REQUEST, { method, url, headers, body });
    return;
  }
  const head = [
    `${method} ${url.pathname}${url.search} HTTP/1.1`,
    `host: ${url.host}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  await output.raw(`${head.join('\n')}\n\n`);
  await output.raw(body);
  if (body.at(-1) !== 0x0a) await output.raw('\n');
}
