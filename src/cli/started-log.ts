import { appendFile, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Activity } from '../activity/activity.js';
import type { Settings } from './config.js';
import { variable, type Environment } from './environment.js';

/** An activity that was started from this machine. */
export interface StartedActivity {
  /** When, as ISO 8601. */
  readonly at: string;
  readonly activity: string;
  readonly activityType: string;
  readonly api: Settings['api'];
  readonly user: string | null;
  readonly baseUrl: string | null;
}

type Account = Pick<Settings, 'api' | 'user' | 'baseUrl'>;

/** Bytes that the log may have; then the older half of it goes. */
const MOST = 64 * 1024;

/**
 * The small log of started activities, by which `--last` finds them from another terminal; undefined where the environment
 * names no home. One JSON a line: `$XDG_STATE_HOME/ctct/started.ndjson`, default `~/.local/state/ctct/started.ndjson`.
 */
export function startedLogPath(env: Environment): string | undefined {
  const state = variable(env, 'XDG_STATE_HOME');
  const home = variable(env, 'HOME') ?? variable(env, 'USERPROFILE');
  if (state === undefined && home === undefined) return undefined;
  return join(state ?? join(home ?? '', '.local', 'state'), 'ctct', 'started.ndjson');
}

/** Notes an activity. A log that cannot be written is done without: the activity is there all the same. */
export async function noteStarted(path: string, started: StartedActivity): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const { size } = await stat(path).catch(() => ({ size: 0 }));
    if (size > MOST) await halve(path);
    await appendFile(path, `${JSON.stringify(started)}\n`, { mode: 0o600 });
  } catch {
    // Nothing depends on it.
  }
}

async function halve(path: string): Promise<void> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  const half = `${path}.${process.pid}`;
  await writeFile(half, lines.slice(Math.floor(lines.length / 2)).join('\n'), { mode: 0o600 });
  await rename(half, path);
}

export function startedActivity(
  at: number,
  { id }: Pick<Activity, 'id'>,
  activityType: string,
  account: Account,
): StartedActivity {
  return { at: new Date(at).toISOString(), activity: id, activityType, ...ownerOf(account) };
}

/** The newest one of this account, and of this type where one is asked for. Lines that make no sense are passed over. */
export async function lastStarted(
  path: string,
  account: Account,
  activityType?: string,
): Promise<StartedActivity | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const owner = ownerOf(account);
  return text
    .split('\n')
    .flatMap(readLine)
    .findLast(
      (one) =>
        one.api === owner.api &&
        one.user === owner.user &&
        one.baseUrl === owner.baseUrl &&
        (activityType === undefined || one.activityType === activityType),
    );
}

function ownerOf({ api, user, baseUrl }: Account): Pick<StartedActivity, 'api' | 'user' | 'baseUrl'> {
  return { api, user: user ?? null, baseUrl: baseUrl ?? null };
}

function readLine(line: string): StartedActivity[] {
  try {
    const found: unknown = JSON.parse(line);
    const named = typeof found === 'object' && found !== null && 'activity' in found;
    // Sound enough for a file of our own: a value of another kind equals nothing that is looked for.
    return named && typeof found.activity === 'string' ? [found as StartedActivity] : [];
  } catch {
    return [];
  }
}
