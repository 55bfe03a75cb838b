import { join, parse } from 'node:path';
import { ACTIVITY_STATUSES, ACTIVITY_TYPES } from '../../activity/activity.js';
import { UsageError } from '../../activity/errors.js';
import { newestOfEach } from '../../archive/dedupe.js';
import type { ArchiveRecord } from '../../archive/record.js';
import { activityFilter, createdAt, type ActivityFilter } from '../../archive/select.js';
import type { Loss } from '../../translate/loss.js';
import { parseInstant } from '../../format/instant.js';
import { activityId } from '../activity-output.js';
import { lossLines, RECORD_FORMATS } from '../archive-output.js';
import {
  ArchiveReading,
  counted,
  JOBS,
  parsePlace,
  readingSummary,
  showPlace,
  type ArchivePlace,
} from '../archive-reading.js';
import { RecordTarget } from '../archive-target.js';
import { command, type Values } from '../command.js';
import { OF_SERVICE } from '../global-options.js';
import { exitOf, type Exit } from '../exit-codes.js';
import type { Session } from '../session.js';
import { plainText } from '../terminal.js';

const ARGUMENTS = { path: { help: 'file, folder, pattern, or - for stdin', several: true } } as const;

const OPTIONS = {
  output: {
    kind: 'choice',
    choices: ['ndjson', 'json', 'csv', 'parquet', 'v2'],
    value: 'format',
    fallback: 'ndjson',
    help: 'how the activities are put out; v2 is NDJSON in the shape of the v2 API',
  },
  out: { kind: 'text', value: 'file', help: 'write to this file; default, and -, is stdout' },
  errors: { kind: 'text', value: 'file', help: 'with csv: the errors of the activities, as a second table' },
  forSpreadsheet: {
    kind: 'flag',
    help: "with csv: put ' before cells that a spreadsheet would run as formulas; changes such values",
  },
  force: { kind: 'flag', help: 'write over files that are there' },
  type: { kind: 'texts', value: 'type', help: 'activities of this type' },
  status: { kind: 'texts', value: 'status', help: 'activities with this status' },
  id: { kind: 'texts', value: 'id', help: 'the activity with this id' },
  since: {
    kind: 'text',
    value: 'date',
    help: 'created then or later; 2008-04-29 is its first moment in UTC',
  },
  until: { kind: 'text', value: 'date', help: 'created before then' },
  withErrors: { kind: 'flag', help: 'activities with at least one error' },
  dedupe: { kind: 'flag', help: 'of several records of an activity, the newest only' },
  strict: { kind: 'flag', help: 'stop at the first problem' },
  after: { kind: 'text', value: 'file@byte', help: 'go on behind this record, as an interrupted run tells' },
  jobs: { ...JOBS, help: 'with ndjson: read on so many threads; 0 is one for each core' },
} as const;

type ReadValues = Values<typeof ARGUMENTS, typeof OPTIONS>;

export const archiveRead = command({
  name: 'read',
  summary: 'put out the activities of stored feeds',
  details:
    'Each activity comes with its errors and with the place it was found. Damaged entries are read as far as possible ' +
    'and marked; then the exit code is 3, and "ctct archive check" tells the problems. The newest record is the one ' +
    'updated last; --dedupe keeps one record of each activity in memory and looks at the filters after that.',
  examples: [
    ['ctct archive read feeds/ > activities.ndjson', 'a JSON record on each line'],
    ['ctct archive read feeds/ --dedupe --output csv --out a.csv --errors e.csv', 'two tables'],
    ['ctct archive read - --with-errors --since 2010-01-01 < feed.xml', 'some of stdin'],
    ['ctct archive read "feeds/*.gz" --output parquet --out a.parquet', 'for data tools'],
  ],
  without: [...OF_SERVICE, 'fields'],
  arguments: ARGUMENTS,
  options: OPTIONS,
  async run(session, values) {
    const filter = filterOf(session, values);
    const after = values.after === undefined ? undefined : parsePlace('--after', values.after);
    if (after !== undefined && values.dedupe) {
      throw new UsageError(
        'OPTION_INVALID',
        '--after: does not go with --dedupe, which must look at all records',
      );
    }
    if (values.jobs !== 1 && (values.output !== 'ndjson' || values.dedupe)) {
      throw new UsageError('OPTION_INVALID', '--jobs: goes with --output ndjson, and without --dedupe');
    }
    const toFile = values.out !== undefined && values.out !== '-';
    const reading = await ArchiveReading.open(session, values.path, {
      strict: values.strict,
      after,
      // On a terminal the data itself is all the progress there need be.
      progress: toFile || session.io.stdout.isTTY !== true,
    });
    const target = await RecordTarget.open(session, values, reading, {
      after: (place) => session.commandLine(...resumed(values, { place, out: restOf(values) })),
      anew: () => session.commandLine(...resumed({ ...values, force: true }, { out: values.out })),
    });
    const passed: Passed = { written: 0, undated: 0, last: undefined };
    const losses = new Map<Loss['message'], number>();
    try {
      const write =
        values.jobs === 1
          ? writeRecords(values, chosen(session, reading, values, filter, passed), target, losses)
          : await linesOnThreads(reading, values, filter, passed);
      for await (const chunk of write) await target.write(chunk, passed.last);
    } catch (error) {
      await target.discard();
      throw error;
    }
    for (const line of lossLines(losses)) session.talk.warn(line);
    if (reading.endedEarly) return endedEarly(session, values, reading, target, passed);
    await target.publish();
    finished(session, values, reading, passed);
    return reading.problems > 0 ? 'rows' : 'ok';
  },
});

