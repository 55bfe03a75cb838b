import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { UsageError, type CtctError } from '../../activity/errors.js';
import { ENCODINGS } from '../../format/encodings.js';
import type { ColumnTargets } from '../../translate/columns.js';
import type { Loss } from '../../translate/loss.js';
import { PRINT_FORMS, type PrintForm } from '../../translate/print.js';
import { BODY_FORMS, type BodyForm } from '../../translate/body-forms.js';
import { checkFile } from '../archive-target.js';
import { callsFrom, readWhole, sourceOf } from '../call-input.js';
import { readInto } from '../column-targets.js';
import { command } from '../command.js';
import { OF_SERVICE } from '../global-options.js';
import { bytesOf } from '../contacts-argument.js';
import type { Exit } from '../exit-codes.js';
import { fileIdentity } from '../file-identity.js';
import type { OutputFormat, View } from '../output.js';
import { PartFile } from '../part-file.js';
import type { Session } from '../session.js';
import { plainText } from '../terminal.js';

export const translate = command({
  name: 'translate',
  summary: 'say a request, or an upload file, of ws in v2',
  details:
    'Reads a request as a form body, an HTTP message, a command line of curl, a HAR file, or the journal of the emulator. ' +
    'What is different is told on stderr; where something is lost, the exit code is 9 unless --allow-loss is given. No ' +
    'secret of the input is printed: $CTCT_API_KEY and $CTCT_ACCESS_TOKEN stand in their places.',
  examples: [
    ['ctct translate request.txt', 'the same for v2, as a command line of curl'],
    ['ctct translate calls.har --as http', 'each call of ws in it, as HTTP messages'],
    ['ctct translate --file contacts.txt --out new.csv', 'an upload file as v2 takes it'],
    ['ctct translate --file large.csv --split --out parts', 'in parts that each fit into one request'],
    ['ctct translate --file a.csv --into "MIDDLE NAME=CUSTOM FIELD 15"', 'with a place for the middle names'],
  ],
  without: OF_SERVICE,
  arguments: { input: { help: 'file with the request, the request itself, or - for stdin', optional: true } },
  options: {
    output: {
      kind: 'choice',
      choices: ['table', 'json', 'ndjson'],
      value: 'format',
      fallback: 'table',
      help: 'json and ndjson: the request and what is lost, as data',
    },
    as: {
      kind: 'choice',
      choices: PRINT_FORMS,
      help: 'how the request is printed; default curl, or as --output says',
    },
    body: {
      kind: 'choice',
      choices: BODY_FORMS,
      fallback: 'auto',
      help: 'how contacts are sent; auto: a file as multipart, else JSON where it fits',
    },
    file: { kind: 'text', value: 'file', help: 'an upload file to rewrite, or - for stdin' },
    out: { kind: 'text', value: 'file', help: 'where the upload file goes; default stdout' },
    force: { kind: 'flag', help: 'write over a file that is there' },
    for: {
      kind: 'choice',
      choices: ['add', 'remove'],
      value: 'what',
      fallback: 'add',
      help: 'what the upload file is for',
    },
    encoding: {
      kind: 'choice',
      choices: ['auto', ...ENCODINGS],
      fallback: 'auto',
      help: 'of the upload file',
    },
    into: { kind: 'texts', value: 'from=to', help: 'where a column goes that v2 ignores' },
    split: {
      kind: 'flag',
      help: 'write parts that each fit into one request, and their lines, into the folder --out',
    },
    allowLoss: { kind: 'flag', help: 'exit with 0 though something is lost' },
  },
  records: ({ file, as }, format) =>
    file === undefined && printFormOf(as, format) === 'json' ? TRANSLATION : undefined,
  async run(session, values) {
    const { input, file, allowLoss } = values;
    const into = readInto(values.into);
    if ((input === undefined) === (file === undefined)) {
      throw new UsageError(
        'OPTION_INVALID',
        'give either a request to translate, or --file with an upload file',
      );
    }
    if (values.split && (file === undefined || values.out === undefined || values.out === '-')) {
      throw new UsageError(
        'OPTION_INVALID',
        '--split: goes with --file, and --out with the folder for the parts',
      );
    }
    if (file === undefined && values.out !== undefined) {
      throw new UsageError('OPTION_INVALID', '--out: goes with --file; a request is printed on stdout');
    }
    if (file !== undefined) session.output.checkFree('does not go with --file');
    const { losses, refused } =
      file === undefined
        ? await translateInput(session, input ?? '-', {
            as: printForm(session, values.as),
            body: values.body,
            into,
          })
        : {
            losses: unplaced(await (values.split ? split : rewrite)(session, file, { ...values, into })),
            refused: [],
          };
    tell(session, losses);
    for (const { message } of refused.slice(0, -1)) session.talk.warn(plainText(message));
    const last = refused.at(-1);
    if (last !== undefined) throw last;
    const lost: Exit = losses.some(({ loss }) => loss.severity === 'loss') && !allowLoss ? 'lossy' : 'ok';
    return lost;
  },
});

