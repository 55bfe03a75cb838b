import { UsageError } from '../activity/errors.js';
import { bodyOf, type CallParameter, type HttpCall } from './http-call.js';

type Fields = Readonly<Record<string, unknown>>;

/** The calls of a HAR file, as browsers and proxies save it. @throws UsageError `OPTION_INVALID` for an entry without a request. */
export async function harCalls(har: Fields, source: string): Promise<HttpCall[]> {
  const entries = fields(har.log)?.entries;
  if (!Array.isArray(entries)) throw wrong(source, 'log.entries is missing: this is no HAR file');
  const calls: HttpCall[] = [];
  for (const [index, entry] of (entries as unknown[]).entries()) {
    const place = `${source}, entry ${index + 1}`;
    const request = fields(fields(entry)?.request);
    const url = text(request?.url);
    if (request === undefined || url === '') throw wrong(place, 'has no request with a url');
    const headers = headersOf(request.headers);
    const post = fields(request.postData);
    const body = post === undefined ? undefined : await harBody(post, headers);
    calls.push({ place, method: text(request.method) || 'GET', url, headers, body: body ?? Buffer.alloc(0) });
  }
  return calls;
}

/** Sets the Content-Type where the body had to be made of its parameters. */
async function harBody(post: Fields, headers: Map<string, string>): Promise<Uint8Array> {
  const given = text(post.text);
  const contentType = headers.get('content-type') ?? text(post.mimeType);
  if (given !== '' || !Array.isArray(post.params)) {
    if (contentType !== '') headers.set('content-type', contentType);
    return Buffer.from(given, post.encoding === 'base64' ? 'base64' : 'utf8');
  }
  const parameters = (post.params as unknown[]).map((param) => parameterOf(fields(param) ?? {}));
  const made = await bodyOf(contentType, parameters);
  headers.set('content-type', made.contentType);
  return made.body;
}

/** The calls of the emulator's journal, by schemas/emulator-journal.schema.json. @throws UsageError `OPTION_INVALID`. */
export async function journalCalls(entries: readonly unknown[], source: string): Promise<HttpCall[]> {
  const calls: HttpCall[] = [];
  for (const [index, given] of entries.entries()) {
    const entry = fields(given);
    const place = `${source}, request ${text(entry?.id) || index + 1}`;
    const url = text(entry?.url);
    if (entry === undefined || url === '') throw wrong(place, 'is no request of the journal: it has no url');
    const headers = new Map(
      Object.entries(fields(entry.headers) ?? {}).map(([name, value]) => [name.toLowerCase(), text(value)]),
    );
    let body: Uint8Array = Buffer.from(text(entry.body));
    let madeUp = false;
    if (Array.isArray(entry.parameters)) {
      const parameters = (entry.parameters as unknown[]).map((parameter) =>
        parameterOf(fields(parameter) ?? {}),
      );
      const made = await bodyOf(text(entry.contentType), parameters);
      headers.set('content-type', made.contentType);
      body = made.body;
      madeUp = parameters.some(
        ({ name, value }) => /^data(File)?$/.test(name) && /\bcontact1@example\.com\b/.test(String(value)),
      );
    }
    calls.push({ place, method: text(entry.method) || 'GET', url, headers, body, madeUp });
  }
  return calls;
}

function parameterOf(given: Fields): CallParameter {
  const fileName = text(given.fileName);
  const contentType = text(given.contentType);
  return {
    name: text(given.name),
    value: text(given.value),
    ...(fileName !== '' && { fileName }),
    ...(contentType !== '' && { contentType }),
  };
}

function headersOf(given: unknown): Map<string, string> {
  const headers = new Map<string, string>();
  for (const header of Array.isArray(given) ? (given as unknown[]) : []) {
    const { name, value } = fields(header) ?? {};
    headers.set(text(name).toLowerCase(), text(value));
  }
  return headers;
}

function fields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function wrong(place: string, message: string): UsageError {
  return new UsageError('OPTION_INVALID', `${place}: ${message}`);
}
