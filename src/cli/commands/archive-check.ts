import type { ArchiveProblem, ArchiveTally } from '../../archive/record.js';
import { ArchiveReading, counted, JOBS, readingSummary } from '../archive-reading.js';
import { command } from '../command.js';
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
  arguments: { path: { help: 'file, folder, pattern, or - for stdin', several: true } },
  options: { jobs: JOBS },
  async run(session, { path, jobs }) {
    const found: ArchiveProblem[] = [];
    const reading = await ArchiveReading.open(session, path, {
      onProblem: (problem) => found.push(problem),
    });
    const problems = problemsOf(session, reading, await steps(reading, jobs), found);
    if (session.output.format === 'table') {
      for await (const problem of problems) await session.output.tableLine(problemLine(problem));
    } else {
      await session.output.records(PROBLEM, problems);
    }
    if (reading.interrupted) session.talk.error('interrupted; up to then there were:');
    for (const line of summary(reading.tally, reading.problems)) session.talk.note(line);
    if (reading.interrupted) return 'interrupted';
    return reading.problems > 0 ? 'rows' : 'ok';
  },
});

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
  found: ArchiveProblem[],
): AsyncGenerator<ArchiveProblem> {
  // Where the problems show on the terminal that the progress is drawn on, it makes room for them.
  const shared = session.io.stdout.isTTY === true;
  try {
    while ((await taken.next()).done !== true) {
      if (found.length === 0) continue;
      if (shared) reading.hideProgress();
      yield* found.splice(0);
      if (shared) reading.showProgress();
    }
  } finally {
    await taken.return?.();
  }
  yield* found.splice(0);
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
