import type { CommandGroup } from '../command.js';
import { archiveCheck } from './archive-check.js';
import { archiveRead } from './archive-read.js';
import { archiveReport } from './archive-report.js';
import { archiveStats } from './archive-stats.js';

export const archive: CommandGroup = {
  name: 'archive',
  summary: 'read stored feeds of activities, of any size',
  details:
    'Takes files, folders (the .xml, .atom and .feed files in them, packed by gzip or not), patterns such as ' +
    '"feeds/*.xml.gz", and - for stdin. A file may hold a feed, an entry, or several of them one after another. ' +
    'Damaged entries are read as far as possible and told of; with any problem at all, the exit code is 3.',
  examples: [
    ['ctct archive check feeds/', 'what is wrong, and where'],
    ['ctct archive read feeds/ --output csv', 'the activities, for a spreadsheet'],
    ['ctct archive stats feeds/', 'counts, errors, run times'],
  ],
  commands: [archiveRead, archiveCheck, archiveStats, archiveReport],
};