function printFormOf(as: PrintForm | undefined, format: OutputFormat): PrintForm {
  return as ?? (format === 'table' ? 'curl' : 'json');
}

function printForm({ output }: Session, as: PrintForm | undefined): PrintForm {
  const form = printFormOf(as, output.format);
  if (form !== 'json') {
    output.checkFree(
      as === undefined ? 'goes with --output json or ndjson' : `does not go with --as ${as}, which is text`,
    );
  }
  return form;
}

/** A request, and what becomes of it. */
interface Translation {
  readonly source: string;
  readonly method: string;
  readonly resource: string;
  readonly activityType?: string | undefined;
  readonly requests: readonly unknown[];
  readonly losses: readonly Loss[];
}

const TRANSLATION: View<Translation> = {
  kind: ['translation', 'translations'],
  none: 'No requests.',
  fields: [
    { name: 'source', heading: 'Source', value: ({ source }) => source },
    { name: 'method', heading: 'Method', value: ({ method }) => method },
    { name: 'resource', heading: 'Resource', value: ({ resource }) => resource },
  ],
  details: ['activityType', 'requests', 'losses'],
  more: ({ activityType, requests, losses }) => ({
    ...(activityType !== undefined && { activityType }),
    requests,
    losses,
  }),
};

/** What is lost, and, of several calls, of which. */
interface Placed {
  readonly call?: string;
  readonly loss: Loss;
}

function unplaced(losses: readonly Loss[]): readonly Placed[] {
  return losses.map((loss) => ({ loss }));
}

interface Translated {
  readonly losses: readonly Placed[];
  /** Of several calls, those that could not be read. */
  readonly refused: readonly CtctError[];
}

interface CallOptions {
  readonly as: PrintForm;
  readonly body: BodyForm;
  readonly into: ColumnTargets;
}

async function translateInput(session: Session, input: string, options: CallOptions): Promise<Translated> {
  const { translateCall, wsResource } = await import('../../translate/call.js');
  const { readTargets } = await import('../../translate/columns.js');
  const { asCurl, asData, asHttp } = await import('../../translate/print.js');
  readTargets(options.into);
  const all = await callsFrom(session, input);
  const calls = all.filter(({ url }) => wsResource(url) !== undefined);
  if (calls.length === 0) {
    throw new UsageError(
      'OPTION_INVALID',
      `${sourceOf(input)}: none of the requests in it is to /ws/customers/…`,
    );
  }
  if (calls.length < all.length)
    session.talk.note(`${all.length - calls.length} other requests are passed over`);
  const { as, body, into } = options;
  const several = calls.length > 1;
  const data: Translation[] = [];
  const losses: Placed[] = [];
  const refused: CtctError[] = [];
  let printed = false;
  for (const call of calls) {
    let found;
    try {
      found = await translateCall(call, { to: 'v2', into, body, now: session.clock.now(), ...session.abort });
    } catch (error) {
      // One call that ws itself did not take does not hide the others.
      if (!several || !(error instanceof UsageError)) throw error;
      refused.push(error);
      continue;
    }
    losses.push(...found.losses.map((loss) => ({ ...(several && { call: call.place }), loss })));
    if (as === 'json') {
      data.push({
        source: call.place,
        ...found.subject,
        requests: found.counterpart.map(asData),
        losses: found.losses,
      });
      continue;
    }
    for (const [part, counterpart] of found.counterpart.entries()) {
      const mark = as === 'http' ? '###' : '#';
      if (several || found.counterpart.length > 1) {
        const number = found.counterpart.length > 1 ? `, part ${part + 1}` : '';
        await session.output.raw(`${printed ? '\n' : ''}${mark} ${plainText(call.place)}${number}\n`);
      }
      printed = true;
      if (as === 'curl') await session.output.raw(asCurl(counterpart));
      else {
        await session.output.raw(asHttp(counterpart));
        await session.output.raw('\n');
      }
    }
  }
  if (as === 'json') {
    const { output } = session;
    await output.records(TRANSLATION, data, output.format === 'table' ? 'json' : output.format);
  }
  return { losses, refused };
}

