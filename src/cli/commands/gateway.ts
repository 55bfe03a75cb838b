import { UsageError } from '../../activity/errors.js';
import { LOG_FORMATS, LOG_LEVELS } from '../../gateway/log-levels.js';
import { command, type CommandGroup } from '../command.js';
import type { View } from '../output.js';
import type { Session } from '../session.js';
import { gatewayCheck } from './gateway-check.js';
import { gatewayHashPassword } from './gateway-hash-password.js';
import { gatewayPurge } from './gateway-purge.js';

const DAY = 24 * 60 * 60 * 1000;
const MEBIBYTE = 1024 * 1024;
const DEFAULT_PORT = 8080;

const SUMMARY = 'let old clients go on: speak ws to them, and v2 to the service';
const DETAILS =
  'Old clients keep what they are, but for the host name. --accounts tells who they are and what each account is reached ' +
  'by at v2; without it, the environment tells of one account: CTCT_USER, CTCT_API_KEY, CTCT_ACCESS_TOKEN, and ' +
  'CTCT_GATEWAY_PASSWORD for what the old client sends (or its hash). The URL goes to stdout, the log to stderr. SIGHUP ' +
  'has accounts and certificate read again; Ctrl-C or SIGTERM ends it in order, and whatever was accepted goes on at the ' +
  'next start.';
const EXAMPLES: CommandGroup['examples'] = [
  ['ctct gateway --demo', 'try it: needs no account and no network'],
  ['ctct gateway --accounts accounts.yaml --store gateway/', 'for old clients on this machine'],
  ['ctct gateway check --accounts accounts.yaml', 'see whether all is as it must be'],
  ['ctct gateway hash-password < password.txt', 'so that no password need be kept'],
];

