import { dirname, relative } from 'node:path';
import { CtctError } from '../../activity/errors.js';
import type { ContactList } from '../../activity/list.js';
import { ENCODINGS } from '../../format/encodings.js';
import type { AccountEntry } from '../../migrate/accounts-file.js';
import { readAccepted } from '../accepted-losses.js';
import { checkFile } from '../archive-target.js';
import { readInto } from '../column-targets.js';
import { command } from '../command.js';
import { PartFile } from '../part-file.js';
import type { Session } from '../session.js';
import { plainText } from '../terminal.js';

export const migratePlan = command({
  name: 'plan',
  summary: 'write down what a migration will send where, and what is lost',
  details:
    'Reads contact files, a table of uploads, archived activities, or a live account of ws, and sends nothing. The same ' +
    'input gives the same plan. No credentials are in it, only where they are to be had. Where something is lost, the exit ' +
    'code is 9 unless it was accepted by name.',
  examples: [
    ['ctct migrate plan contacts.csv --list 2', 'one file to one list: plan.json'],
    ['ctct migrate plan --accounts accounts.csv --uploads uploads.csv', 'many files to many accounts'],
    ['ctct migrate plan --archive feeds/ --files exports/', 'what an archive and the files beside it have'],
    ['ctct migrate plan --from-ws', 'all lists of your account, exported now'],
    ['ctct migrate plan a.csv --list 2 --map 2=7', 'list 2 is list 7 in the new account'],
  ],
  without: ['api'],
  arguments: { contacts: { help: 'contact files', several: true, optional: true } },
  options: {
    list: {
      kind: 'texts',
      value: 'id',
      help: 'list in ws that the files go to; of --from-ws, list to export',
    },
    remove: { kind: 'flag', help: 'remove the contacts of the files from the lists' },
    encoding: { kind: 'choice', choices: ['auto', ...ENCODINGS], fallback: 'auto', help: 'of the files' },
    blanksEnabled: { kind: 'flag', help: 'let blank cells of the files erase what contacts have' },
    into: { kind: 'texts', value: 'from=to', help: 'where a column goes that v2 ignores' },
    uploads: {
      kind: 'text',
      value: 'file',
      help: 'CSV of account, activityType, file, lists, and encoding, blanksEnabled, into',
    },
    archive: { kind: 'texts', value: 'path', help: 'stored feeds of activities' },
    files: { kind: 'text', value: 'folder', help: 'where the files of archived exports are, as <id>.csv' },
    fromWs: { kind: 'flag', help: 'export the lists of the live accounts, and plan these' },
    fresh: { kind: 'flag', help: 'export again what was exported before' },
    accounts: {
      kind: 'text',
      value: 'file',
      help: 'CSV of account, api_key, access_token (env:NAME or file:PATH), and user, source_…, base_url',
    },
    account: { kind: 'text', value: 'name', help: 'the one account to plan for; or what to call yours' },
    lists: { kind: 'text', value: 'file', help: 'CSV of account, from, to, name: what lists become' },
    map: {
      kind: 'texts',
      value: 'from=to',
      help: 'what a list becomes, or which list an archived export is of',
    },
    offline: { kind: 'flag', help: 'do not look whether the target accounts have the lists' },
    accept: { kind: 'texts', value: 'loss', help: 'what may be lost, such as COLUMN_IGNORED' },
    out: { kind: 'text', value: 'file', fallback: 'plan.json', help: 'where the plan goes, or - for stdout' },
    force: { kind: 'flag', help: 'write over a plan that is there' },
  },
  records: async ({ out }) => (out === '-' ? undefined : (await import('../plan-output.js')).PLANNED_ACCOUNT),
  async run(session, values) {
    const { planMigration } = await import('../../migrate/planning.js');
    const { planText } = await import('../../migrate/plan-id.js');
    const { readOpenSettings } = await import('../config.js');
    const { PlanClients } = await import('../plan-clients.js');
    const { gatherAccounts } = await import('../plan-input.js');
    const { PLANNED_ACCOUNT, tellLosses, tellNext } = await import('../plan-output.js');
    const out = values.out === '-' ? undefined : values.out;
    if (out === undefined) session.output.checkFree('does not go with --out -, by which stdout has the plan');
    else await checkFile(out, values.force);
    const acceptedLosses = readAccepted(values.accept);
    const into = readInto(values.into);
    const planFolder = dirname(out ?? 'plan.json');
    const common = await readOpenSettings(session.settingSources);
    const clients = new PlanClients(session, common, planFolder);
    const asking = new TargetLists(session, values.offline, async ({ account, target }) => {
      const lists: ContactList[] = [];
      for await (const list of (await clients.target(account, target)).lists(session.abort)) lists.push(list);
      return lists;
    });
    const targetLists = (entry: Pick<AccountEntry, 'account' | 'target'>) => asking.of(entry);
    // A relative path, wherever the plan is: so both can be moved together.
    const exportFolder = relative('.', `${(out ?? 'plan.json').replace(/\.json$/i, '')}.files`);
    const request = { ...values, into };
    const accounts = await gatherAccounts(session, request, {
      planFolder,
      exportFolder,
      clients,
      common,
      targetLists,
    });
    const plan = await planMigration(
      { accounts, acceptedLosses },
      {
        planFolder,
        targetLists,
        onFile: (file, account) => {
          session.talk.progress(
            `${account} ${file}`,
            () => plainText(`${account}: reading ${file}`),
            'later',
          );
        },
        onNote: (note) => {
          session.talk.note(plainText(note));
        },
        ...session.abort,
      },
    ).finally(() => {
      session.talk.progressEnds();
    });
    asking.tell();
    if (out === undefined) await session.output.raw(planText(plan));
    else {
      await PartFile.whole(out, values.force, [planText(plan)]);
      await session.output.records(PLANNED_ACCOUNT, plan.accounts);
    }
    tellLosses(session, plan);
    return tellNext(session, plan, out) ? 'lossy' : 'ok';
  },
});

