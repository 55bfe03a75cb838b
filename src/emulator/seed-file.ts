import { readFile } from 'node:fs/promises';
import { UsageError } from '../activity/errors.js';
import { readDocument } from '../format/document.js';
import { checkSeed, type AccountSeed, type ListSeed } from './seed.js';

/** As a file writes it: list ids may be numbers. */
interface SeedDocument {
  readonly accounts: readonly (Omit<AccountSeed, 'lists'> & {
    readonly lists?: readonly (Omit<ListSeed, 'id'> & { readonly id: string | number })[];
  })[];
}

/**
 * The accounts of a seed file, JSON or YAML, as schemas/emulator-seed.schema.json describes it.
 * @throws UsageError `CONFIG_INVALID` naming the place; `FILE_UNREADABLE`; and as `parseSeed`.
 */
export async function readSeed(path: string): Promise<readonly AccountSeed[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const reason = code === 'ENOENT' ? 'there is no such file' : `cannot be read (${code})`;
    throw new UsageError('FILE_UNREADABLE', `${path}: ${reason}`, { cause: error });
  });
  return parseSeed(text, path);
}

/**
 * The accounts of a seed document.
 * @param source what errors call it.
 * @throws UsageError `CONFIG_INVALID` naming the place; `LIST_INVALID` for a list that is there twice.
 */
export async function parseSeed(text: string, source: string): Promise<readonly AccountSeed[]> {
  const { accounts } = await readDocument<SeedDocument>(text, { source, schema: 'emulator-seed' });
  return accounts.map(({ lists, ...account }) => {
    const own = lists?.map((list) => ({ ...list, id: String(list.id) }));
    const seed: AccountSeed = { ...account, ...(own === undefined ? {} : { lists: own }) };
    checkSeed(seed);
    return seed;
  });
}
