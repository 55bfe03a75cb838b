import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../activity/errors.js';
import { RECORD_FORMATS, type RecordFormatName } from './archive-output.js';
import { showPlace } from './archive-reading.js';
import { lastLineOfPart, PartFile, partOf, type Target } from './part-file.js';
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
}

/** Where the records of a run go: stdout or a file, and the file of the table of errors beside it. */
export class RecordTarget implements Target {
  /** The file of the records; undefined for stdout. */
  readonly file: PartFile | undefined;
  /** The file of the errors, where one is wanted. */
  readonly errors: PartFile | undefined;
  /** What is written stands behind what an earlier run wrote. */
  readonly goesOn: boolean;
  readonly #session: Session;

  private constructor(session: Session, file?: PartFile, errors?: PartFile, goesOn = file?.goesOn === true) {
    this.#session = session;
    this.file = file;
    this.errors = errors;
    this.goesOn = goesOn;
  }

  /**
   * Opens what is written to. `commandAfter` is the command line that goes on behind a place.
   * @throws UsageError `FILE_EXISTS`, `FILE_UNWRITABLE`; `OPTION_INVALID` for options that do not go together.
   */
  static async open(
    session: Session,
    options: TargetOptions,
    commandAfter: (place: string) => string,
  ): Promise<RecordTarget> {
    const { output, errors, force, after } = options;
    const out = options.out === '-' ? undefined : options.out;
    checkTogether(session, output, out, errors);
    for (const path of [out, errors]) if (path !== undefined) await checkFile(path, force);
    const goesOn = after !== undefined && RECORD_FORMATS[output].appendable;
    if (output === 'ndjson' && out !== undefined && !goesOn && !force) await tellOfPart(out, commandAfter);

    const openPart = (path: string) => (goesOn ? PartFile.goOn(path) : PartFile.begin(path, force));
    const file = out === undefined ? undefined : await openPart(out);
    try {
      const table = errors === undefined ? undefined : await openPart(errors);
      return new RecordTarget(session, file, table, file?.goesOn ?? goesOn);
    } catch (error) {
      await file?.discard();
      throw error;
    }
  }

  async write(chunk: string | Uint8Array): Promise<void> {
    if (chunk.length > 0) await (this.file?.write(chunk) ?? this.#session.output.raw(chunk));
  }

  /** Gives the files their names. */
  async publish(): Promise<void> {
    await this.file?.publish();
    await this.errors?.publish();
  }

  /** Leaves the files as parts, which can be gone on with. */
  async keep(): Promise<void> {
    await this.file?.keep();
    await this.errors?.keep();
  }

  async discard(): Promise<void> {
    await this.file?.discard();
    await this.errors?.discard();
  }
}

function checkTogether(
  session: Session,
  output: RecordFormatName,
  out: string | undefined,
  errors: string | undefined,
): void {
  const wrong = (message: string) => new UsageError('OPTION_INVALID', message);
  if (errors !== undefined && output !== 'csv') {
    throw wrong(`--errors: goes with --output csv; in ${output}, each activity has its errors with it`);
  }
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

/** A run that was killed told nobody how to go on; what it left does. */
async function tellOfPart(out: string, commandAfter: (place: string) => string): Promise<void> {
  const line = await lastLineOfPart(out);
  const place = line === undefined ? undefined : placeOf(line);
  if (place === undefined) return;
  throw new UsageError(
    'FILE_EXISTS',
    `${partOf(out)} is there already, of a run that was cut off or is under way; go on with it: ${commandAfter(place)}`,
  );
}

/** The place of the record in a line of NDJSON; undefined where it is none of ours. */
function placeOf(line: string): string | undefined {
  try {
    const { position } = JSON.parse(line) as { position?: { source: string; byteOffset: number } };
    return position === undefined ? undefined : showPlace(position);
  } catch {
    return undefined;
  }
}
