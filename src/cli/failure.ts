import { AmbiguousCreateError, CtctError, ServiceError, TransportError } from '../activity/errors.js';
import { exitOf, type Exit } from './exit-codes.js';
import { OutputClosed } from './output.js';
import type { Session } from './session.js';
import type { Talk } from './talk.js';
import { plainText } from './terminal.js';

/** Says what went wrong and what to do about it; returns the exit it leads to. */
export function reportError(error: unknown, session: Session, verbose: boolean): Exit {
  const { talk, unfinished, io } = session;
  talk.progressEnds();
  if (error instanceof OutputClosed) return 'ok';
  if (io.signal?.aborted === true) {
    if (error instanceof AmbiguousCreateError) {
      talk.error('interrupted; the activity may have been created all the same', hints(error, session));
    } else if (unfinished !== undefined) {
      talk.error(`interrupted; ${plainText(unfinished.state)}`, [unfinished.hint]);
    } else {
      talk.error('interrupted');
    }
    return 'interrupted';
  }
  talk.error(messageOf(error), [...hints(error, session), ...(verbose ? causes(error) : [])]);
  return exitOf(error);
}

/** Says what is wrong with a command line; `help` is the one that explains it. */
export function reportUsage(error: unknown, talk: Talk, help: string): Exit {
  talk.error(messageOf(error), error instanceof CtctError ? [`see: ${help}`] : []);
  return exitOf(error);
}

function messageOf(error: unknown): string {
  if (error instanceof CtctError) return plainText(error.message);
  return `unexpected: ${plainText(error instanceof Error ? error.message : String(error))}`;
}

/** What the user can do, for the errors where more can be said than their messages say. */
function hints(error: unknown, session: Session): string[] {
  const { unfinished } = session;
  if (!(error instanceof CtctError)) return [];
  const helps = unfinished?.ready === true || ['waiting', 'temporary'].includes(exitOf(error));
  const resume = unfinished !== undefined && helps ? [unfinished.hint] : [];
  switch (error.code) {
    case 'CREDENTIALS_REQUIRED':
      return ['to try it without an account: ctct demo'];
    case 'UNAUTHORIZED':
      return ['check CTCT_USER, CTCT_API_KEY and CTCT_PASSWORD (or CTCT_ACCESS_TOKEN)', ...resume];
    case 'INSECURE_ORIGIN':
      return ['on the command line, a host is allowed by CTCT_ALLOW_HTTP=<host>'];
    case 'FILE_EXISTS':
      // What only its owner can remove, says so itself.
      return [...(error.message.includes('remove it') ? [] : ['write over it: --force']), ...resume];
    case 'LIST_REQUIRED':
    case 'LIST_INVALID':
      return [`see which lists there are: ${session.commandLine('lists')}`];
    case 'CREATE_AMBIGUOUS':
      return lookHints(error, session);
    case 'RATE_LIMITED':
      return [...retryHint(error), ...resume];
    default:
      return resume;
  }
}

/** Candidates shown at most. */
const MOST_CANDIDATES = 5;

function lookHints(error: CtctError, session: Session): string[] {
  const candidates = error instanceof AmbiguousCreateError ? error.candidates.slice(0, MOST_CANDIDATES) : [];
  const looks = candidates.map((id) => session.commandLine('show', plainText(id)));
  if (looks.length === 0) looks.push(session.commandLine('list', '--limit', '5'));
  return looks.map((look) => `look before you try again: ${look}`);
}

function retryHint(error: CtctError): string[] {
  if (!(error instanceof ServiceError || error instanceof TransportError)) return [];
  if ('retryAfter' in error && error.retryAfter !== undefined) {
    return [`the service asks to wait ${error.retryAfter} s`];
  }
  return error.retryAt === undefined ? [] : [`try again from ${error.retryAt.toISOString()} on`];
}

/** The errors behind an error, outermost first. */
function causes(error: unknown): string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>([error]);
  let cause = error instanceof Error ? error.cause : undefined;
  while (cause instanceof Error && !seen.has(cause)) {
    seen.add(cause);
    const code = 'code' in cause ? ` (${String(cause.code)})` : '';
    lines.push(`caused by: ${cause.name}: ${plainText(cause.message)}${code}`);
    cause = cause.cause;
  }
  // An error that is not ours is a defect, and its stack tells where.
  if (!(error instanceof CtctError) && error instanceof Error) lines.push(...(error.stack ?? '').split('\n'));
  return lines;
}
