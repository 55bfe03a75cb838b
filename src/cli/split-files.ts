import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../activity/errors.js';
import type { ColumnTargets } from '../translate/columns.js';
import { LIMITS } from '../translate/limits.js';
import { loss, type Loss } from '../translate/loss.js';
import type { Encoding } from '../format/encodings.js';
import { splitUpload, type SplitUpload, type UploadPart } from '../translate/split.js';
import { v2Parts } from '../translate/split-encodings.js';
import { lineRuns } from '../translate/split-lines.js';
import { spool } from '../upload/spool.js';
import { bytesOf } from './contacts-argument.js';
import { fileIdentity } from './file-identity.js';
import { ENVELOPE_VERSION } from './output.js';
import { PartFile, writing } from './part-file.js';
import type { Session } from './session.js';

export interface SplitFilesOptions {
  readonly for: 'add' | 'remove';
  readonly encoding: Encoding | 'auto';
  readonly into: ColumnTargets;
  /** Writes over what an earlier run left. */
  readonly force: boolean;
}

/** Bytes that a request has around the file: boundaries, and the ids of many lists. */
const AROUND = 16_384;

/** The names of what is written. */
const MAP = 'parts.json';
const PART = /^part-\d{4,}\.csv(\.part)?$|^parts\.json(\.part)?$/;

/**
 * Writes the upload file, `-` for stdin, as files for v2 that each fit into one request, and a map of their lines beside
 * them: `part-0001.csv` and so on, and `parts.json`. The map comes last, so where it is, all parts are.
 * @throws UsageError `FILE_EXISTS` for a folder that has something in it; as `splitUpload`.
 */
export async function writeSplitFiles(
  session: Session,
  file: string,
  folder: string,
  options: SplitFilesOptions,
): Promise<readonly Loss[]> {
  const { for: purpose, encoding, into, force } = options;
  const most = purpose === 'add' ? LIMITS.v2Add : LIMITS.v2Remove;
  const stdin = file === '-' ? await spool(bytesOf(session.io.stdin, session.io.signal)) : undefined;
  try {
    const split = await splitUpload(stdin ?? file, {
      limits: { ...most, bytes: most.bytes - AROUND },
      encode: v2Parts({ purpose, as: 'file', into, now: session.clock.now() }),
      encoding,
    });
    try {
      if (split.parts.length === 0) {
        throw new UsageError(
          'CONTACTS_REQUIRED',
          `${file}: no row has an address, so there is nothing to send`,
        );
      }
      await makeRoom(folder, file, force);
      for (const part of split.parts) await writeFile(session, join(folder, nameOf(part)), part.open());
      await writeFile(session, join(folder, MAP), mapOf(split, file));
      return [...split.losses, ...told(session, split, folder)];
    } finally {
      await split.close();
    }
  } finally {
    await stdin?.close();
  }
}

function nameOf({ index }: UploadPart): string {
  return `part-${String(index + 1).padStart(4, '0')}.csv`;
}

async function makeRoom(folder: string, file: string, force: boolean): Promise<void> {
  await writing(folder, () => mkdir(folder, { recursive: true, mode: 0o700 }));
  const names = await writing(folder, () => readdir(folder));
  const foreign = names.find((name) => !force || !PART.test(name));
  if (foreign !== undefined) {
    throw new UsageError(
      'FILE_EXISTS',
      `${folder} has ${foreign} in it; name a new folder` +
        (PART.test(foreign) ? ', or give --force to write over what an earlier run left' : ''),
    );
  }
  const source = file === '-' ? undefined : await fileIdentity(file);
  for (const name of names) {
    if (source !== undefined && source === (await fileIdentity(join(folder, name)))) {
      throw new UsageError('OPTION_INVALID', '--out: the file that is read is in it; name another folder');
    }
  }
  for (const name of names) await rm(join(folder, name));
}

async function writeFile(
  session: Session,
  path: string,
  chunks: AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const out = await PartFile.begin(path, false);
  try {
    for await (const chunk of chunks) {
      session.io.signal?.throwIfAborted();
      await out.write(chunk);
    }
    await out.publish();
  } catch (error) {
    await out.discard();
    throw error;
  }
}

/** JSON, written piece by piece: there may be many duplicates. See `schemas/upload-parts.schema.json`. */
async function* mapOf(split: SplitUpload, file: string): AsyncGenerator<string> {
  const { heading, headingLine, rows, sha256, duplicateCount } = split;
  const facts = { source: file === '-' ? null : file, sha256, heading, headingLine, rows, duplicateCount };
  yield `{\n  "version": ${ENVELOPE_VERSION},\n  "kind": "upload-parts",\n  "data": {\n`;
  for (const [name, value] of Object.entries(facts)) yield `    "${name}": ${JSON.stringify(value)},\n`;
  yield '    "parts": [';
  for (const part of split.parts) {
    const { index, firstLine, lastLine, bytes } = part;
    const about = { file: nameOf(part), rows: part.rows, firstLine, lastLine, bytes, sha256: part.sha256 };
    yield `${index === 0 ? '' : ','}\n      ${JSON.stringify(about).slice(0, -1)},"lines":`;
    yield* list(lineRuns(part.lines()), ({ line, fileLine, count }) => [line, fileLine, count]);
    yield '}';
  }
  yield '\n    ],\n    "duplicates": ';
  yield* list(split.duplicates(), ({ line, keptLine }) => [line, keptLine]);
  yield ',\n    "withoutAddress": ';
  yield* list(split.withoutAddress(), (line) => line);
  yield '\n  }\n}\n';
}

async function* list<T>(
  items: AsyncIterable<T>,
  show: (item: T) => number | readonly number[],
): AsyncGenerator<string> {
  let before = '[';
  for await (const item of items) {
    yield before + JSON.stringify(show(item));
    before = ',';
  }
  yield before === '[' ? '[]' : ']';
}

function told(session: Session, split: SplitUpload, folder: string): readonly Loss[] {
  const { parts, rows, duplicateCount, withoutAddressCount } = split;
  const counted = (count: number, noun: string) =>
    `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
  session.talk.note(
    `${counted(rows, 'contact')} in ${counted(parts.length, 'file')}; ${join(folder, MAP)} has their lines`,
  );
  if (duplicateCount > 0) {
    session.talk.note(
      `${counted(duplicateCount, 'row')} left out, as the same address comes again further down: the last one counts`,
    );
  }
  if (withoutAddressCount > 0) {
    session.talk.warn(`${counted(withoutAddressCount, 'row')} left out, as there is no address in them`);
  }
  if (parts.length === 1) return [];
  const message = `${parts.length} uploads take the place of one; send them in the order of their names, and wait for all`;
  return [loss('SPLIT', 'file', message)];
}