/** What `chosen` tells of the records that passed it. */
interface Passed {
  /** Records that were put out. */
  written: number;
  /** Records that tell no date, where one was asked for. */
  undated: number;
  /** The last of those that were put out. */
  last: ArchivePlace | undefined;
}

function writeRecords(
  { output, forSpreadsheet }: ReadValues,
  records: AsyncIterable<ArchiveRecord>,
  target: RecordTarget,
  losses: Map<Loss['message'], number>,
): AsyncIterable<string | Uint8Array> {
  const seen = target.errors?.through(records) ?? records;
  const run = {
    goesOn: target.goesOn,
    forSpreadsheet,
    onLoss: ({ message }: Loss) => void losses.set(message, (losses.get(message) ?? 0) + 1),
  };
  return RECORD_FORMATS[output].write(seen, run);
}

async function linesOnThreads(
  reading: ArchiveReading,
  { jobs }: ReadValues,
  filter: ActivityFilter,
  passed: Passed,
): Promise<AsyncIterable<Uint8Array>> {
  const { ndjsonInParallel } = await import('../../archive/parallel.js');
  return reading.onThreads(
    (sources, how) => ndjsonInParallel(sources, { ...how, jobs, filter }),
    ({ chosen: written, undated }) => Object.assign(passed, { written, undated }),
  );
}

/** The records that the options ask for. */
async function* chosen(
  session: Session,
  reading: ArchiveReading,
  { dedupe }: ReadValues,
  filter: ActivityFilter,
  passed: Passed,
): AsyncGenerator<ArchiveRecord> {
  const { signal } = session.io;
  const { ids = [], ...later } = filter;
  // The id is that of all records of an activity, so that those of others need not be kept.
  const records = dedupe ? newestOfEach(accepted(reading.records(), { ids })) : reading.records();
  const accepts = activityFilter(dedupe ? later : filter);
  const dated = filter.since !== undefined || filter.until !== undefined;
  for await (const record of records) {
    if (dedupe && signal?.aborted === true) reading.interrupt();
    if (dedupe && reading.endedEarly) return;
    if (dated && createdAt(record.activity) === undefined) passed.undated++;
    if (!accepts(record.activity)) continue;
    passed.written++;
    passed.last = record.position;
    yield record;
  }
}

async function* accepted(records: AsyncIterable<ArchiveRecord>, filter: ActivityFilter) {
  const accepts = activityFilter(filter);
  for await (const record of records) if (accepts(record.activity)) yield record;
}

function filterOf(session: Session, values: ReadValues): ActivityFilter {
  const since = instantOf('--since', values.since);
  const until = instantOf('--until', values.until);
  if (since !== undefined && until !== undefined && since >= until) {
    throw new UsageError('OPTION_INVALID', '--until: must be later than --since, which it is the end of');
  }
  warnOfUnknown(session, '--type', values.type, ACTIVITY_TYPES);
  warnOfUnknown(session, '--status', values.status, ACTIVITY_STATUSES);
  return {
    types: values.type,
    statuses: values.status,
    ids: values.id.map(activityId),
    since,
    until,
    withErrors: values.withErrors,
  };
}