const serveGatewayCommand = command({
  name: 'gateway',
  summary: SUMMARY,
  details: DETAILS,
  examples: EXAMPLES,
  without: ['profile', 'timeout', 'config', 'api'],
  arguments: {},
  options: {
    accounts: { kind: 'text', value: 'file', help: 'the accounts, YAML or JSON' },
    store: { kind: 'text', value: 'folder', help: 'where it remembers what was accepted; made when missing' },
    demo: { kind: 'flag', help: 'with an emulated v2 service behind it, and nothing kept' },
    port: {
      kind: 'number',
      value: 'n',
      from: 0,
      to: 65_535,
      help: `port, 0 being any free one (default ${DEFAULT_PORT}; of the demo 0)`,
    },
    host: {
      kind: 'text',
      value: 'address',
      fallback: '127.0.0.1',
      help: 'address to listen at; 0.0.0.0 lets other machines in',
    },
    tls: {
      kind: 'text',
      value: 'file',
      help: 'serve https by this certificate (PEM), its key in the same file',
    },
    tlsKey: { kind: 'text', value: 'file', help: 'or its key in this one' },
    opsPort: {
      kind: 'number',
      value: 'n',
      from: 0,
      to: 65_535,
      help: 'port of /healthz, /readyz and /metrics',
    },
    opsHost: {
      kind: 'text',
      value: 'address',
      fallback: '127.0.0.1',
      help: 'address that port is listened at',
    },
    page: { kind: 'flag', help: 'show what passes through at /page/ on --ops-port' },
    record: {
      kind: 'text',
      value: 'folder',
      help: 'keep requests, without secrets and contacts, for translate and migrate guide',
    },
    queueWhenDown: { kind: 'flag', help: 'accept uploads also while v2 is down, and send them later' },
    keepDays: {
      kind: 'number',
      value: 'days',
      from: 1,
      to: 3650,
      fallback: 90,
      help: 'how long activities are remembered',
    },
    keepFilesDays: {
      kind: 'number',
      value: 'days',
      from: 1,
      to: 3650,
      fallback: 14,
      help: 'how long the files of exports are kept',
    },
    giveUpDays: {
      kind: 'number',
      value: 'days',
      from: 1,
      to: 365,
      fallback: 7,
      help: 'how long v2 is tried before an activity ends as ERROR',
    },
    addresses: { kind: 'switch', help: 'keep no addresses of rows that were refused' },
    perSecond: {
      kind: 'number',
      value: 'n',
      from: 1,
      to: 1000,
      fallback: 4,
      help: 'calls of v2 a second and key',
    },
    perDay: {
      kind: 'number',
      value: 'n',
      from: 1,
      to: 100_000_000,
      fallback: 10_000,
      help: 'calls of v2 a day and key',
    },
    pollEvery: { kind: 'duration', fallback: '5s', help: 'how often v2 is asked what became of jobs' },
    maxBody: {
      kind: 'number',
      value: 'MiB',
      from: 1,
      to: 1024,
      fallback: 64,
      help: 'the largest request that is taken',
    },
    maxWaiting: {
      kind: 'number',
      value: 'MiB',
      from: 1,
      to: 100_000_000,
      fallback: 8192,
      help: 'how much the uploads that wait may take',
    },
    logLevel: { kind: 'choice', choices: LOG_LEVELS, value: 'level', help: 'default info; of the demo warn' },
    logFormat: {
      kind: 'choice',
      choices: LOG_FORMATS,
      value: 'format',
      help: 'default json, one object a line; of the demo text',
    },
  },
  records: () => SERVED,
  async run(session, options) {
    const { demo, accounts, store, page, opsPort, tls, tlsKey, host, opsHost, record } = options;
    if (page && opsPort === undefined && !demo) {
      throw new UsageError('OPTION_INVALID', '--page: is on the port of --ops-port; give one');
    }
    if (tlsKey !== undefined && tls === undefined) {
      throw new UsageError('OPTION_INVALID', '--tls-key: needs the certificate too, by --tls');
    }
    const settings = { host, opsPort, opsHost, tls, tlsKey, page, record };
    if (demo) {
      const { user, baseUrl } = session.settingSources.flags;
      const own = { '--accounts': accounts, '--store': store, '--user': user, '--base-url': baseUrl };
      const [flag] = Object.entries(own).find(([, value]) => value !== undefined) ?? [];
      if (flag !== undefined) {
        throw new UsageError('OPTION_INVALID', `${flag}: the demo has its own; leave it out`);
      }
      const { runDemo } = await import('../gateway-demo.js');
      const demoSettings = {
        ...settings,
        opsPort: opsPort ?? (page ? 0 : undefined),
        port: options.port ?? 0,
        log: { level: options.logLevel ?? 'warn', format: options.logFormat ?? 'text' },
      };
      return runDemo(session, demoSettings, (served) => tellWhere(session, served));
    }
    if (store === undefined) {
      throw new UsageError(
        'OPTION_INVALID',
        '--store: is required: a folder, made when there is none, in which the gateway remembers what it accepted',
      );
    }
    const { runGateway } = await import('../gateway-run.js');
    return runGateway(session, accounts, store, {
      serve: {
        ...settings,
        port: options.port ?? DEFAULT_PORT,
        log: { level: options.logLevel, format: options.logFormat },
      },
      gateway: {
        queueWhenDown: options.queueWhenDown,
        retention: {
          activities: options.keepDays * DAY,
          files: options.keepFilesDays * DAY,
          addresses: options.addresses,
        },
        limits: { perSecond: options.perSecond, perDay: options.perDay },
        pollInterval: options.pollEvery,
        maxBodyBytes: options.maxBody * MEBIBYTE,
        maxWaitingBytes: options.maxWaiting * MEBIBYTE,
        giveUpAfter: options.giveUpDays * DAY,
      },
      told: (served) => tellWhere(session, served),
    });
  },
});

/** `ctct gateway` itself, and what goes with it. */
export const gateway: CommandGroup = {
  name: 'gateway',
  summary: SUMMARY,
  details: DETAILS,
  examples: EXAMPLES,
  main: serveGatewayCommand,
  commands: [gatewayCheck, gatewayPurge, gatewayHashPassword],
};

interface Where {
  readonly url: string;
  readonly opsUrl: string | undefined;
}

const SERVED: View<Where> = {
  kind: ['gateway', 'gateways'],
  none: 'No gateway.',
  fields: [
    { name: 'url', heading: 'URL', value: ({ url }) => url },
    { name: 'opsUrl', heading: 'Operations', value: ({ opsUrl }) => opsUrl },
  ],
};

/** stdout: the URL alone, or all as data. */
async function tellWhere(session: Session, where: Where): Promise<void> {
  if (session.output.isFree) await session.output.raw(`${where.url}\n`);
  else await session.output.record(SERVED, where);
}
