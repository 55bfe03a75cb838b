import type { Download, ResumeAt } from '../activity/service.js';
import { askedSpan, askedStart, contentRange, isEntityTag, type Span } from './range.js';

/**
 * The file as the answer to a GET: the whole, or, where Range and If-Range ask for it and the file has a validator, the
 * part (206) or the refusal of a part it does not have (416).
 *
 * A service that cannot go on within a file is read from the start, and what was not asked for is left out.
 * @param open begins the download; called anew when what was begun cannot serve
 * @see RFC 9110 section 14
 */
export async function answerFile(
  request: Request,
  open: (resume: ResumeAt | undefined) => Promise<Download>,
): Promise<Response> {
  const { headers } = request;
  const begun = await open(resumeOf(headers));
  const span = spanOf(headers, begun);
  if (span === 'unsatisfiable') {
    await begun.cancel();
    return new Response(null, {
      status: 416,
      headers: { 'content-range': `bytes */${begun.length ?? '*'}` },
    });
  }
  const download = offsetOf(begun) <= (span?.start ?? 0) ? begun : await anew(begun, open);
  const about = {
    'content-type': download.contentType ?? 'application/octet-stream',
    ...validatorHeaders(download),
  };
  if (span === undefined || download.length === undefined) {
    const length = download.length === undefined ? {} : { 'content-length': String(download.length) };
    return new Response(toStream(download.body, download), { headers: { ...about, ...length } });
  }
  return new Response(toStream(cut(download, span), download), {
    status: 206,
    headers: {
      ...about,
      'content-range': contentRange(span, download.length),
      'content-length': String(span.end - span.start),
    },
  });
}

function resumeOf(headers: Headers): ResumeAt | undefined {
  const offset = askedStart(headers.get('range'));
  const validator = headers.get('if-range');
  return offset === undefined || offset === 0 || validator === null ? undefined : { offset, validator };
}

/** Undefined where the whole file is the answer, also because it is not the file that the Range is meant for. */
function spanOf(headers: Headers, { length, validator }: Download): ReturnType<typeof askedSpan> {
  if (length === undefined || validator === undefined) return undefined;
  const condition = headers.get('if-range');
  return condition === null || condition === validator ? askedSpan(headers.get('range'), length) : undefined;
}

function offsetOf({ offset = 0 }: Download): number {
  return offset;
}

async function anew(begun: Download, open: (resume: undefined) => Promise<Download>): Promise<Download> {
  await begun.cancel();
  return open(undefined);
}

function validatorHeaders({ length, validator }: Download): Record<string, string> {
  if (length === undefined || validator === undefined) return {};
  return { 'accept-ranges': 'bytes', [isEntityTag(validator) ? 'etag' : 'last-modified']: validator };
}

/** The bytes of the file that are in the span. */
async function* cut(download: Download, { start, end }: Span): AsyncGenerator<Uint8Array> {
  let at = offsetOf(download);
  for await (const chunk of download.body) {
    const piece = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
    at += chunk.length;
    if (piece.length > 0) yield piece;
    if (at >= end) return;
  }
}

function toStream(body: AsyncIterable<Uint8Array>, download: Download): ReadableStream<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const step = await iterator.next();
      if (step.done === true) {
        await download.cancel();
        controller.close();
      } else {
        controller.enqueue(step.value);
      }
    },
    cancel: () => download.cancel(),
  });
}