/** An instant as people write one: a date, or with a time; UTC where no zone is told. */
function instantOf(flag: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const found = [text, `${text}Z`, `${text}:00Z`].map(parseInstant).find((instant) => instant !== undefined);
  if (found !== undefined) return found;
  throw new UsageError(
    'OPTION_INVALID',
    `${flag}: must be a date such as 2008-04-29 or 2008-04-29T19:36:10Z, got "${text}"`,
  );
}

/** Archives hold what the service invented, so that a name nobody knows is no error. */
function warnOfUnknown(
  session: Session,
  flag: string,
  given: readonly string[],
  known: readonly string[],
): void {
  for (const name of given) {
    if (known.includes(name.toUpperCase())) continue;
    session.talk.warn(`${flag}: ${plainText(name)} is none of the documented ones (${known.join(', ')})`);
  }
}

/** The words of the command line that goes on behind a place, or begins anew. */
function resumed(values: ReadValues, { place, out }: { place?: string; out: string | undefined }): string[] {
  const several = (flag: string, texts: readonly string[]) =>
    texts.length > 0 ? [flag, texts.join(',')] : [];
  const one = (flag: string, text: string | undefined) => (text === undefined ? [] : [flag, text]);
  const flag = (name: string, given: boolean) => (given ? [name] : []);
  return [
    ...['archive', 'read', ...values.path],
    ...one('--output', values.output === 'ndjson' ? undefined : values.output),
    ...one('--out', out),
    ...one('--errors', values.errors),
    ...flag('--for-spreadsheet', values.forSpreadsheet),
    ...flag('--force', values.force),
    ...several('--type', values.type),
    ...several('--status', values.status),
    ...several('--id', values.id),
    ...one('--since', values.since),
    ...one('--until', values.until),
    ...flag('--with-errors', values.withErrors),
    ...flag('--dedupe', values.dedupe),
    ...flag('--strict', values.strict),
    ...one('--after', place),
    ...one('--jobs', values.jobs === 1 ? undefined : String(values.jobs)),
  ];
}

/** Ends a run before the archive did, by the user or at a problem: what was written is whole as far as it goes. */
async function endedEarly(
  session: Session,
  values: ReadValues,
  reading: ArchiveReading,
  target: RecordTarget,
  passed: Passed,
): Promise<Exit> {
  const { talk } = session;
  const { refused } = reading;
  const exit = refused === undefined ? 'interrupted' : exitOf(refused);
  const lastRead = reading.last === undefined ? values.after : showPlace(reading.last);
  const place = values.dedupe ? undefined : ((await target.last()) ?? lastRead);
  if (place === undefined) {
    await target.discard();
    if (refused !== undefined) talk.error(plainText(refused.message));
    else if (values.dedupe) {
      talk.error('interrupted; with --dedupe all must be read before anything is whole: run it again');
    } else talk.error('interrupted before the first record');
    return exit;
  }
  await target.keep();
  const whole =
    `${counted(passed.written, 'record')} put out` +
    (target.file === undefined ? '' : ` to ${target.file.part}, which is whole as far as it goes`);
  const { appendable } = RECORD_FORMATS[values.output];
  const how = appendable
    ? target.file === undefined
      ? ', behind what was put out'
      : ''
    : ', into another file';
  const goOn = (strict: boolean) =>
    session.commandLine(...resumed({ ...values, strict }, { place, out: restOf(values) }));
  if (refused === undefined) {
    talk.error(`interrupted; ${whole}`, [`go on${how}: ${goOn(values.strict)}`]);
  } else {
    talk.error(plainText(refused.message), [
      `before that, ${whole}`,
      `go on without --strict${how}: ${goOn(false)}`,
    ]);
  }
  return exit;
}

/** The file that a later run writes the rest to. */
function restOf({ output, out }: ReadValues): string | undefined {
  return RECORD_FORMATS[output].appendable || out === undefined || out === '-' ? out : anotherName(out);
}

/** `a.rest.parquet` for `a.parquet`. */
function anotherName(path: string): string {
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}.rest${ext}`);
}

function finished(session: Session, values: ReadValues, reading: ArchiveReading, passed: Passed): void {
  const { talk } = session;
  const where = values.out === undefined || values.out === '-' ? '' : ` to ${values.out}`;
  talk.note(`${readingSummary(reading.tally)}; ${counted(passed.written, 'record')} put out${where}`);
  if (passed.undated > 0) {
    talk.warn(`${counted(passed.undated, 'record')} without any date, left out by --since or --until`);
  }
  reading.warnOfProblems(values.path);
}
