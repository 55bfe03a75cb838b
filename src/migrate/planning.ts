import { isAbsolute, relative, resolve, sep } from 'node:path';
import { CtctError, TransportError, UsageError } from '../activity/errors.js';
import type { ContactList } from '../activity/list.js';
import { LOSSES, type Loss, type LossCode } from '../translate/loss.js';
import { estimateOf } from './estimate.js';
import { mapLists, type ListNames, type MappedLists } from './list-map.js';
import type {
  LossCount,
  MigrationPlan,
  PlannedAccount,
  PlannedClear,
  PlannedLoss,
  PlannedStep,
  PlannedTarget,
  PlannedUpload,
} from './plan.js';
import { planId } from './plan-id.js';
import { partFileName, splitFor, type UploadSettings } from './upload-split.js';

/** A contact file, and what is to be done with it. */
export interface UploadInput extends Pick<
  PlannedUpload,
  'activityType' | 'origin' | 'encoding' | 'blanksEnabled' | 'into'
> {
  /** As this process opens it; a relative path stays one in the plan. */
  readonly file: string;
  /** Ids in ws. */
  readonly lists: readonly string[];
}

/** Lists that are to be cleared. */
export interface ClearInput {
  readonly activityType: 'CLEAR_CONTACTS_FROM_LISTS';
  /** Ids in ws. */
  readonly lists: readonly string[];
}

/** One thing that is to be done in an account. */
export type StepInput = UploadInput | ClearInput;

/** An account, and what is to be done in it. */
export interface AccountInput {
  readonly account: string;
  readonly target: PlannedTarget;
  /** In the order in which they are to be done. */
  readonly steps: readonly StepInput[];
  /** What lists become and are called; those that are not in it keep their numbers. */
  readonly lists?: ListNames | undefined;
  /** What is known to be lost already. */
  readonly losses?: readonly Loss[] | undefined;
}

/** What is to be planned. */
export interface MigrationInput {
  /** In the order in which the plan has them. */
  readonly accounts: readonly AccountInput[];
  readonly acceptedLosses?: readonly LossCode[] | undefined;
  /** Of each API key. Default 4 calls a second and 10,000 a day. */
  readonly limits?: MigrationPlan['limits'] | undefined;
}

