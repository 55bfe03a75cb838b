import { findColumn } from '../activity/columns.js';
import { ServiceError } from '../activity/errors.js';
import { readCredentials } from '../http/credentials.js';
import { describeRequest, type DescribedRequest, type DescribeOptions, type Target } from './describe.js';
import type { JournalEntry } from './journal-entry.js';
import type { RequestJournal } from './journal.js';
import { redactionOf, withoutAddresses } from './redact.js';

/** What the one who answers may tell of a request while it is on its way. */
export interface Note {
  /** That a fault is done to it. */
  readonly fault: (fault: NonNullable<JournalEntry['fault']>) => void;
  /** That there will be no answer, so that it is written down now. */
  readonly unanswered: () => void;
}

export interface RecorderOptions extends DescribeOptions {
  readonly journal: RequestJournal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A body that says it is larger is not read here. */
  readonly maxBodyBytes: number;
  readonly target: (url: URL) => Target;
  /** What is probably wrong with a request that was refused. */
  readonly explain?: (seen: DescribedRequest, status: number, request: Request) => string | undefined;
}

/** Characters that are kept of what a refusal says. */
const MOST_REASON = 2_000;

/**
 * A handler that writes each request and its answer into a journal. `answer` is given the request again, its body read,
 * and what is known of it.
 */
export function recorded(
  answer: (request: Request, seen: DescribedRequest, note: Note) => Promise<Response>,
  options: RecorderOptions,
): (request: Request) => Promise<Response> {
  const known = new Map<string, DescribedRequest>();
  const describe = async (request: Request, body: Uint8Array): Promise<DescribedRequest> => {
    // Who polls sends the same request over and over; what hides its secrets takes longer than the answer.
    const key = body.length > 0 ? undefined : headOf(request);
    const before = key === undefined ? undefined : known.get(key);
    if (before !== undefined) return before;
    const seen = await describeRequest(request, body, options.target(new URL(request.url)), options);
    if (key === undefined) return seen;
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, seen);
    return seen;
  };
  return async (request) => {
    const at = new Date(options.now()).toISOString();
    const begun = performance.now();
    const { body, again } = await readBody(request, options.maxBodyBytes).catch(async (error: unknown) => {
      const seen = await describe(request, NOTHING);
      const duration = Math.round((performance.now() - begun) * 100) / 100;
      options.journal.add({
        at,
        duration,
        ...seen,
        ...(error instanceof ServiceError
          ? { status: error.status, refusal: { reason: error.detail } }
          : { refusal: { reason: 'The body of the request broke off.' } }),
      });
      throw error;
    });
    const seen = await describe(request, body);
    let fault: JournalEntry['fault'];
    let written = false;
    const write = (outcome: Partial<JournalEntry>) => {
      if (written) return;
      written = true;
      const duration = Math.round((performance.now() - begun) * 100) / 100;
      options.journal.add({ at, duration, ...seen, ...outcome, ...(fault !== undefined && { fault }) });
    };
    try {
      const response = await answer(again, seen, {
        fault: (done) => {
          fault = done;
        },
        unanswered: () => {
          write({});
        },
      });
      if (response.status < 400) {
        write({ status: response.status, ...created(response, options.target) });
        return response;
      }
      if (fault !== undefined && fault.action !== 'status') {
        // Its body may be made to fail.
        write({ status: response.status });
        return response;
      }
      const { reason, same } = await readReason(response);
      const explanation = fault === undefined ? options.explain?.(seen, response.status, request) : undefined;
      write({
        status: response.status,
        refusal: {
          reason: withoutContacts(redactionOf(readCredentials(request))(reason), seen, options),
          ...(explanation !== undefined && { explanation }),
        },
      });
      return same;
    } finally {
      write({});
    }
  };
}

/** Requests whose descriptions are kept to be used again. */
const MOST_KNOWN = 100;

/** All that a request without a body says. */
function headOf({ method, url, headers }: Request): string {
  let text = `${method} ${url}`;
  for (const [name, value] of headers) text += `\n${name}: ${value}`;
  return text;
}

const NOTHING = new Uint8Array(0);

/** The body, and the request with it once more. One that is over the limit is left to whoever answers. */
async function readBody(
  request: Request,
  limit: number,
): Promise<{ readonly body: Uint8Array; readonly again: Request }> {
  const { method, headers } = request;
  if (method === 'GET' || method === 'HEAD') return { body: NOTHING, again: request };
  if (Number(headers.get('content-length') ?? 0) > limit) return { body: NOTHING, again: request };
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | null = request.body;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limit) break;
  }
  const bytes = Buffer.concat(chunks);
  const again = new Request(request.url, {
    method,
    headers,
    signal: request.signal,
    ...(bytes.length > 0 && { body: bytes }),
  });
  return { body: length > limit ? NOTHING : bytes, again };
}

function created(response: Response, target: (url: URL) => Target): Pick<JournalEntry, 'activityId'> {
  const location = response.status === 201 ? response.headers.get('location') : null;
  if (location === null || !URL.canParse(location, 'http://localhost')) return {};
  const { activityId } = target(new URL(location, 'http://localhost'));
  return activityId === undefined ? {} : { activityId };
}

/** What a refusal may quote of an upload is in it only where it is nobody's: a column, or a parameter that is shown anyway. */
function withoutContacts(
  reason: string,
  { contacts, parameters = [] }: DescribedRequest,
  { recordBodies = false }: DescribeOptions,
): string {
  if (contacts === undefined || recordBodies) return withoutAddresses(reason);
  const shown = new Set([...(contacts.heading ?? []), ...parameters.map(({ value }) => value)]);
  const quoted = (text: string, inner: string) =>
    shown.has(inner) || findColumn(inner) !== undefined ? text : '"…"';
  return withoutAddresses(reason.replace(/"((?:[^"\\]|\\.)*)"/g, quoted));
}

/** What a refusal says, and the refusal once more. */
async function readReason(response: Response): Promise<{ reason: string; same: Response }> {
  const { status, statusText, headers } = response;
  const text = await response.text();
  const reason = text
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return {
    reason: reason.slice(0, MOST_REASON),
    same: new Response(text, { status, statusText, headers }),
  };
}
