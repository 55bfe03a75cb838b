import { command } from '../command.js';
import { ANY_CREDENTIALS, demoAccount, FAST, readMembers } from '../demo-account.js';
import type { View } from '../output.js';
import { programName, shellWord, type Session } from '../session.js';

export const emulator = command({
  name: 'emulator',
  summary: 'serve an emulated account on this machine',
  details:
    'Prints its URL on stdout, and what to set to use it on stderr. It keeps everything in memory, ' +
    'and ends with Ctrl-C.',
  examples: [
    ['ctct emulator --fast', 'jobs take a second, not half a minute'],
    ['ctct emulator --port 8008 --seed-contacts contacts.csv', 'with members on list 2'],
  ],
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
    fast: { kind: 'flag', help: 'let jobs take about a second' },
    seedContacts: {
      kind: 'text',
      value: 'file',
      help: 'a contact file; its contacts are on list 2 from the start',
    },
  },
  async run(session, { port, host, fast, seedContacts }) {
    const { createEmulator } = await import('../../emulator/emulator.js');
    const user = session.user ?? 'joesflowers';
    const members = seedContacts === undefined ? [] : await readMembers(session, seedContacts);
    const service = createEmulator({
      accounts: [demoAccount(user, members)],
      clock: session.clock,
      ...(fast && { latency: FAST }),
    });
    try {
      const { url } = await service.listen({ port, host });
      await (session.output.format === 'table'
        ? session.output.raw(`${url}\n`)
        : session.output.record(SERVED, { url, user }));
      explain(session, url, user);
      await interrupted(session.io.signal);
    } finally {
      await service.close();
    }
    return 'ok';
  },
});

/** Where an emulator is served. */
const SERVED: View<{ readonly url: string; readonly user: string }> = {
  kind: ['emulator', 'emulators'],
  none: 'No emulator.',
  fields: [
    { name: 'url', heading: 'URL', value: (served) => served.url },
    { name: 'user', heading: 'User', value: (served) => served.user },
  ],
};

function explain({ talk, io }: Session, url: string, user: string): void {
  const { apiKey, password } = ANY_CREDENTIALS;
  talk.note(`The account ${user} is served, with the lists 2 and 5. In another terminal:`);
  talk.note(`  export CTCT_BASE_URL=${url} CTCT_USER=${shellWord(user)}`);
  talk.note(`  export CTCT_API_KEY=${apiKey} CTCT_PASSWORD=${password}`);
  talk.note(`  ${programName(io.env)} lists`);
  talk.note('Ctrl-C ends it, and all that it holds.');
}

function interrupted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    signal?.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