/** Where a plan is made for, and who is told. */
export interface PlanOptions {
  /** The folder in which the plan will be. */
  readonly planFolder: string;
  /** The lists that the target account has; undefined where it is not asked. Default: none is. */
  readonly targetLists?:
    | ((account: Pick<AccountInput, 'account' | 'target'>) => Promise<readonly ContactList[] | undefined>)
    | undefined;
  /** Told before a file is read. */
  readonly onFile?: ((file: string, account: string) => void) | undefined;
  /** Told of files that are left out since no contact is in them; only such as nobody named. */
  readonly onNote?: ((note: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a migration will do. Each file is read once, in constant memory, and cut into the parts that the run will send.
 *
 * The same input gives the same plan: nothing of this machine, of the time, or of chance is in it.
 * @throws UsageError `OPTION_INVALID` for accounts that cannot be; as `splitUpload` for files; what `targetLists` throws.
 */
export async function planMigration(input: MigrationInput, options: PlanOptions): Promise<MigrationPlan> {
  const { acceptedLosses = [], limits = { perSecond: 4, perDay: 10_000 } } = input;
  checkAccounts(input.accounts);
  const accounts: PlannedAccount[] = [];
  for (const account of input.accounts) accounts.push(await planAccount(account, options));
  const plan = {
    limits: { perSecond: limits.perSecond, perDay: limits.perDay },
    accounts,
    losses: countLosses(accounts),
    acceptedLosses: [...new Set(acceptedLosses)].sort(),
    estimate: estimateOf(accounts, limits),
  };
  const kind = { version: 1, kind: 'migration-plan' } as const;
  return { ...kind, id: planId({ ...kind, ...plan }), ...plan };
}

/** An account's name is a name of a folder too. */
const ACCOUNT = /^(?!\.+$)[A-Za-z0-9._@-]{1,100}$/;

/** Whether an account may be called so. */
export function isAccountName(name: string): boolean {
  return ACCOUNT.test(name);
}

function checkAccounts(accounts: readonly AccountInput[]): void {
  if (accounts.length === 0) throw new UsageError('OPTION_INVALID', 'accounts: there is none');
  const seen = new Set<string>();
  for (const { account } of accounts) {
    if (!isAccountName(account)) {
      throw new UsageError(
        'OPTION_INVALID',
        `account: must be up to 100 letters, digits, and . _ - @, got ${JSON.stringify(account.slice(0, 100))}`,
      );
    }
    if (seen.has(account.toLowerCase())) {
      throw new UsageError('OPTION_INVALID', `account ${account}: there are two of that name`);
    }
    seen.add(account.toLowerCase());
  }
}

async function planAccount(input: AccountInput, options: PlanOptions): Promise<PlannedAccount> {
  const { account, target, steps: inputs } = input;
  const used = [...new Set(inputs.flatMap(({ lists }) => lists))];
  const known = used.length === 0 ? undefined : await options.targetLists?.({ account, target });
  const mapped = mapLists(used, input.lists, known);
  const steps: PlannedStep[] = [];
  for (const step of inputs) {
    if (options.signal?.aborted === true) throw aborted(options.signal);
    const id = `${account}/${steps.length + 1}`;
    const planned =
      step.activityType === 'CLEAR_CONTACTS_FROM_LISTS'
        ? planClear(id, step, mapped)
        : await planUpload(id, account, step, mapped, options);
    if (planned !== undefined) steps.push(planned);
  }
  const losses = [...(input.losses ?? []), ...mapped.losses];
  return { account, target: plainTarget(target), lists: mapped.lists, steps, losses: lostOnes(losses) };
}

/** In one order of keys, whoever made it. */
function plainTarget({ api, baseUrl, apiKey, accessToken }: PlannedTarget): PlannedTarget {
  return { api, ...(baseUrl !== undefined && { baseUrl }), apiKey, accessToken };
}

function planClear(id: string, { activityType, lists }: ClearInput, mapped: MappedLists): PlannedClear {
  return { id, activityType, lists: mapped.toTarget(lists), losses: [], parts: [{ id: `${id}/1` }] };
}

async function planUpload(
  id: string,
  account: string,
  input: UploadInput,
  mapped: MappedLists,
  { planFolder, onFile, onNote, signal }: PlanOptions,
): Promise<PlannedUpload | undefined> {
  const { file, activityType, origin, encoding, blanksEnabled } = input;
  const into = Object.fromEntries(Object.entries(input.into));
  const lists = mapped.toTarget(input.lists);
  const settings: UploadSettings = { id, activityType, encoding, lists, blanksEnabled, into };
  onFile?.(file, account);
  const split = await splitFor(file, settings, signal).catch((error: unknown) => {
    // An export of a list without members is no mistake of anybody's.
    if (origin.kind === 'file' || !(error instanceof CtctError) || error.code !== 'CONTACTS_REQUIRED')
      throw error;
    onNote?.(`${account}: ${file} is left out: there is no contact in it`);
    return undefined;
  });
  if (split === undefined) return undefined;
  try {
    return {
      id,
      activityType,
      file: plannedPath(file, planFolder),
      origin,
      encoding,
      sha256: split.sha256,
      rows: split.rows,
      duplicates: split.duplicateCount,
      ...(split.withoutAddressCount > 0 && { withoutAddress: split.withoutAddressCount }),
      headingLine: split.headingLine,
      lists,
      blanksEnabled,
      into,
      losses: lostOnes(split.losses),
      parts: split.parts.map(({ index, rows, firstLine, lastLine, bytes, sha256 }) => ({
        id: `${id}/${index + 1}`,
        fileName: partFileName(settings, split.sha256, index),
        rows,
        firstLine,
        lastLine,
        bytes,
        sha256,
      })),
    };
  } finally {
    await split.close();
  }
}

/** The path as the plan has it: an absolute one as it is, any other from the folder of the plan. */
export function plannedPath(file: string, planFolder: string): string {
  const path = isAbsolute(file) ? file : relative(resolve(planFolder), resolve(file));
  return path.replaceAll(sep, '/');
}

/** The path that stands in a file of that folder, as this process opens it. One that is relative stays so. */
export function fromFolder(folder: string, path: string): string {
  return isAbsolute(path) ? path : relative('.', resolve(folder, path));
}

function lostOnes(losses: readonly Loss[]): PlannedLoss[] {
  return losses
    .filter(({ severity }) => severity === 'loss')
    .map(({ code, place, message }) => ({ code, place, message }));
}

/** In the order of the table of codes. */
function countLosses(accounts: readonly PlannedAccount[]): LossCount[] {
  const counts = new Map<LossCode, number>();
  for (const { code } of accounts.flatMap(allLosses)) counts.set(code, (counts.get(code) ?? 0) + 1);
  return (Object.keys(LOSSES) as LossCode[]).flatMap((code) => {
    const count = counts.get(code);
    return count === undefined ? [] : [{ code, count }];
  });
}

function allLosses({ losses, steps }: PlannedAccount): readonly PlannedLoss[] {
  return [...losses, ...steps.flatMap((step) => step.losses)];
}

function aborted(signal: AbortSignal): TransportError {
  return new TransportError('ABORTED', 'the planning was aborted', { sent: 'no', cause: signal.reason });
}
