import { ArchiveReading, JOBS } from '../archive-reading.js';
import { putStatistics, TOTALS } from '../archive-statistics-output.js';
import { command } from '../command.js';
import { OF_SERVICE } from '../global-options.js';

export const archiveStats = command({
  name: 'stats',
  summary: 'count the activities of stored feeds, their errors and their times',
  details:
    'By type, status and month; the error rate is errors / (contacts + errors); months are those of the insert time, ' +
    'else of the last change, in UTC. Queue and run times are within 1 % of the exact ones.',
  examples: [
    ['ctct archive stats feeds/', 'as tables'],
    ['ctct archive stats feeds/ --output json', 'with all that the tables leave out'],
  ],
  without: OF_SERVICE,
  arguments: { path: { help: 'file, folder, pattern, or - for stdin', several: true } },
  options: {
    output: {
      kind: 'choice',
      choices: ['table', 'json'],
      value: 'format',
      fallback: 'table',
      help: 'how the numbers are put out',
    },
    jobs: JOBS,
  },
  records: () => TOTALS,
  async run(session, { path, jobs }) {
    const { ArchiveStatistics } = await import('../../archive/statistics.js');
    const reading = await ArchiveReading.open(session, path);
    const statistics = new ArchiveStatistics();
    if (jobs === 1) {
      for await (const record of reading.records()) statistics.add(record);
    } else {
      const { countInParallel } = await import('../../archive/parallel.js');
      const counting = reading.onThreads((sources, how) =>
        countInParallel(sources, statistics, { ...how, jobs }),
      );
      while ((await counting.next()).done !== true);
    }
    await putStatistics(session.output, statistics.toJSON());
    return reading.end(path, 'the numbers are of what was read until then');
  },
});
