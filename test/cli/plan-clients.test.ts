import { expect } from 'chai';
import { PlanClients } from '../../src/cli/plan-clients.js';
import type { Session } from '../../src/cli/session.js';
import type { Limiter } from '../../src/http/limiter.js';
import type { SourceAccount } from '../../src/migrate/accounts-file.js';

const COMMON = { baseUrl: undefined, allowHttp: ['ws.example.com'], timeout: 5000 };
const ENV = { KEY: 'k', OTHER: 'o', TOKEN: 't', PASSWORD: 'p' };

interface Connected {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly limiter: Limiter | undefined;
}

/** What would be connected to, and how. */
function clients(fetch?: typeof globalThis.fetch) {
  const connected: Connected[] = [];
  const guarded = new Set<string>();
  const session = {
    guard: (secrets: readonly string[]) => {
      for (const secret of secrets) guarded.add(secret);
    },
    io: { env: ENV, fetch },
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    connect: (settings: Connected['settings'], _encoding: string, { limiter }: { limiter?: Limiter }) => {
      connected.push({ settings, limiter });
      return Promise.resolve({});
    },
  } as unknown as Session;
  return { connected, guarded, clients: new PlanClients(session, COMMON, '.') };
}

const target = (apiKey: 'KEY' | 'OTHER', baseUrl?: string) =>
  ({ api: 'v2', apiKey: `env:${apiKey}`, accessToken: 'env:TOKEN', baseUrl }) as const;

describe('the services of the accounts of a plan', () => {
  it('have the credentials that the references lead to', async () => {
    const { clients: made, connected, guarded } = clients();
    await made.target('joe', target('KEY', 'https://v2.example.com'));
    expect([...guarded]).to.deep.equal([ENV.KEY, ENV.TOKEN]);
    const basic: SourceAccount = {
      user: 'joe',
      credentials: { scheme: 'basic', apiKey: 'env:KEY', password: 'env:PASSWORD' },
    };
    await made.source('joe', basic);
    await made.source('joe', { user: 'joe', credentials: { scheme: 'bearer', accessToken: 'env:TOKEN' } });
    expect(connected.map(({ settings }) => settings)).to.deep.equal([
      {
        ...COMMON,
        api: 'v2',
        user: undefined,
        baseUrl: 'https://v2.example.com',
        credentials: { scheme: 'api_key', apiKey: 'k', token: 't' },
      },
      {
        ...COMMON,
        api: 'ws',
        user: 'joe',
        credentials: { scheme: 'basic', apiKey: 'k', user: 'joe', password: 'p' },
      },
      { ...COMMON, api: 'ws', user: 'joe', credentials: { scheme: 'bearer', token: 't' } },
    ]);
  });

  it('keep to the limits of a key together, but on this machine, and where a fetch is given', async () => {
    const { clients: made, connected } = clients();
    await made.target('joe', target('KEY'));
    await made.target('ann', target('KEY'));
    await made.target('eve', target('OTHER'));
    await made.target('bob', target('KEY', 'http://127.0.0.1:80'));
    const limiters = connected.map(({ limiter }) => limiter);
    expect(limiters[0]).not.to.equal(undefined);
    expect(limiters[1]).to.equal(limiters[0]);
    expect(limiters[2]).not.to.equal(limiters[0]);
    expect(limiters[3]).to.equal(undefined);
    const given = clients(globalThis.fetch);
    await given.clients.target('joe', target('KEY'));
    expect(given.connected[0]?.limiter).to.equal(undefined);
  });

  it('are refused without credentials, by the name of the account', async () => {
    const { clients: made } = clients();
    const missing = { ...target('KEY'), accessToken: 'env:NONE' } as const;
    const error = await made.target('joe', missing).catch((reason: unknown) => reason);
    expect(error)
      .to.be.an('error')
      .with.property('message', 'joe: access_token: the variable NONE is not set');
  });
});
