import { expect } from 'chai';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../src/activity/errors.js';
import type { GatewayEntry } from '../../src/gateway/accounts.js';
import { watchAccounts, type AccountsNews, type WatchedAccounts } from '../../src/gateway/accounts-watch.js';
import { rejection } from '../http/loopback.js';

const entry = (user: string, accessToken = 'token-of-v2'): GatewayEntry => ({
  account: { user, apiKey: 'key-of-v2', accessToken },
  signIn: { basic: { password: 'pw1' }, token: 'token-of-old', digest: { password: 'long-password' } },
});

describe('accounts that are watched', () => {
  let folder: string;
  let watched: WatchedAccounts | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-watch-'));
  });

  afterEach(async () => {
    watched?.close();
    await rm(folder, { recursive: true });
  });

  it('are read again when asked to; what is wrong changes nothing', async () => {
    let answer: GatewayEntry[] | Error = [entry('joesflowers')];
    const news: AccountsNews[] = [];
    watched = await watchAccounts(
      () =>
        answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ entries: answer, files: [] }),
      { onNews: (one) => news.push(one) },
    );
    expect(watched.all().map(({ user }) => user)).to.deep.equal(['joesflowers']);
    const first = watched.get('joesflowers');

    answer = [entry('joesflowers')];
    await watched.reload();
    // The same object, so that what is known of it stays known.
    expect(watched.get('joesflowers')).to.equal(first);

    answer = [entry('joesflowers', 'another-token'), entry('ann')];
    await watched.reload();
    expect(watched.get('joesflowers')?.accessToken).to.equal('another-token');

    const wrong = new UsageError('CONFIG_INVALID', 'accounts.yaml: is empty');
    answer = wrong;
    await watched.reload();
    expect(watched.all()).to.have.length(2);

    answer = [entry('ann')];
    await watched.reload();
    expect(watched.get('joesflowers')).to.equal(undefined);
    expect(await watched.find('joesflowers', { scheme: 'bearer', token: 'token-of-old' })).to.equal(
      undefined,
    );
    expect(await watched.find('ann', { scheme: 'bearer', token: 'token-of-old' })).to.have.property(
      'user',
      'ann',
    );
    expect(news).to.deep.equal([
      { kind: 'same' },
      { kind: 'changed', users: 2, added: 1, removed: 0 },
      { kind: 'kept', error: wrong },
      { kind: 'changed', users: 1, added: 0, removed: 1 },
    ]);
    watched.close();
    await watched.reload();
    expect(news).to.have.length(4);
  });

  it('tell which texts nobody may see, short ones left out', async () => {
    watched = await watchAccounts(() =>
      Promise.resolve({ entries: [entry('ann'), entry('bob')], files: [] }),
    );
    expect([...watched.secrets()].sort()).to.deep.equal(
      ['key-of-v2', 'token-of-v2', 'token-of-old', 'long-password'].sort(),
    );
  });

  it('must be right the first time', async () => {
    const wrong = new UsageError('CONFIG_INVALID', 'accounts.yaml: is empty');
    expect(await rejection(watchAccounts(() => Promise.reject(wrong)))).to.equal(wrong);
  });

  it('follow their files, written over, put in place of them, or beside them', async () => {
    const [main, secret] = [join(folder, 'accounts.yaml'), join(folder, 'token')];
    await writeFile(main, '1');
    let reads = 0;
    let told: () => void = () => undefined;
    const next = () =>
      new Promise<void>((resolve) => {
        told = resolve;
      });
    watched = await watchAccounts(
      () => Promise.resolve({ entries: [entry('ann', `token-${++reads}`)], files: [main, secret] }),
      {
        onNews: () => {
          told();
        },
        quiet: 5,
      },
    );
    for (const change of [
      () => writeFile(main, '2'),
      async () => {
        await writeFile(`${main}~`, '3');
        await rename(`${main}~`, main);
      },
      () => writeFile(secret, 'x'),
      () => rm(secret),
    ]) {
      const before = reads;
      const news = next();
      await change();
      await news;
      expect(reads).to.be.greaterThan(before);
    }
  });

  it('say so when changes cannot be noticed', async () => {
    const news: AccountsNews[] = [];
    const files = [join(folder, 'none', 'accounts.yaml')];
    watched = await watchAccounts(() => Promise.resolve({ entries: [entry('ann')], files }), {
      onNews: (one) => news.push(one),
    });
    expect(news.map(({ kind }) => kind)).to.deep.equal(['unwatched']);
  });
});
