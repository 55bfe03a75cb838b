import type { CommandGroup } from '../command.js';
import { migrateGuide } from './migrate-guide.js';
import { migratePause } from './migrate-pause.js';
import { migratePlan } from './migrate-plan.js';
import { migrateRun } from './migrate-run.js';
import { migrateReport } from './migrate-report.js';
import { migrateStatus } from './migrate-status.js';

export const migrate: CommandGroup = {
  name: 'migrate',
  summary: 'move an integration, and its contacts, from ws to v2',
  details:
    'For the code, begin with a recording of what it does: a HAR file, raw requests, or the journal of the emulator. For ' +
    'the contacts, plan, run, and read the report: what goes where, and what is lost, is written down before anything is sent.',
  examples: [
    ['ctct migrate guide calls.har --out guide.html', 'what has to change, the riskiest first'],
    ['ctct migrate plan contacts.csv --list 2', 'what would be sent: plan.json'],
    ['ctct migrate run plan.json', 'send it; the same command goes on after a crash'],
  ],
  commands: [migrateGuide, migratePlan, migrateRun, migratePause, migrateStatus, migrateReport],
};
