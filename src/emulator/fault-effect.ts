import type { Clock } from '../clock.js';
import { ConnectionReset } from '../http/serve.js';
import type { FaultAction } from './faults.js';
import { timeSpan } from './time-span.js';

/** What a fault needs besides the request. */
export interface FaultScene {
  readonly clock: Clock;
  /** Aborts when the client goes away or the emulator closes. */
  readonly signal: AbortSignal;
  /** Called when it is certain that there will be no answer, or not before the signal aborts. */
  readonly unanswered: () => void;
}

/**
 * The answer as the fault leaves it. `answer` carries the request out; a fault that comes before that does not call it.
 * @throws ConnectionReset when the connection is to be reset; the signal's reason when a stall ends.
 */
export async function withFault(
  action: FaultAction,
  answer: () => Promise<Response>,
  scene: FaultScene,
): Promise<Response> {
  switch (action.type) {
    case 'status':
      return new Response(hasBody(action.status) ? (action.body ?? '') : null, {
        status: action.status,
        headers: action.headers ?? {},
      });
    case 'delay':
      await scene.clock.sleep(timeSpan(action.time, 'delay'), scene.signal);
      return answer();
    case 'stall':
      if (action.after === undefined) return stall(scene);
      return cutAfter(await answer(), action.after, () => stalled(scene.signal));
    case 'reset':
      if (action.after === undefined) return reset(scene);
      return cutAfter(await answer(), action.after, () => Promise.reject(new ConnectionReset()));
    case 'truncate':
      return cutAfter(await answer(), action.after, () => Promise.reject(terminated()));
    case 'malformed':
      return malformed(await answer());
    case 'contentType':
      return retyped(await answer(), action.value);
    case 'lostAnswer':
      await discard(await answer());
      if (action.how === '504') return gatewayTimeout();
      return action.how === 'stall' ? stall(scene) : reset(scene);
  }
}

function hasBody(status: number): boolean {
  return status !== 204 && status !== 205 && status !== 304;
}

function reset(scene: FaultScene): never {
  scene.unanswered();
  throw new ConnectionReset();
}

async function stall(scene: FaultScene): Promise<never> {
  scene.unanswered();
  return stalled(scene.signal);
}

function stalled(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => {
      reject(signal.reason instanceof Error ? signal.reason : new ConnectionReset());
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** As fetch says it when a body ends too early. */
function terminated(): Error {
  return new TypeError('terminated', {
    cause: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }),
  });
}

/** The answer up to so many bytes of its body; then `end`, which never succeeds. */
function cutAfter(response: Response, bytes: number, end: () => Promise<never>): Response {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader();
  let left = bytes;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = left > 0 ? await reader?.read() : undefined;
        if (chunk?.value === undefined) {
          await reader?.cancel();
          await end();
          return;
        }
        const part = chunk.value.subarray(0, left);
        left -= part.length;
        controller.enqueue(part);
      },
      cancel: (reason) => reader?.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, response);
}

/** Without the last end tag: what a writer does that fails. An answer that has none ends in an unfinished tag. */
async function malformed(response: Response): Promise<Response> {
  const text = await response.text();
  const end = text.lastIndexOf('</');
  return withBody(response, end === -1 ? `${text}<` : text.slice(0, end));
}

async function retyped(response: Response, contentType: string): Promise<Response> {
  const answer = withBody(response, await response.arrayBuffer());
  answer.headers.set('content-type', contentType);
  return answer;
}

function withBody(response: Response, body: string | ArrayBuffer): Response {
  const { status, statusText } = response;
  const headers = new Headers(response.headers);
  headers.delete('content-length');
  return new Response(hasBody(status) ? body : null, { status, statusText, headers });
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel();
}

function gatewayTimeout(): Response {
  return new Response(
    '<html><head><title>504 Gateway Timeout</title></head><body><h1>504 Gateway Timeout</h1></body></html>\n',
    { status: 504, headers: { 'content-type': 'text/html' } },
  );
}