interface FileOptions {
  readonly for: 'add' | 'remove';
  readonly encoding: 'auto' | (typeof ENCODINGS)[number];
  readonly out: string | undefined;
  readonly force: boolean;
  readonly into: ColumnTargets;
}

async function split(session: Session, file: string, options: FileOptions): Promise<readonly Loss[]> {
  const { writeSplitFiles } = await import('../split-files.js');
  return writeSplitFiles(session, file, options.out ?? '.', options);
}

async function rewrite(session: Session, file: string, options: FileOptions): Promise<readonly Loss[]> {
  const { translateFile } = await import('../../translate/file.js');
  const out = options.out === '-' ? undefined : options.out;
  if (out !== undefined) {
    const written = await fileIdentity(out);
    if (written !== undefined && written === (await fileIdentity(file))) {
      throw new UsageError('OPTION_INVALID', '--out: is the file that is read; name another');
    }
    await checkFile(out, options.force);
  }
  const { chunks, losses } = translateFile(await open(session, file), {
    to: 'v2',
    purpose: options.for,
    encoding: options.encoding,
    into: options.into,
    now: session.clock.now(),
  });
  const part = out === undefined ? undefined : await PartFile.begin(out, options.force);
  try {
    for await (const chunk of chunks) {
      session.io.signal?.throwIfAborted();
      await (part?.write(chunk) ?? session.output.raw(chunk));
    }
    await part?.publish();
  } catch (error) {
    await part?.discard();
    throw error;
  }
  if (part !== undefined) session.talk.note(`The file is ${part.path}`);
  return losses;
}

async function open(session: Session, file: string): Promise<AsyncIterable<Uint8Array>> {
  if (file === '-') return bytesOf(session.io.stdin, session.io.signal);
  if ((await stat(file).catch(() => undefined))?.isDirectory() === true) await readWhole(file);
  const sheet = await sheetIn(session, file);
  if (sheet !== undefined) return sheet;
  const stream = createReadStream(file);
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => {
      resolve();
    });
    stream.once('error', reject);
  }).catch(async () => {
    // Says the reason in the words that all commands have.
    await readWhole(file);
  });
  return stream as AsyncIterable<Uint8Array>;
}

/** The first sheet of a spreadsheet as CSV; undefined for what is none. */
async function sheetIn({ io, talk }: Session, file: string): Promise<AsyncIterable<Uint8Array> | undefined> {
  const { fileSource, memorySource } = await import('../../upload/contact-source.js');
  const { isSpreadsheet, readSheet } = await import('../../upload/read-sheet.js');
  // A pipe has no beginning to look at.
  const source = await fileSource(file).catch(() => undefined);
  if (source === undefined || !(await isSpreadsheet(source))) return undefined;
  const { csv, sheets } = await readSheet(source, { name: file, signal: io.signal });
  if (sheets > 1) talk.note(`Only the first of ${sheets} sheets was read`);
  return memorySource(csv).read(0);
}

/** What is the same for several calls is told once. */
function tell({ talk }: Session, losses: readonly Placed[]): void {
  const told = new Map<string, { readonly first: Placed; calls: number }>();
  for (const placed of losses) {
    const key = JSON.stringify(placed.loss);
    const known = told.get(key);
    if (known === undefined) told.set(key, { first: placed, calls: 1 });
    else known.calls++;
  }
  for (const { first, calls } of told.values()) {
    const { severity, place, message, code } = first.loss;
    const others = calls === 1 ? '' : `, and ${calls - 1} more ${calls === 2 ? 'call' : 'calls'}`;
    const call = first.call === undefined ? '' : `${first.call}${others}: `;
    const text = `${plainText(`${call}${place}: ${message}`)} (${code})`;
    if (severity === 'loss') talk.warn(`lost: ${text}`);
    else talk.note(`${severity}: ${text}`);
  }
}
