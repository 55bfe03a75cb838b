import { isFinished, type Activity } from './activity/activity.js';
import { ServiceError, type TransportError } from './activity/errors.js';
import type { ActivityService } from './activity/service.js';
import { isPassing } from './http/passing.js';

/** Why an activity could not be read, though another read may succeed. */
export type Trouble = TransportError | ServiceError;

/** What a round of reads gave: the activity of each id, or why it could not be read; a 404 is among that. */
export type Round = ReadonlyMap<string, Activity | Trouble>;

/** Reads each activity by itself. */
export async function readEach(
  service: ActivityService,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Round> {
  const round = new Map<string, Activity | Trouble>();
  for (const id of ids) {
    try {
      round.set(id, await service.get(id, { signal }));
    } catch (error) {
      if (!isPassing(error) && !isNotFound(error)) throw error;
      round.set(id, error);
    }
  }
  return round;
}

/** Entries a page, as the service had it: so many are read of a list without a second call. */
const PAGE = 50;

/** Reads activities by one call of `list`, and by `get` what is not to be had from it. */
export function listReader(service: ActivityService, signal: AbortSignal | undefined) {
  return async (ids: readonly string[]): Promise<Round> => {
    if (ids.length === 1) return readEach(service, ids, signal);
    const listed = new Map<string, Activity>();
    try {
      await readNewest(service, new Set(ids), listed, signal);
    } catch (error) {
      if (isPassing(error)) return new Map(ids.map((id) => [id, error]));
      if (signal?.aborted === true) throw error;
      // A list that cannot be read, be it for one bad entry, need not keep the others from being read.
      listed.clear();
    }
    const single = ids.filter((id) => isFinishedOrMissing(listed.get(id)));
    const round = new Map<string, Activity | Trouble>(listed);
    for (const [id, outcome] of await readEach(service, single, signal)) {
      if (!isNotFound(outcome) || !listed.has(id)) round.set(id, outcome);
    }
    return round;
  };
}

/** Page by page, as long as a page has more than one of the activities wanted: a single one is read as well by itself. */
async function readNewest(
  service: ActivityService,
  wanted: ReadonlySet<string>,
  listed: Map<string, Activity>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let count = 0;
  let before = 0;
  for await (const activity of service.list({ signal })) {
    if (wanted.has(activity.id)) listed.set(activity.id, activity);
    if (listed.size === wanted.size) return;
    if (++count % PAGE > 0) continue;
    if (listed.size - before < 2) return;
    before = listed.size;
  }
}

function isFinishedOrMissing(listed: Activity | undefined): boolean {
  return listed === undefined || isFinished(listed);
}

function isNotFound(error: unknown): error is ServiceError {
  return error instanceof ServiceError && error.code === 'NOT_FOUND';
}
