import type { CommandGroup } from '../command.js';
import { migrateGuide } from './migrate-guide.js';

export const migrate: CommandGroup = {
  name: 'migrate',
  summary: 'move an integration from ws to v2',
  details:
    'Begin with a recording of what the integration does: a HAR file, raw requests, or the journal of the emulator.',
  examples: [['ctct migrate guide calls.har --out guide.html', 'what has to change, the riskiest first']],
  commands: [migrateGuide],
};
