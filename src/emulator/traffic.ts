import type { Clock } from '../clock.js';
import type { RequestJournal } from '../inspect/journal.js';
import { recorded } from '../inspect/recorder.js';
import { targetOf } from '../inspect/target.js';
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