type Entry = Pick<AccountEntry, 'account' | 'target'>;

/** Accounts whose lists could not be read that are told one by one. */
const SHOWN = 3;

/** The lists of target accounts, each asked once. One that cannot be asked is no reason not to plan. */
class TargetLists {
  readonly #session: Session;
  readonly #offline: boolean;
  readonly #ask: (entry: Entry) => Promise<readonly ContactList[]>;
  readonly #known = new Map<string, Promise<readonly ContactList[] | undefined>>();
  readonly #failures: string[] = [];

  constructor(session: Session, offline: boolean, ask: (entry: Entry) => Promise<readonly ContactList[]>) {
    this.#session = session;
    this.#offline = offline;
    this.#ask = ask;
  }

  of(entry: Entry): Promise<readonly ContactList[] | undefined> {
    if (this.#offline) return Promise.resolve(undefined);
    const known = this.#known.get(entry.account) ?? this.#try(entry);
    this.#known.set(entry.account, known);
    return known;
  }

  async #try(entry: Entry): Promise<readonly ContactList[] | undefined> {
    try {
      return await this.#ask(entry);
    } catch (error) {
      if (!(error instanceof CtctError) || error.code === 'ABORTED') throw error;
      this.#failures.push(
        error.message.startsWith(`${entry.account}:`) ? error.message : `${entry.account}: ${error.message}`,
      );
      return undefined;
    }
  }

  /** Says which could not be asked. */
  tell(): void {
    const { talk } = this.#session;
    for (const failure of this.#failures.slice(0, SHOWN)) {
      talk.warn(plainText(`the lists of the target are unchecked: ${failure}`));
    }
    const more = this.#failures.length - SHOWN;
    if (more > 0) talk.warn(`so are those of ${more.toLocaleString('en-US')} more accounts`);
  }
}
