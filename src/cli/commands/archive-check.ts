import { jsonDocument } from '../../archive/record-json.js';
import type { ArchiveProblem, ArchiveTally } from '../../archive/record.js';
import { ArchiveReading, counted, JOBS, readingSummary } from '../archive-reading.js';
import { command } from '../command.js';
import { OF_SERVICE } from '../global-options.js';
import type { View } from '../output.js';
import type { Session } from '../session.js';
import { plainText } from '../terminal.js';

export const archiveCheck = command({
  name: 'check',
  summary: 'tell every problem of stored feeds, and where it is',
  details:
    'One line for each problem: file:line:column: byte N: CODE message. Lines and columns count from 1, bytes from 0; ' +
    'of .gz files, in what is unpacked. Ends with 3 when there is any problem.',
  examples: [
    ['ctct archive check feeds/', 'all files in a folder'],
    ['ctct archive check 2011.xml.gz --output csv', 'the problems as a table'],
  ],
  without: OF_SERVICE,
  arguments: { path: { help: 'file, folder, pattern, or - for stdin', several: true } },
  options: { jobs: JOBS },
  records: () => PROBLEM,
  async run(session, { path, jobs }) {
    const found = new FoundProblems();
    const reading = await ArchiveReading.open(session, path, { onProblem: (problem) => found.add(problem) });
    await putProblems(session, problemsOf(session, reading, await steps(reading, jobs), found));
    if (reading.interrupted) session.talk.error('interrupted; up to then there were:');
    for (const line of summary(reading.tally, reading.problems)) session.talk.note(line);
    if (reading.interrupted) return 'interrupted';
    return reading.problems > 0 ? 'rows' : 'ok';
  },
});

/** Writes problems as they come: however many there are, they are not kept. */
async function putProblems({ output }: Session, problems: AsyncIterable<ArchiveProblem>): Promise<void> {
  if (output.isFree) {
    for await (const problem of problems) await output.tableLine(problemLine(problem));
  } else if (output.format === 'json') {
    const document = jsonDocument(PROBLEM.kind[1], problems, output.jsonOf(PROBLEM));
    for await (const text of document) await output.raw(text);
  } else {
    await output.records(PROBLEM, problems);
  }
}

/** Problems that may wait to be put out. */
const MOST_WAITING = 1000;

/** Problems between the reading, which waits when there are many, and the output. */
class FoundProblems {
  #problems: ArchiveProblem[] = [];
  #many = newSignal();
  #taken = newSignal();

  /** Adds a problem; once there are many, the promise is that they are taken. */
  add(problem: ArchiveProblem): Promise<void> | undefined {
    this.#problems.push(problem);
    if (this.#problems.length < MOST_WAITING) return undefined;
    this.#many.give();
    return this.#taken.given;
  }

  take(): ArchiveProblem[] {
    const problems = this.#problems;
    this.#problems = [];
    this.#taken.give();
    this.#taken = newSignal();
    this.#many = newSignal();
    return problems;
  }

  /** Fulfilled once there are many. */
  get many(): Promise<void> {
    return this.#many.given;
  }
}

function newSignal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

/** Something in an archive that is not as it must be. */
const PROBLEM: View<ArchiveProblem> = {
  kind: ['problem', 'problems'],
  none: 'No problems.',
  fields: [
    { name: 'source', heading: 'Source', value: ({ position }) => position.source },
    { name: 'line', heading: 'Line', value: ({ position }) => position.line },
    { name: 'column', heading: 'Column', value: ({ position }) => position.column },
    { name: 'byteOffset', heading: 'Byte', value: ({ position }) => position.byteOffset },
    { name: 'length', heading: 'Length', value: ({ position }) => position.length },
    { name: 'code', heading: 'Code', value: ({ code }) => code },
    { name: 'message', heading: 'Message', value: ({ message }) => message },
  ],
};

/** `feeds/2011.xml:12:5: byte 345: XML_NOT_WELL_FORMED …`: a form that editors and scripts know. */
function problemLine({ code, message, position }: ArchiveProblem): string {
  const { source, line, column, byteOffset } = position;
  return `${plainText(source)}:${line}:${column}: byte ${byteOffset}: ${code} ${plainText(message)}`;
}

/** The reading, in steps; what each yields does not matter. */
async function steps(reading: ArchiveReading, jobs: number): Promise<AsyncIterator<unknown>> {
  if (jobs === 1) return reading.records();
  const { checkInParallel } = await import('../../archive/parallel.js');
  return reading.onThreads((sources, how) => checkInParallel(sources, { ...how, jobs }));
}

/** The problems, soon after they are found. */
async function* problemsOf(
  session: Session,
  reading: ArchiveReading,
  taken: AsyncIterator<unknown>,
  found: FoundProblems,
): AsyncGenerator<ArchiveProblem> {
  // Where the problems show on the terminal that the progress is drawn on, it makes room for them.
  const shared = session.io.stdout.isTTY === true;
  try {
    for (let step = taken.next(); ;) {
      const next = await Promise.race([step, found.many]);
      if (next?.done === true) break;
      if (next !== undefined) step = taken.next();
      const problems = found.take();
      if (problems.length === 0) continue;
      if (shared) reading.hideProgress();
      yield* problems;
      if (shared) reading.showProgress();
    }
  } finally {
    // The reading may have ended while problems were put out.
    reading.hideProgress();
    await taken.return?.();
  }
  yield* found.take();
}

function summary(tally: Readonly<ArchiveTally>, problems: number): string[] {
  const { bytes, recordBytes, frameBytes, problemBytes } = tally;
  return [
    readingSummary(tally),
    `${counted(bytes, 'byte')}: ${recordBytes.toLocaleString('en-US')} in entries, ` +
      `${frameBytes.toLocaleString('en-US')} around them, ${problemBytes.toLocaleString('en-US')} damaged`,
    counted(problems, 'problem'),
  ];
}
