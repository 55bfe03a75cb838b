import { join } from 'node:path';
import { CtctError, UsageError } from '../activity/errors.js';
import { similarField } from '../activity/fields.js';
import type { ContactList } from '../activity/list.js';
import type { Encoding } from '../format/encodings.js';
import { parseBaseUrl } from '../http/origin.js';
import { isSecretReference, type SecretReference } from '../http/secret.js';
import { readAccounts, rebased, type AccountEntry, type SourceAccount } from '../migrate/accounts-file.js';
import { listNamed, nameKey, ownListId, type ListNames } from '../migrate/list-map.js';
import { TOGETHER } from '../migrate/estimate.js';
import { isAccountName, type AccountInput, type StepInput } from '../migrate/planning.js';
import { archivedSteps } from '../migrate/source-archive.js';
import { exportAccount, type ExportedAccount } from '../migrate/source-ws.js';
import { readListNames, readUploads } from '../migrate/uploads-file.js';
import { readTargets, type ColumnTargets } from '../translate/columns.js';
import type { Loss } from '../translate/loss.js';
import type { OpenSettings } from './config.js';
import type { PlanClients } from './plan-clients.js';
import type { Session } from './session.js';
import { plainText } from './terminal.js';

/** What `ctct migrate plan` is asked for. */
export interface PlanRequest {
  readonly contacts: readonly string[];
  readonly list: readonly string[];
  readonly remove: boolean;
  readonly encoding: Encoding | 'auto';
  readonly blanksEnabled: boolean;
  readonly into: ColumnTargets;
  readonly uploads: string | undefined;
  readonly archive: readonly string[];
  readonly files: string | undefined;
  readonly fromWs: boolean;
  readonly fresh: boolean;
  readonly accounts: string | undefined;
  readonly account: string | undefined;
  readonly lists: string | undefined;
  readonly map: readonly string[];
}

export interface PlanPlaces {
  readonly planFolder: string;
  /** Where exports of live accounts are kept. */
  readonly exportFolder: string;
  readonly clients: PlanClients;
  readonly common: OpenSettings;
  /** The lists of a target; undefined where it is not asked. */
  readonly targetLists: (
    account: Pick<AccountEntry, 'account' | 'target'>,
  ) => Promise<readonly ContactList[] | undefined>;
}

/**
 * The accounts, and what is to be done in each: what was archived or exported first, then the table of uploads, then the
 * files of the command line. Accounts that nothing is to be done in are left out.
 * @throws UsageError for a request that cannot be meant; as the sources.
 */
export async function gatherAccounts(
  session: Session,
  request: PlanRequest,
  places: PlanPlaces,
): Promise<readonly AccountInput[]> {
  checkRequest(request);
  readTargets(request.into);
  const entries = await readEntries(session, request, places);
  const names = entries.map(({ account }) => account);
  const uploads = request.uploads === undefined ? undefined : await readUploads(request.uploads, names);
  const listFile = request.lists === undefined ? undefined : await readListNames(request.lists, names);
  const given = readMap(request.map);
  const [only, ...others] = entries;
  const single = others.length === 0 ? only : undefined;
  const needsOne = request.contacts.length > 0 || request.archive.length > 0 || request.map.length > 0;
  if (single === undefined && needsOne) {
    const what =
      request.contacts.length > 0
        ? 'files on the command line'
        : request.archive.length > 0
          ? '--archive'
          : '--map';
    throw invalid(
      `--account: there are ${entries.length} accounts, and ${what} can be of one only; say which`,
    );
  }
  const exported = request.fromWs ? await exportAll(session, entries, request, places) : undefined;
  const accounts: AccountInput[] = [];
  for (const { account, target } of entries) {
    const live = exported?.get(account);
    const lists = joinNames(listFile?.get(account), given.lists, live?.names);
    const archived =
      request.archive.length === 0
        ? undefined
        : await readArchived(session, request, {
            lists,
            listsOf: given.activities,
            targets: () => places.targetLists({ account, target }),
          });
    const steps = [
      ...(live?.steps ?? []),
      ...(archived?.steps ?? []),
      ...(uploads?.get(account) ?? []),
      ...(single === undefined ? [] : fileSteps(request)),
    ];
    const losses: readonly Loss[] = [...(live?.losses ?? []), ...(archived?.losses ?? [])];
    if (steps.length > 0 || losses.length > 0) accounts.push({ account, target, steps, lists, losses });
  }
  const idle = entries.length - accounts.length;
  if (accounts.length === 0)
    throw invalid('there is nothing to plan: no file was found to be sent, and no list to be cleared');
  if (idle > 0)
    session.talk.note(`${idle} of ${entries.length} accounts are left out: nothing is to be done in them`);
  return accounts;
}

