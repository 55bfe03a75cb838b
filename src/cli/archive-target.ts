import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../activity/errors.js';
import { ErrorTable, RECORD_FORMATS, type RecordFormatName } from './archive-output.js';
import { showPlace, type ArchivePlace, type ArchiveReading } from './archive-reading.js';
import { lastLineOfPart, PartFile, partOf } from './part-file.js';
import { readMark, removeMark, writeMark, type PartMark } from './part-mark.js';
import { checkTarget } from './save.js';
import type { Session } from './session.js';

export interface TargetOptions {
  readonly output: RecordFormatName;
  /** Undefined, and `-`, are stdout. */
  readonly out: string | undefined;
  readonly errors: string | undefined;
  readonly force: boolean;
  /** Where an earlier run ended; then the parts it left are gone on with, where the format can be. */
  readonly after: string | undefined;
  readonly forSpreadsheet: boolean;
}

/** Command lines that can be told. */
export interface RecordCommands {
  /** Goes on behind a place, into the same file or, where the format wants it, into another. */
  readonly after: (place: string) => string;
  /** Begins anew, over what is there. */
  readonly anew: () => string;
}

/** Where the records of a run go: stdout or a file, and the file of the table of errors beside it. */
export class RecordTarget {
  /** The file of the records; undefined for stdout. */
  readonly file: PartFile | undefined;
  /** The table of the errors, where one is wanted. */
  readonly errors: ErrorTable | undefined;
  /** What is written stands behind what an earlier run wrote. */
  readonly goesOn: boolean;
  readonly #session: Session;
  readonly #output: RecordFormatName;
  /** The record that came last. */
  #last: string | undefined;

  private constructor(
    session: Session,
    output: RecordFormatName,
    parts: Pick<RecordTarget, 'file' | 'errors' | 'goesOn'>,
    last: string | undefined,
  ) {
    this.#session = session;
    this.#output = output;
    this.file = parts.file;
    this.errors = parts.errors;
    this.goesOn = parts.goesOn;
    this.#last = last;
  }

  /**
   * Opens what is written to.
   * @throws UsageError `FILE_EXISTS`, `FILE_UNWRITABLE`; `OPTION_INVALID` for options that do not go together, for a file
   * that is read, and for a part that does not end at `after`.
   */
  static async open(
    session: Session,
    options: TargetOptions,
    reading: Pick<ArchiveReading, 'checkNotRead'>,
    commands: RecordCommands,
  ): Promise<RecordTarget> {
    const { output, errors, force, after, forSpreadsheet } = options;
    const out = options.out === '-' ? undefined : options.out;
    checkTogether(session, options, out);
    for (const [flag, path] of [
      ['--out', out],
      ['--errors', errors],
    ] as const) {
      if (path === undefined) continue;
      for (const name of [path, partOf(path)]) await reading.checkNotRead(flag, name);
      await checkFile(path, force);
    }
    const goesOn = after !== undefined && RECORD_FORMATS[output].appendable;
    if (out !== undefined && !goesOn && !force) await tellOfPart(output, out, commands);
    const left = out !== undefined && goesOn ? await checkPart(output, out, after, commands) : undefined;
    if (out !== undefined && !goesOn) await removeMark(out);

    const openPart = (path: string, length: number | undefined) =>
      goesOn ? PartFile.goOn(path, length) : PartFile.begin(path, force);
    const file = out === undefined ? undefined : await openPart(out, left?.length);
    try {
      const table = errors === undefined ? undefined : await openPart(errors, left?.errorsLength);
      const parts = {
        file,
        errors: table && new ErrorTable(table, forSpreadsheet),
        goesOn: file?.goesOn ?? goesOn,
      };
      return new RecordTarget(session, output, parts, left?.place);
    } catch (error) {
      await file?.discard();
      throw error;
    }
  }

