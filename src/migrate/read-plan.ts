import { readFile } from 'node:fs/promises';
import { UsageError } from '../activity/errors.js';
import { conformsTo, readDocument } from '../format/document.js';
import { whyUnreadable } from '../http/secret.js';
import type { MigrationPlan } from './plan.js';
import { planId } from './plan-id.js';

const SCHEMA = 'migration-plan';

/**
 * The plan in the file, as `ctct migrate plan` wrote it; only `acceptedLosses` may be another since.
 * @throws UsageError `FILE_UNREADABLE`; `CONFIG_INVALID` for what is no plan, or was changed by hand.
 */
export async function readPlan(path: string): Promise<MigrationPlan> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError('FILE_UNREADABLE', `${path}: cannot be read (${whyUnreadable(error)})`, {
      cause: error,
    });
  });
  const plan =
    (await readSound(text)) ?? (await readDocument<MigrationPlan>(text, { source: path, schema: SCHEMA }));
  if (planId(plan) === plan.id) return plan;
  throw new UsageError(
    'CONFIG_INVALID',
    `${path}: was changed by hand after it was made, and its id does not fit any more; make it anew with ` +
      '"ctct migrate plan", whose options say all that a plan can. Only acceptedLosses may be changed',
  );
}

/** The plan, unless something is wrong with it: only then it is worth the time to know the place of each node. */
async function readSound(text: string): Promise<MigrationPlan | undefined> {
  try {
    const value: unknown = JSON.parse(text);
    return (await conformsTo(value, SCHEMA)) ? (value as MigrationPlan) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