function checkRequest(request: PlanRequest): void {
  const { contacts, list, uploads, archive, files, fromWs, fresh } = request;
  if (contacts.length === 0 && uploads === undefined && archive.length === 0 && !fromWs) {
    throw invalid(
      'there is nothing to plan: give contact files with --list, a table with --uploads, --archive with --files, or --from-ws',
    );
  }
  if (contacts.length > 0 && list.length === 0) {
    throw new UsageError(
      'LIST_REQUIRED',
      `--list: ${contacts[0] ?? ''} must go to at least one list, such as --list 2`,
    );
  }
  if (contacts.length > 0 && fromWs) {
    throw invalid(
      '--from-ws: --list would mean two things with files beside it; put the files into a table, --uploads',
    );
  }
  if (contacts.length === 0 && list.length > 0 && !fromWs) {
    throw invalid('--list: goes with contact files, or with --from-ws');
  }
  if (contacts.length === 0 && request.remove) throw invalid('--remove: goes with contact files');
  if (archive.length > 0 !== (files !== undefined)) {
    throw invalid('--archive: goes with --files, the folder in which the files of exports were kept');
  }
  if (fresh && !fromWs) throw invalid('--fresh: goes with --from-ws');
}

async function readEntries(
  session: Session,
  request: PlanRequest,
  { planFolder, common }: PlanPlaces,
): Promise<readonly AccountEntry[]> {
  const { accounts, account } = request;
  if (accounts === undefined) return [ownAccount(session, account, planFolder, common)];
  const { user, baseUrl } = session.settingSources.flags;
  if (user !== undefined)
    throw invalid(`--user: each account of ${accounts} has its own; see its column user`);
  if (baseUrl !== undefined) {
    throw invalid(
      `--base-url: each account of ${accounts} says where its service is; see its column base_url`,
    );
  }
  const entries = await readAccounts(accounts, planFolder);
  if (account === undefined) return entries;
  const found = entries.find((entry) => entry.account.toLowerCase() === account.toLowerCase());
  if (found !== undefined) return [found];
  const names = entries.map((entry) => entry.account);
  const similar = similarField(account, names);
  const hint =
    similar === undefined ? `there are ${names.slice(0, 10).join(', ')}` : `did you mean ${similar}?`;
  throw invalid(`--account: ${JSON.stringify(account)} is not in ${accounts}; ${hint}`);
}

/** The account that the settings of the environment are of. */
function ownAccount(
  session: Session,
  named: string | undefined,
  planFolder: string,
  { user, baseUrl, allowHttp }: OpenSettings,
): AccountEntry {
  const { env } = session.io;
  const account = named ?? user ?? 'default';
  if (!isAccountName(account)) {
    throw invalid(
      `--account: must be up to 100 letters, digits, and . _ - @, got ${JSON.stringify(account)}`,
    );
  }
  // Whatever is in it would stand in the plan.
  if (baseUrl !== undefined) parseBaseUrl(baseUrl, allowHttp);
  const common = baseUrl === undefined ? {} : { baseUrl };
  const secret = (name: string): SecretReference => {
    const file = env[`${name}_FILE`];
    const reference = `file:${file ?? ''}`;
    const isFile = (env[name] ?? '') === '' && file !== '-' && isSecretReference(reference);
    return isFile ? rebased(reference, '.', planFolder) : `env:${name}`;
  };
  const apiKey = secret('CTCT_API_KEY');
  const password = secret('CTCT_PASSWORD');
  const accessToken = secret('CTCT_ACCESS_TOKEN');
  const hasPassword = [env.CTCT_PASSWORD, env.CTCT_PASSWORD_FILE].some((text) => (text ?? '') !== '');
  const source: SourceAccount = {
    user: user ?? account,
    ...common,
    credentials: hasPassword ? { scheme: 'basic', apiKey, password } : { scheme: 'bearer', accessToken },
  };
  return { account, target: { api: 'v2', ...common, apiKey, accessToken }, source };
}

/** `2=7`: list 2 becomes list 7; `a07e1…=2`: the file of that activity goes to list 2. */
function readMap(texts: readonly string[]): {
  readonly lists: ReadonlyMap<string, string>;
  readonly activities: ReadonlyMap<string, readonly string[]>;
} {
  const lists = new Map<string, string>();
  const activities = new Map<string, string[]>();
  for (const text of texts) {
    const [from = '', to = '', ...more] = text.split('=').map((part) => part.trim());
    if (from === '' || to === '' || more.length > 0) {
      throw invalid(
        `--map: must be FROM=TO, such as 2=7 or a07e1il97e1hddalkpk=2, got ${JSON.stringify(text)}`,
      );
    }
    const list = ownListId(to, '--map');
    if (!/^\d+$/.test(from)) activities.set(from, [...(activities.get(from) ?? []), list]);
    else if ((lists.get(from) ?? list) === list) lists.set(from, list);
    else throw invalid(`--map: list ${from} cannot become both ${lists.get(from) ?? ''} and ${list}`);
  }
  return { lists, activities };
}

