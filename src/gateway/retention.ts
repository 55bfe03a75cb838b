import type { Clock } from '../clock.js';
import type { Tell } from './events.js';
import type { FileFolder } from './folder.js';
import type { Ledger } from './ledger.js';

/** How long a gateway keeps what has ended. */
export interface Retention {
  /** How long activities are kept, from their acceptance on, in milliseconds. Default 90 days. */
  readonly activities?: number | undefined;
  /** How long the files of exports are kept. Default 14 days. */
  readonly files?: number | undefined;
  /** Whether the addresses of rows that were refused are kept with their errors. Default true. */
  readonly addresses?: boolean | undefined;
}

/** What is to be forgotten. */
export interface PurgeOptions {
  /** Of the activities, those that are older than this, in milliseconds. Default as `Retention.activities`. */
  readonly olderThan?: number | undefined;
  /** Only those of this user. Default: of all, and also files by `Retention.files`. */
  readonly user?: string | undefined;
}

/** How much was forgotten. */
export interface Purged {
  readonly activities: number;
  readonly files: number;
}

const DAY = 24 * 60 * 60 * 1000;

/** Forgets what is older than it is to be kept; never what goes on. */
export async function purge(
  { ledger, files, clock, tell }: { ledger: Ledger; files: FileFolder; clock: Clock; tell: Tell },
  retention: Retention,
  { olderThan = retention.activities ?? 90 * DAY, user }: PurgeOptions = {},
): Promise<Purged> {
  const now = clock.now();
  const forgotten = await ledger.forget(now - olderThan, user);
  const names = [
    ...forgotten.files,
    ...(user === undefined ? await ledger.forgetFiles(now - (retention.files ?? 14 * DAY)) : []),
  ];
  // Should one be left, it goes when the gateway begins anew.
  for (const name of names) await files.remove(name);
  const purged = { activities: forgotten.activities, files: names.length };
  if (purged.activities + purged.files > 0) tell({ event: 'purged', ...purged });
  return purged;
}
