import { readFile } from 'node:fs/promises';
import { UsageError } from '../activity/errors.js';
import type { ControlReach } from '../emulator/control-guard.js';
import type { EmulatorOptions } from '../emulator/emulator.js';
import { FAULT_PRESETS, type FaultPreset } from '../emulator/fault-presets.js';
import type { AccountSeed } from '../emulator/seed.js';
import type { TlsIdentity } from '../http/serve.js';
import { createVirtualClock, type VirtualClock } from '../emulator/virtual-clock.js';
import { parseQuirks, type Profile } from '../ws/quirks.js';
import { demoAccount, FAST, readMembers } from './demo-account.js';
import type { Session } from './session.js';

/** How time goes for an emulator. */
export const CLOCKS = ['real', 'virtual', 'instant'] as const;

export interface SetupOptions {
  readonly seed: string | undefined;
  readonly seedContacts: string | undefined;
  readonly clock: (typeof CLOCKS)[number];
  readonly fast: boolean;
  readonly profile: Profile | undefined;
  readonly quirk: readonly string[];
  readonly control: boolean;
  readonly controlAnywhere: boolean;
  readonly recordBodies: boolean;
}

export interface EmulatorSetup extends EmulatorOptions {
  readonly accounts: readonly AccountSeed[];
  readonly clock: VirtualClock;
}

/**
 * What an emulator is made of, by the options of the command line.
 * @throws UsageError for options that do not go together, and files that cannot be read.
 */
export async function emulatorSetup(session: Session, options: SetupOptions): Promise<EmulatorSetup> {
  const { seed, seedContacts, clock, fast, profile, quirk, recordBodies } = options;
  if (seed !== undefined && seedContacts !== undefined) {
    throw new UsageError(
      'OPTION_INVALID',
      '--seed-contacts: write the contacts into the file of --seed instead',
    );
  }
  if (fast && clock === 'instant') {
    throw new UsageError(
      'OPTION_INVALID',
      '--fast: with --clock instant, jobs take no time anyway; leave it out',
    );
  }
  if (seed !== undefined && session.settingSources.flags.user !== undefined) {
    throw new UsageError('OPTION_INVALID', `--user: ${seed} names the accounts; leave it out`);
  }
  const quirks = parseQuirks(quirk.join(','));
  const accounts =
    seed === undefined
      ? [
          demoAccount(
            session.user ?? 'joesflowers',
            seedContacts === undefined ? [] : await readMembers(session, seedContacts),
          ),
        ]
      : await seedOf(seed);
  return {
    accounts,
    // One that stands still begins at a time of its own, so that each run gives the same ids and times.
    clock:
      clock === 'virtual'
        ? createVirtualClock()
        : createVirtualClock({ running: true, now: session.clock.now(), source: session.clock }),
    ...(fast && { latency: FAST }),
    ...(clock === 'instant' && { latency: 'instant' as const }),
    ...(profile !== undefined && { profile }),
    quirks,
    recordBodies,
    control: controlOf(options),
  };
}

function controlOf({ control, controlAnywhere }: SetupOptions): ControlReach | false {
  if (control) return controlAnywhere ? 'anywhere' : 'loopback';
  if (!controlAnywhere) return false;
  throw new UsageError('OPTION_INVALID', '--control-anywhere: contradicts --no-control; leave one out');
}

async function seedOf(path: string): Promise<readonly AccountSeed[]> {
  const { readSeed } = await import('../emulator/seed-file.js');
  return readSeed(path);
}

/** What https is served by, from a file that holds both, or two. @throws UsageError `FILE_UNREADABLE` */
export async function tlsOf(path: string | undefined, keyPath?: string): Promise<TlsIdentity | undefined> {
  if (path === undefined) return undefined;
  const cert = await readPem('--tls', path);
  return { cert, key: keyPath === undefined ? cert : await readPem('--tls-key', keyPath) };
}

async function readPem(flag: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'the read failed';
    throw new UsageError('FILE_UNREADABLE', `${flag}: cannot read ${path} (${code})`, { cause: error });
  }
}

/** The presets that are named. @throws UsageError `OPTION_INVALID` for a name that is none. */
export function faultPresets(names: readonly string[]): FaultPreset[] {
  return names.map((name) => {
    const preset = Object.keys(FAULT_PRESETS).find((known) => known.toLowerCase() === name.toLowerCase());
    if (preset !== undefined) return preset as FaultPreset;
    const known = Object.keys(FAULT_PRESETS).join(', ');
    throw new UsageError('OPTION_INVALID', `--fault: must be one of ${known}; got "${name}"`);
  });
}