/** What was said on the command line goes before what stands in a file, and that before what the account itself tells. */
function joinNames(
  file: ListNames | undefined,
  map: ReadonlyMap<string, string>,
  names: ReadonlyMap<string, string> | undefined,
): ListNames {
  return {
    to: new Map([...(file?.to ?? []), ...map]),
    names: new Map([...(names ?? []), ...(file?.names ?? [])]),
  };
}

function fileSteps(request: PlanRequest): readonly StepInput[] {
  const { contacts, list, remove, encoding, blanksEnabled, into } = request;
  const lists = [...new Set(list.map((id) => ownListId(id, '--list')))];
  return contacts.map((file) => ({
    activityType: remove ? 'REMOVE_CONTACTS_FROM_LISTS' : 'ADD_CONTACTS',
    file,
    origin: { kind: 'file' },
    encoding,
    lists,
    blanksEnabled,
    into,
  }));
}

interface ArchivedLists {
  readonly lists: ListNames;
  readonly listsOf: ReadonlyMap<string, readonly string[]>;
  readonly targets: () => Promise<readonly ContactList[] | undefined>;
}

async function readArchived(
  session: Session,
  { archive, files = '.', into }: PlanRequest,
  { lists, listsOf, targets }: ArchivedLists,
) {
  const { talk, io } = session;
  const known = await targets();
  let problems = 0;
  const found = await archivedSteps(archive, {
    files,
    listsOf,
    into,
    listNamed: (name) => {
      const told = [...(lists.names ?? [])].filter(([, other]) => nameKey(other) === nameKey(name));
      return told.length === 1 ? told[0]?.[0] : listNamed(known ?? [], name)?.id;
    },
    onNote: (note) => {
      talk.note(plainText(note));
    },
    onProblem: ({ message, position }) => {
      if (++problems <= SHOWN) talk.warn(plainText(`${position.source}:${position.line}: ${message}`));
    },
    stdin: io.stdin as AsyncIterable<Uint8Array>,
    ...session.abort,
  });
  if (problems > SHOWN)
    talk.warn(`${problems - SHOWN} more places are damaged; see them all: ctct archive check`);
  return found;
}

/** Messages of a kind that are shown one by one. */
const SHOWN = 5;
/**
 * Exports all accounts. What goes wrong in one does not stop the others: so a second run has only the rest to do.
 * @throws UsageError, or what one account failed with, once the others are done.
 */
async function exportAll(
  session: Session,
  entries: readonly AccountEntry[],
  request: PlanRequest,
  { clients, exportFolder }: PlanPlaces,
): Promise<ReadonlyMap<string, ExportedAccount>> {
  const { talk } = session;
  const lists = request.list.length === 0 ? undefined : request.list.map((id) => ownListId(id, '--list'));
  const exported = new Map<string, ExportedAccount>();
  const failures: CtctError[] = [];
  const waiting = entries.values();
  const work = async () => {
    for (const { account, source } of waiting) {
      try {
        if (source === undefined) {
          throw new UsageError(
            'CREDENTIALS_REQUIRED',
            `${account}: needs source_api_key and source_password, or source_access_token`,
          );
        }
        const found = await exportAccount(await clients.source(account, source), {
          folder: join(exportFolder, account),
          lists,
          fresh: request.fresh,
          into: request.into,
          onNote: (note) => {
            talk.note(plainText(`${account}: ${note}`));
          },
          onExport: (list, number, of) => {
            talk.progress(
              `${account} ${list}`,
              () => `${account}: exporting list ${list}, ${number} of ${of}`,
            );
          },
          clock: session.clock,
          random: session.io.random,
          ...session.abort,
        });
        exported.set(account, found);
      } catch (error) {
        if (!(error instanceof CtctError) || error.code === 'ABORTED') throw error;
        failures.push(error);
        talk.warn(plainText(`${account}: ${error.message}`));
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: TOGETHER }, work));
  } catch (error) {
    talk.progressEnds();
    talk.note(
      'Nothing is planned yet. The same command again goes on where this one ended: files that are there are kept.',
    );
    throw error;
  } finally {
    talk.progressEnds();
  }
  const [first] = failures;
  if (first === undefined) return exported;
  if (failures.length < entries.length || entries.length > 1) {
    talk.note(
      `${failures.length} of ${entries.length} accounts could not be exported, so nothing is planned. Mend that, and run ` +
        'the same command again: files that are there are kept.',
    );
  }
  throw first;
}

function invalid(message: string): UsageError {
  return new UsageError('OPTION_INVALID', message);
}
