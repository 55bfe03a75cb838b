import { isLoopbackUrl } from '../../emulator/control-guard.js';
import type { Emulator } from '../../emulator/emulator.js';
import { PROFILES } from '../../ws/quirks.js';
import { command } from '../command.js';
import { ANY_CREDENTIALS } from '../demo-account.js';
import { CLOCKS, emulatorSetup, faultPresets, tlsOf } from '../emulator-setup.js';
import { JournalFile, requestLine } from '../emulator-log.js';
import { exitOf } from '../exit-codes.js';
import { interrupted } from '../interrupted.js';
import type { View } from '../output.js';
import { programName, shellWord, type Session } from '../session.js';
import { plainText } from '../terminal.js';

export const emulator = command({
  name: 'emulator',
  summary: 'serve an emulated account on this machine',
  details:
    'Prints its URL on stdout, and what to set to use it on stderr. It keeps everything in memory, unless --state names ' +
    'a file, and ends with Ctrl-C. Its page, /__emulator/, shows what comes in and what is made of it, moves the clock, ' +
    'and lets things go wrong.',
  examples: [
    ['ctct emulator --fast', 'jobs take a second, not half a minute'],
    ['ctct emulator --port 8008 --seed-contacts contacts.csv', 'with members on list 2'],
    ['ctct emulator --seed accounts.yaml --state emulator.json', 'goes on where it was, next time'],
    ['ctct emulator --clock virtual --log', 'time stands still until you move it'],
  ],
  without: ['timeout', 'config', 'api', 'baseUrl'],
  arguments: {},
  options: {
    port: {
      kind: 'number',
      value: 'n',
      from: 0,
      to: 65_535,
      fallback: 0,
      help: 'port, 0 being any free one',
    },
    host: { kind: 'text', value: 'address', fallback: '127.0.0.1', help: 'address to listen at' },
    tls: { kind: 'text', value: 'file', help: 'serve https, by the certificate and key in this file (PEM)' },
    seed: { kind: 'text', value: 'file', help: 'the accounts to begin with, JSON or YAML' },
    seedContacts: {
      kind: 'text',
      value: 'file',
      help: 'a contact file; its contacts are on list 2 from the start',
    },
    state: { kind: 'text', value: 'file', help: 'keep everything in this file, and begin with it' },
    clock: {
      kind: 'choice',
      choices: CLOCKS,
      value: 'kind',
      fallback: 'real',
      help: 'real; virtual: stands still until it is moved; instant: jobs take no time',
    },
    fast: { kind: 'flag', help: 'let jobs take about a second' },
    profile: {
      kind: 'choice',
      choices: PROFILES,
      value: 'name',
      help: 'answer as documented, or as observed (default)',
    },
    quirk: { kind: 'texts', value: 'name=off', help: 'switch an oddity of the service off or on' },
    fault: { kind: 'texts', value: 'name', help: 'let something go wrong: qps403, status503, lostAnswer …' },
    control: { kind: 'switch', help: 'serve no page, and nothing that steers it' },
    controlAnywhere: { kind: 'flag', help: 'serve them to other machines too, where --host lets these in' },
    log: { kind: 'flag', help: 'tell of each request on stderr' },
    journal: { kind: 'text', value: 'file', help: 'write each request to this file, one JSON a line' },
    recordBodies: { kind: 'flag', help: 'keep contacts and bodies in the journal; without, nobody is in it' },
  },
  records: () => SERVED,
  async run(session, options) {
    const { port, host, state, fault, log, journal } = options;
    const presets = faultPresets(fault);
    const tls = await tlsOf(options.tls);
    const setup = await emulatorSetup(session, options);
    const { createEmulator } = await import('../../emulator/emulator.js');
    const service = createEmulator(setup);
    for (const preset of presets) service.faults.add(preset);
    if (log) {
      service.requests.subscribe((entry) => {
        session.talk.note(plainText(requestLine(entry)));
      });
    }
    const closing: (() => Promise<void>)[] = [];
    let unkept: readonly PromiseRejectedResult[];
    try {
      if (state !== undefined) closing.push(await keep(session, service, state));
      if (journal !== undefined) closing.push(await writeJournal(service, journal));
      const { url } = await service.listen({ port, host, tls });
      const user = service.accounts()[0]?.user ?? '';
      await (session.output.isFree
        ? session.output.raw(`${url}\n`)
        : session.output.record(SERVED, { url, user }));
      explain(session, ownUrl(url), service, options);
      await interrupted(session.io.signal);
    } finally {
      await service.close();
      unkept = (await Promise.allSettled(closing.map((close) => close()))).filter(isRejected);
    }
    // Said here: Ctrl-C came before, and is no reason to be silent about it.
    for (const { reason } of unkept) session.talk.error(plainText(messageOf(reason)));
    return unkept[0] === undefined ? 'ok' : exitOf(unkept[0].reason);
  },
});

