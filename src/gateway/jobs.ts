import { isFinished } from '../activity/activity.js';
import { changePart, surely, type Engine } from './engine.js';
import type { KeptActivity, SeenPart } from './kept.js';

/** A part that v2 works on. */
export interface Job {
  readonly id: string;
  readonly index: number;
  readonly upstream: string;
  readonly submitted: number;
}

/** What the parts of a user are at v2, the oldest first. */
export function jobsOf({ ledger }: Engine, user: string): Job[] {
  return ledger
    .open()
    .filter((kept) => kept.user.toLowerCase() === user.toLowerCase())
    .flatMap(({ id, parts }) =>
      parts.flatMap((part, index) =>
        part.upstream === undefined || hasEnded(part)
          ? []
          : [{ id, index, upstream: part.upstream, submitted: part.submitted ?? 0 }],
      ),
    );
}

/** Nothing more happens to the part. */
export function hasEnded({ seen, refused }: KeptActivity['parts'][number]): boolean {
  return refused !== undefined || (seen !== undefined && isFinished(seen));
}

/** Nothing more happens to any part of an activity that goes on. */
export function isOver({ ledger }: Engine, id: string): boolean {
  return ledger.find(id)?.parts.every(hasEnded) === true;
}

/** Writes down what came of a job. */
export async function noteJob(
  engine: Engine,
  { id, index }: Pick<Job, 'id' | 'index'>,
  news: { readonly seen: SeenPart } | { readonly refused: string },
): Promise<void> {
  const user = engine.ledger.find(id)?.user;
  if (user === undefined) return;
  const change = () => changePart(engine, id, index, (part) => ({ ...part, ...news }));
  await surely(engine, { user, activity: id }, change);
}

/** Ends the jobs of which v2 has told nothing for too long, since nobody knows what came of them: those. */
export async function giveUpJobs(engine: Engine, jobs: readonly Job[]): Promise<readonly Job[]> {
  const { clock, giveUpAfter } = engine;
  const old = jobs.filter(({ submitted }) => clock.now() - submitted >= giveUpAfter);
  for (const job of old) {
    await noteJob(engine, job, { refused: `the service does not tell what came of ${job.upstream}` });
  }
  return old;
}
