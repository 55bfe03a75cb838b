import { APIS } from './apis.js';
import type { OptionSpec } from './command.js';
import { OUTPUT_FORMATS } from './output.js';

/** Options of every command, but where one says otherwise: see `Command.without`. */
export const GLOBAL_OPTIONS = {
  output: {
    kind: 'choice',
    choices: OUTPUT_FORMATS,
    fallback: 'table',
    help: 'how data is put out on stdout',
  },
  quiet: { kind: 'flag', help: 'say errors only' },
  progress: { kind: 'switch', help: 'do not show progress' },
  verbose: {
    kind: 'flag',
    help: 'tell of each call to the service, and the causes of an error; no secret is told',
  },
  profile: { kind: 'text', value: 'name', help: 'the settings of this name in your file (or CTCT_PROFILE)' },
  timeout: {
    kind: 'text',
    value: 'time',
    help: 'give a call up that has no answer for so long (or CTCT_TIMEOUT; default 120s)',
  },
  fields: { kind: 'texts', value: 'names', help: 'put out these fields only, in this order' },
  config: { kind: 'text', value: 'file', help: 'settings, as JSON (or CTCT_CONFIG)' },
  user: { kind: 'text', value: 'name', help: 'user name of the account (or CTCT_USER)' },
  api: { kind: 'choice', choices: APIS, help: 'what to speak: ws or its successor v2 (or CTCT_API)' },
  baseUrl: { kind: 'text', value: 'url', help: 'where the service is (or CTCT_BASE_URL)' },
} as const satisfies Record<string, OptionSpec>;

export type GlobalOption = keyof typeof GLOBAL_OPTIONS;

/** Those that mean nothing to a command that puts out no records. */
export const OF_RECORDS = ['output', 'fields'] as const satisfies readonly GlobalOption[];

/** Those that mean nothing to a command that asks no service, or one of its own. */
export const OF_SERVICE = [
  'profile',
  'timeout',
  'config',
  'user',
  'api',
  'baseUrl',
] as const satisfies readonly GlobalOption[];
