import { UsageError } from '../activity/errors.js';
import { listId, type ContactList } from '../activity/list.js';
import type { ActivityService } from '../activity/service.js';
import { askYes, canAsk } from './prompt.js';
import type { Session } from './session.js';
import { plainText } from './terminal.js';

/** What `--yes` says in help. */
export const YES = { kind: 'flag', help: 'do not ask' } as const;

/** What is about to be done to lists. */
export interface ListChange {
  /** The command, as an error names it. */
  readonly command: string;
  readonly lists: readonly string[];
  /** Asked for: `This takes every contact off`. */
  readonly question: string;
  /** Where nobody is asked: `Clearing`. */
  readonly notice: string;
  /** After a no: `nothing was cleared`. */
  readonly refusal: string;
}

/** @throws UsageError `OPTION_INVALID` where somebody must be asked, and nobody can be. */
export function checkConfirmable(
  session: Session,
  { command }: Pick<ListChange, 'command'>,
  yes: boolean,
): void {
  if (yes || canAsk(session.io)) return;
  throw new UsageError(
    'OPTION_INVALID',
    `${command}: asks before it changes lists, and here is no terminal to ask on; give --yes if you are sure`,
  );
}

/**
 * Shows the lists with their names and members, and asks, unless `yes` is given; false after a no.
 * @throws UsageError `LIST_INVALID` when one is not there.
 */
export async function confirmLists(
  session: Session,
  service: ActivityService,
  change: ListChange,
  yes: boolean,
): Promise<boolean> {
  const lists = await findLists(session, service, change.lists);
  const { talk } = session;
  talk.note(`${yes ? change.notice : change.question}:`);
  for (const { id, name, contactCount } of lists) {
    const members = contactCount === undefined ? 'members not told' : `${contactCount} members`;
    talk.note(`  ${id}  ${talk.paint('bold', plainText(name))}, ${members}`);
  }
  if (yes || (await askYes(session.io, 'Type "yes" to go on: '))) return true;
  session.io.signal?.throwIfAborted();
  talk.error(change.refusal);
  return false;
}

async function findLists(
  session: Session,
  service: ActivityService,
  refs: readonly string[],
): Promise<ContactList[]> {
  const wanted = new Set(refs.map(listId));
  const found: ContactList[] = [];
  for await (const list of service.lists(session.abort)) if (wanted.delete(list.id)) found.push(list);
  if (wanted.size > 0) {
    throw new UsageError('LIST_INVALID', `--list: the account has no list ${[...wanted].join(', ')}`);
  }
  return found;
}
