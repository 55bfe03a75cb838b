import type { Clock } from '../clock.js';
import type { Target } from '../inspect/describe.js';
import type { RequestJournal } from '../inspect/journal.js';
import { recorded } from '../inspect/recorder.js';
import { explainRefusal, type Users } from './explain.js';
import { withFault } from './fault-effect.js';
import type { Faults } from './faults.js';

export interface TrafficOptions {
  readonly journal: RequestJournal;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly users: Users;
  readonly maxBodyBytes: number;
  readonly recordBodies: boolean;
  /** Aborts when the emulator closes; nobody is left waiting then. */
  readonly closing: () => AbortSignal;
}

/** A handler that does to requests what the faults say, and writes everything down. */
export function withTraffic(
  answer: (request: Request) => Promise<Response>,
  options: TrafficOptions,
): (request: Request) => Promise<Response> {
  const { journal, faults, clock, users, maxBodyBytes, recordBodies, closing } = options;
  return recorded(
    (request, seen, note) => {
      if (faults.none) return answer(request);
      const due = faults.due(seen);
      const signal = due.length === 0 ? request.signal : AbortSignal.any([request.signal, closing()]);
      // The first rule is the outermost: its delay comes first.
      return due.reduceRight<() => Promise<Response>>(
        (inner, { rule, action }) =>
          () => {
            note.fault({ rule, action: action.type });
            return withFault(action, inner, { clock, signal, unanswered: note.unanswered });
          },
        () => answer(request),
      )();
    },
    {
      journal,
      now: () => clock.now(),
      maxBodyBytes,
      recordBodies,
      target: targetOf,
      explain: (seen, status, request) => explainRefusal(seen, status, request, users),
    },
  );
}

/** The account and the resource that a URL names: of the ws dialect, or of v2, which names no account. */
export function targetOf({ pathname }: URL): Target {
  const segments = pathname.split('/').filter((segment) => segment !== '');
  if (segments[0] === 'v2') return { ...resourceOf(segments.slice(1)) };
  const [ws, customers, user, ...rest] = segments;
  if (ws?.toLowerCase() !== 'ws' || customers?.toLowerCase() !== 'customers' || user === undefined) return {};
  return { user: decoded(user), ...resourceOf(rest) };
}

function resourceOf(segments: readonly string[]): Target {
  const resource = segments.join('/');
  const activityId = /^activities\/(?:exportfiles\/)?([a-z0-9-]*[0-9][a-z0-9-]*)(?:\.(?:csv|txt))?$/i.exec(
    resource,
  )?.[1];
  return { resource, ...(activityId !== undefined && { activityId }) };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
