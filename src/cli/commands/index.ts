import type { Command, CommandGroup } from '../command.js';
import { add } from './add.js';
import { archive } from './archive.js';
import { clear } from './clear.js';
import { completion } from './completion.js';
import { config } from './config.js';
import { demo } from './demo.js';
import { download } from './download.js';
import { emulator } from './emulator.js';
import { exportContacts } from './export.js';
import { gateway } from './gateway.js';
import { list } from './list.js';
import { lists } from './lists.js';
import { migrate } from './migrate.js';
import { remove } from './remove.js';
import { show } from './show.js';
import { translate } from './translate.js';
import { wait } from './wait.js';

/** All commands that stand alone, in the order the help shows them. */
export const COMMANDS: readonly Command[] = [
  demo,
  lists,
  add,
  remove,
  clear,
  exportContacts,
  list,
  show,
  wait,
  download,
  translate,
  emulator,
  completion,
];

/** The groups of commands; the help shows them below. */
export const GROUPS: readonly CommandGroup[] = [archive, migrate, config, gateway];
