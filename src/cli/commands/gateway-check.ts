import { command } from '../command.js';
import type { Exit } from '../exit-codes.js';
import type { Finding } from '../gateway-checks.js';
import type { View } from '../output.js';
import type { Session } from '../session.js';

export const gatewayCheck = command({
  name: 'check',
  summary: 'verify the accounts of a gateway, without changing anything',
  details:
    'Reads the accounts and the secrets that they refer to, asks v2 for the lists of each account, and tells what each ' +
    'list of the old client is there. With --store and --tls, these are looked at too.',
  examples: [
    ['ctct gateway check --accounts accounts.yaml', 'asks v2 once for each account'],
    ['ctct gateway check --accounts accounts.yaml --offline', 'the file and its secrets alone'],
  ],
  without: ['profile', 'timeout', 'config', 'api'],
  arguments: {},
  options: {
    accounts: { kind: 'text', value: 'file', help: 'the accounts; default: the one of the environment' },
    store: { kind: 'text', value: 'folder', help: 'look at this store too' },
    tls: { kind: 'text', value: 'file', help: 'look at this certificate too' },
    tlsKey: { kind: 'text', value: 'file', help: 'its key, where it is in another file' },
    offline: { kind: 'flag', help: 'do not ask v2' },
  },
  records: () => FINDINGS,
  async run(session, options) {
    const found: Finding[] = [];
    for await (const finding of findings(session, options)) found.push(finding);
    await session.output.records(FINDINGS, found);
    const problems = found.filter(({ result }) => result === 'problem');
    const count = (many: number, what: string) => `${many} ${what}${many === 1 ? '' : 's'}`;
    const warnings = found.filter(({ result }) => result === 'warning').length;
    session.talk.note(
      problems.length === 0
        ? `All is as it must be${warnings === 0 ? '' : `, with ${count(warnings, 'warning')}`}.`
        : `${count(problems.length, 'problem')}, ${count(warnings, 'warning')}.`,
    );
    return worst(problems);
  },
});

interface Wanted {
  readonly accounts: string | undefined;
  readonly store: string | undefined;
  readonly tls: string | undefined;
  readonly tlsKey: string | undefined;
  readonly offline: boolean;
}

async function* findings(session: Session, wanted: Wanted): AsyncGenerator<Finding, void> {
  const { accounts, store, tls, tlsKey, offline } = wanted;
  const { gatewayAccounts } = await import('../gateway-accounts.js');
  const { accountFindings, accountProblem, storeFinding, tlsFinding } = await import('../gateway-checks.js');
  const { createLimiter } = await import('../../http/limiter.js');
  const wrong: Finding[] = [];
  const { entries } = await gatewayAccounts(session, accounts, (user, error) => {
    wrong.push(accountProblem(user, error));
  });
  yield* wrong;
  const limiter = offline ? undefined : createLimiter({ clock: session.clock });
  for (const [index, entry] of entries.entries()) {
    session.talk.progress('check', () => `account ${index + 1} of ${entries.length}`, 'drawn');
    yield* accountFindings(session, entry, entries.slice(0, index), limiter);
  }
  session.talk.progressEnds();
  if (store !== undefined) yield await storeFinding(store);
  if (tls !== undefined) yield await tlsFinding(session, tls, tlsKey);
}

/** Problems that go away by themselves are told of when there is no other. */
function worst(problems: readonly Finding[]): Exit {
  const exits = problems.map(({ exit = 'failure' }) => exit);
  return exits.find((exit) => exit !== 'temporary') ?? exits[0] ?? 'ok';
}

const COLOURS = { ok: 'green', warning: 'yellow', problem: 'red' } as const;

const FINDINGS: View<Finding> = {
  kind: ['finding', 'findings'],
  none: 'No account.',
  fields: [
    { name: 'account', heading: 'Account', value: ({ account }) => account },
    { name: 'what', heading: 'What', value: ({ what }) => what },
    {
      name: 'result',
      heading: 'Result',
      value: ({ result }) => result,
      shown: ({ result }, paint) => paint(COLOURS[result], result),
    },
    { name: 'detail', heading: 'Detail', value: ({ detail }) => detail },
  ],
};