function isRejected(result: PromiseSettledResult<void>): result is PromiseRejectedResult {
  return result.status === 'rejected';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function keep({ talk }: Session, service: Emulator, path: string): Promise<() => Promise<void>> {
  const { keepState } = await import('../../emulator/keep-state.js');
  return keepState(service, path, {
    onFound: ({ now, accounts }) => {
      const users = accounts.map(({ user }) => user).join(', ');
      talk.note(plainText(`It goes on with what ${path} holds: ${users || 'no account'}, as of ${now}.`));
    },
    onError: (error) => {
      talk.warn(plainText(messageOf(error)));
    },
  });
}

async function writeJournal(service: Emulator, path: string): Promise<() => Promise<void>> {
  const file = await JournalFile.open(path);
  service.requests.subscribe((entry) => {
    file.write(entry);
  });
  return () => file.close();
}

/** Where an emulator is served. */
const SERVED: View<{ readonly url: string; readonly user: string }> = {
  kind: ['emulator', 'emulators'],
  none: 'No emulator.',
  fields: [
    { name: 'url', heading: 'URL', value: (served) => served.url },
    { name: 'user', heading: 'User', value: (served) => served.user },
  ],
};

/** What this machine reaches it by: 0.0.0.0 and [::] stand for all addresses that it has. */
function ownUrl(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

interface Served {
  readonly control: boolean;
  readonly controlAnywhere: boolean;
  readonly state: string | undefined;
  readonly tls: string | undefined;
}

function explain({ talk, io }: Session, url: string, service: Emulator, served: Served): void {
  const { control, controlAnywhere, state, tls } = served;
  const [account, ...others] = service.accounts();
  if (account === undefined) {
    talk.note('No account is served yet.');
  } else {
    const lists = account.holdings.lists.all();
    const ids = Array.from(lists, ({ id }) => id);
    const several = ids.length > 5 ? `${ids.length} lists` : `the lists ${ids.join(' and ')}`;
    const shown = ids.length > 1 ? several : `the list ${ids.join('')}`;
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    talk.note(`The account ${account.user}${more} is served, with ${shown}. In another terminal:`);
    talk.note(`  export CTCT_BASE_URL=${url} CTCT_USER=${shellWord(account.user)}`);
    if (tls !== undefined) talk.note(`  export NODE_EXTRA_CA_CERTS=${shellWord(tls)}`);
    const { apiKey, password } = ANY_CREDENTIALS;
    const free = Object.keys(account.credentials).length === 0;
    talk.note(
      free
        ? `  export CTCT_API_KEY=${apiKey} CTCT_PASSWORD=${password}`
        : '  export CTCT_API_KEY=… CTCT_PASSWORD=…   # those of the seed',
    );
    talk.note(`  ${programName(io.env)} lists`);
    talk.note('By v2, a token tells the account:');
    talk.note(
      `  CTCT_ACCESS_TOKEN=${free ? shellWord(account.user) : '…'} ${programName(io.env)} --api v2 lists`,
    );
  }
  if (control && (controlAnywhere || isLoopbackUrl(url))) {
    talk.note(`What comes in, the clock and faults: ${url}/__emulator/`);
  } else if (control) {
    talk.note(
      'Its page is for this machine alone, by 127.0.0.1: take --host 0.0.0.0, or --control-anywhere.',
    );
  }
  const end = state === undefined ? 'and all that it holds' : `and what it holds is in ${state}`;
  talk.note(plainText(`Ctrl-C ends it, ${end}.`));
}
