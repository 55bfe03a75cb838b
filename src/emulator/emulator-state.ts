import { UsageError } from '../activity/errors.js';
import { shown } from '../activity/shown.js';
import type { AccountState } from './account-state.js';

const VERSION = 1;

/** All that an emulator holds but its faults and its journal, as plain data that may be kept as JSON. */
export interface EmulatorState {
  readonly version: typeof VERSION;
  /** What its clock said: `2008-04-29T19:30:00.000Z`. */
  readonly now: string;
  readonly accounts: readonly AccountState[];
}

export function emulatorState(now: number, accounts: readonly AccountState[]): EmulatorState {
  return { version: VERSION, now: new Date(now).toISOString(), accounts };
}

/**
 * The same, once it is what `snapshot` gives.
 * @throws UsageError `CONFIG_INVALID`
 */
export function checkEmulatorState(state: EmulatorState): EmulatorState {
  const given: unknown = state;
  const { version, now, accounts } =
    typeof given === 'object' && given !== null ? (given as Partial<EmulatorState>) : {};
  if (version !== VERSION) {
    throw new UsageError(
      'CONFIG_INVALID',
      `state: version ${shown(version)} cannot be read, only ${VERSION}; start without it`,
    );
  }
  if (typeof now !== 'string' || Number.isNaN(Date.parse(now))) {
    throw new UsageError('CONFIG_INVALID', `state: now: must be a time, got ${shown(now)}`);
  }
  if (!Array.isArray(accounts)) {
    throw new UsageError('CONFIG_INVALID', `state: accounts: must be an array, got ${shown(accounts)}`);
  }
  for (const account of accounts as readonly unknown[]) {
    const user: unknown =
      typeof account === 'object' && account !== null ? Reflect.get(account, 'user') : undefined;
    if (typeof user !== 'string') {
      throw new UsageError('CONFIG_INVALID', `state: accounts: must have a user each, got ${shown(account)}`);
    }
  }
  return state;
}
