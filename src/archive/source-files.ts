import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../activity/errors.js';
import { unreadable } from './file-bytes.js';

/** What is read of a directory. A file that is named itself, or matched by a glob, may be called anything. */
const IN_DIRECTORIES = /\.(?:xml|atom|feed)(?:\.gz)?$/i;

/**
 * The paths of the files that `named` means: as `filesAt`, or those that match it as a glob, which it is only where
 * no such path exists. Sorted by code unit; no file twice; names that begin with a dot only where the glob spells the
 * dot.
 * @throws UsageError FILE_UNREADABLE when there is nothing
 */
export async function filesNamed(named: string): Promise<readonly string[]> {
  if ((await stat(named).catch(() => undefined)) !== undefined) return filesAt(named);
  // It is rarely needed, and takes longer to load than all the rest of what worker threads do.
  const { glob, isDynamicPattern } = await import('tinyglobby');
  if (!isDynamicPattern(named)) return filesAt(named);
  const files = await glob(named, { absolute: path.isAbsolute(named), expandDirectories: false });
  if (files.length > 0) return distinct(files);
  throw new UsageError('FILE_UNREADABLE', `${named}: no file matches, and none is called so`);
}

/**
 * The path itself; or those of all files below, where it is a directory, sorted by code unit. Names that begin with a
 * dot are passed over. Symbolic links are followed, but no file counts twice.
 * @throws UsageError FILE_UNREADABLE when there is nothing
 */
export async function filesAt(place: string): Promise<readonly string[]> {
  const stats = await stat(place).catch((error: unknown) => {
    throw unreadable(place, error);
  });
  return stats.isDirectory() ? filesBelow(place) : [place];
}

async function filesBelow(directory: string): Promise<string[]> {
  const files: string[] = [];
  const entered = new Set<string>();
  const enter = async (folder: string): Promise<void> => {
    const real = await realpath(folder);
    if (entered.has(real)) return;
    entered.add(real);
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.')) continue;
      const below = path.join(folder, entry.name);
      const kind = entry.isSymbolicLink() ? await stat(below).catch(() => undefined) : entry;
      if (kind?.isDirectory() === true) await enter(below);
      // A link that leads nowhere counts as a file, so that it does not go unnoticed.
      else if (kind?.isFile() !== false && IN_DIRECTORIES.test(entry.name)) files.push(below);
    }
  };
  await enter(directory).catch((error: unknown) => {
    throw unreadable((error as NodeJS.ErrnoException).path ?? directory, error);
  });
  if (files.length > 0) return distinct(files);
  throw new UsageError(
    'FILE_UNREADABLE',
    `${directory}: no archives in this directory; looked for *.xml, *.atom and *.feed, with or without .gz, ` +
      'in all that is not hidden. Name other files one by one, or by a glob',
  );
}

/** The paths, sorted, without those that lead by symbolic links to a file that is there already. */
async function distinct(files: readonly string[]): Promise<string[]> {
  const found = new Map<string, string>();
  for (const file of [...files].sort()) {
    const real = await realpath(file).catch(() => file);
    if (!found.has(real)) found.set(real, file);
  }
  return [...found.values()];
}