  /** Writes a piece, of which `last` is the last record. */
  async write(chunk: string | Uint8Array, last?: ArchivePlace): Promise<void> {
    if (chunk.length === 0) return;
    await (this.file?.write(chunk) ?? this.#session.output.raw(chunk));
    await this.errors?.flush();
    if (last === undefined) return;
    this.#last = showPlace(last);
    if (RECORD_FORMATS[this.#output].appendable) await this.#mark();
  }

  /** The record that comes last in the file, or in what earlier runs left of it; undefined when there is none. */
  async last(): Promise<string | undefined> {
    if (this.file === undefined || this.#output !== 'ndjson') return this.file && this.#last;
    return placeOfLine(await lastLineOfPart(this.file.path));
  }

  /** Gives the files their names. */
  async publish(): Promise<void> {
    await this.errors?.flush();
    await this.file?.publish();
    await this.errors?.file.publish();
    if (this.file !== undefined) await removeMark(this.file.path);
  }

  /** Leaves the files as parts, which can be gone on with. */
  async keep(): Promise<void> {
    await this.errors?.flush();
    await this.#mark();
    await this.file?.keep();
    await this.errors?.file.keep();
  }

  async discard(): Promise<void> {
    await this.file?.discard();
    await this.errors?.file.discard();
    if (this.file !== undefined && !this.goesOn) await removeMark(this.file.path);
  }

  async #mark(): Promise<void> {
    // A line of NDJSON tells its place itself.
    if (this.file === undefined || this.#last === undefined || this.#output === 'ndjson') return;
    await writeMark(this.file.path, {
      place: this.#last,
      length: this.file.length,
      errorsLength: this.errors?.file.length,
    });
  }
}

function checkTogether(
  session: Session,
  { output, errors, forSpreadsheet }: TargetOptions,
  out: string | undefined,
): void {
  const wrong = (message: string) => new UsageError('OPTION_INVALID', message);
  if (errors !== undefined && output !== 'csv') {
    throw wrong(`--errors: goes with --output csv; in ${output}, each activity has its errors with it`);
  }
  if (forSpreadsheet && output !== 'csv') throw wrong('--for-spreadsheet: goes with --output csv');
  if (errors === '-') throw wrong('--errors: must be a file');
  if (errors !== undefined && out !== undefined && resolve(errors) === resolve(out)) {
    throw wrong('--errors: must be another file than --out');
  }
  if (output === 'parquet' && out === undefined && session.io.stdout.isTTY === true) {
    throw wrong('--output parquet: is nothing for a terminal; name a file with --out, or send stdout to one');
  }
}

/** @throws UsageError `FILE_EXISTS`, `FILE_UNWRITABLE` for a path that no file can be written to. */
export async function checkFile(path: string, force: boolean): Promise<void> {
  await checkTarget(path, force);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true)
    throw new UsageError('FILE_UNWRITABLE', `${path}: is a folder; name a file`);
}

/** A run that was killed told nobody how to go on; what it left does. @throws UsageError `FILE_EXISTS` where it left a part. */
async function tellOfPart(output: RecordFormatName, out: string, commands: RecordCommands): Promise<void> {
  const part = partOf(out);
  if (!(await isThere(part))) return;
  const left = await endOfPart(output, out);
  const there = `${part} is there already`;
  const ofRun = 'of a run that was cut off or is under way';
  const { appendable } = RECORD_FORMATS[output];
  if (appendable && left !== undefined) {
    throw new UsageError('FILE_EXISTS', `${there}, ${ofRun}; go on with it: ${commands.after(left.place)}`);
  }
  if (appendable) return;
  throw new UsageError(
    'FILE_EXISTS',
    left === undefined
      ? `${there}, ${ofRun}; it is no whole ${output} and cannot be gone on with; begin anew: ${commands.anew()}`
      : `${there}, of a run that was ended early, and whole as far as it goes; ` +
          `go on into another file: ${commands.after(left.place)}`,
  );
}

/**
 * What an earlier run left to go on with; undefined when that is nothing.
 * @throws UsageError `OPTION_INVALID` when it does not end at `after`, `FILE_EXISTS` when nothing tells where it ends.
 */
async function checkPart(
  output: RecordFormatName,
  out: string,
  after: string,
  commands: RecordCommands,
): Promise<Partial<PartMark> | undefined> {
  const part = partOf(out);
  if (!(await isThere(part))) return undefined;
  const left = await endOfPart(output, out);
  if (left === undefined) {
    throw new UsageError(
      'FILE_EXISTS',
      `${part} does not tell which record it ends with, so nothing can be put behind it; begin anew: ${commands.anew()}`,
    );
  }
  if (left.place === after) return left;
  throw new UsageError(
    'OPTION_INVALID',
    `--after: ${part} ends with the record ${left.place}; go on behind that one: ${commands.after(left.place)}`,
  );
}

/** Where the part of a run ends, as far as it tells. */
async function endOfPart(
  output: RecordFormatName,
  out: string,
): Promise<(Partial<PartMark> & Pick<PartMark, 'place'>) | undefined> {
  if (output !== 'ndjson') return readMark(out);
  const place = placeOfLine(await lastLineOfPart(out));
  return place === undefined ? undefined : { place };
}

/** Whether there is a file that has anything in it. */
async function isThere(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() === true && found.size > 0;
}

/** The place of the record in a line of NDJSON; undefined where it is none of ours. */
function placeOfLine(line: string | undefined): string | undefined {
  if (line === undefined) return undefined;
  try {
    const { position } = JSON.parse(line) as { position?: { source: string; byteOffset: number } };
    return position === undefined ? undefined : showPlace(position);
  } catch {
    return undefined;
  }
}
