import { isIPv4 } from 'node:net';

/** Where the control surface may be reached from: this machine alone, or any. */
export type ControlReach = 'loopback' | 'anywhere';

/** Why a request to the control surface is not let in; undefined when it is. */
export interface ControlRefusal {
  readonly status: 403 | 415;
  readonly reason: string;
}

const READING: readonly string[] = ['GET', 'HEAD'];

/**
 * Lets in programs on this machine and the page itself, and keeps out the pages of others: those that reach here by a
 * name of theirs that leads to this machine (DNS rebinding), and those that post from elsewhere (CSRF).
 * @param peer the address the request came from; undefined when it came over no socket, from this process.
 */
export function refuseControl(
  request: Request,
  peer: string | undefined,
  reach: ControlReach,
): ControlRefusal | undefined {
  const { origin, hostname } = new URL(request.url);
  if (reach === 'loopback' && peer !== undefined) {
    if (!isLoopbackAddress(peer)) {
      return { status: 403, reason: 'The control surface is for callers on the same machine only.' };
    }
    if (!isLoopbackName(hostname)) {
      return {
        status: 403,
        reason: 'The control surface is only for localhost, 127.0.0.1 or [::1] as host.',
      };
    }
  }
  // Browsers tell of these; other programs have no reason to.
  const from = request.headers.get('origin');
  const site = request.headers.get('sec-fetch-site') ?? 'none';
  const reads = READING.includes(request.method);
  // Somebody who follows a link to here is welcome: only they see what comes.
  const follows = reads && request.headers.get('sec-fetch-mode') === 'navigate';
  if ((from !== null && from !== origin) || (site !== 'none' && site !== 'same-origin' && !follows)) {
    return { status: 403, reason: 'The control surface takes no requests from other pages.' };
  }
  // A form of another page cannot send this type, and a script of it is not allowed to.
  const type = request.headers.get('content-type') ?? '';
  if (!reads && !/^\s*application\/json\s*(?:;|$)/i.test(type)) {
    return { status: 415, reason: 'Send changes with Content-Type: application/json.' };
  }
  return undefined;
}

/** Whether a URL leads to this machine, and is one the control surface may be reached by. */
export function isLoopbackUrl(url: string): boolean {
  return isLoopbackName(new URL(url).hostname);
}

function isLoopbackAddress(address: string): boolean {
  const v4 = address.replace(/^::ffff:/i, '');
  return (isIPv4(v4) && v4.startsWith('127.')) || address === '::1';
}

function isLoopbackName(hostname: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(hostname) || isLoopbackAddress(hostname.replace(/^\[|\]$/g, ''));
}
