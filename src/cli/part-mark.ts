import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { partOf, writing } from './part-file.js';

/**
 * How far a part is whole, and which record comes last in it: for what does not tell that itself. It stands in a file beside
 * the part, `<path>.part.place`, from its first records on.
 */
export interface PartMark {
  /** The record that comes last, as `--after` takes it. */
  readonly place: string;
  /** Bytes of the part that are whole. */
  readonly length: number;
  /** Bytes of the part of the table of errors that belong to these. */
  readonly errorsLength: number | undefined;
}

const fileOf = (path: string): string => `${partOf(path)}.place`;

/** The mark of the part that an earlier run left; undefined where it left none. */
export async function readMark(path: string): Promise<PartMark | undefined> {
  try {
    const mark: unknown = JSON.parse(await readFile(fileOf(path), 'utf8'));
    return isMark(mark) ? mark : undefined;
  } catch {
    return undefined;
  }
}

/** Sets the mark, whole whenever the run is killed. */
export async function writeMark(path: string, mark: PartMark): Promise<void> {
  const file = fileOf(path);
  await writing(file, () => writeFile(`${file}.new`, `${JSON.stringify(mark)}\n`, { mode: 0o600 }));
  await writing(file, () => rename(`${file}.new`, file));
}

export async function removeMark(path: string): Promise<void> {
  await rm(fileOf(path), { force: true });
  await rm(`${fileOf(path)}.new`, { force: true });
}

function isMark(mark: unknown): mark is PartMark {
  if (typeof mark !== 'object' || mark === null) return false;
  const { place, length, errorsLength } = mark as Partial<Record<keyof PartMark, unknown>>;
  const isLength = (value: unknown) => Number.isSafeInteger(value);
  return (
    typeof place === 'string' && isLength(length) && (errorsLength === undefined || isLength(errorsLength))
  );
}
