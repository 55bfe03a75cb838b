import { UsageError } from '../activity/errors.js';
import { shown } from '../activity/shown.js';
import type { ContactsState } from './contacts-state.js';
import type { JobsState } from './jobs-state.js';
import type { ListsState } from './lists.js';
import type { ActiveOutcome } from './outcomes.js';

/** Rises when a state that was written before cannot be read any more. */
export const STATE_VERSION = 1;

/** An account as plain data: what `EmulatedAccount.snapshot` gives and `restore` takes. It holds no credentials. */
export interface AccountState {
  readonly version: typeof STATE_VERSION;
  readonly user: string;
  readonly lists: ListsState;
  readonly contacts: ContactsState;
  /** Activities, those that wait or run included. */
  readonly jobs: JobsState;
  readonly outcomes: readonly ActiveOutcome[];
}

/**
 * Nothing, when the state can be that of this user.
 * @throws UsageError `CONFIG_INVALID`.
 */
export function checkState(state: AccountState, user: string): void {
  const given: unknown = state;
  const {
    version,
    user: whose,
    ...parts
  } = typeof given === 'object' && given !== null ? (given as Partial<AccountState>) : {};
  if (version !== STATE_VERSION) {
    throw unusable(
      `state: version ${shown(version)} cannot be read, only ${STATE_VERSION}; start without it`,
    );
  }
  if (typeof whose !== 'string' || whose.toLowerCase() !== user.toLowerCase()) {
    throw unusable(`state: is that of ${shown(whose)}, not of ${user}`);
  }
  for (const part of ['lists', 'contacts', 'jobs', 'outcomes'] as const) {
    if (typeof parts[part] !== 'object') throw unusable(`state: ${part}: is damaged`);
  }
}

export function unusable(message: string, cause?: unknown): UsageError {
  return new UsageError('CONFIG_INVALID', message, cause === undefined ? undefined : { cause });
}
