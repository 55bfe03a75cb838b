import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { UsageError } from '../../src/activity/errors.js';
import { EmulatedAccount } from '../../src/emulator/account.js';
import { parseSeed, readSeed } from '../../src/emulator/seed-file.js';

const YAML = `
$schema: https://example.com/ctct-activities/emulator-seed.schema.json
accounts:
  - user: joesflowers
    credentials: { apiKey: key, password: secret, accessToken: t, consumerSecret: c, tokenSecret: s }
    lists:
      - id: 2
        name: Roses
        members:
          - ann@example.com
          - { emailAddress: bob@example.com, CUSTOM FIELD 1: 7 }
      - { id: "5", name: Tulips, shortName: T }
    removed: [gone@example.com]
    doNotMail: [out@example.com]
    outcomes:
      - { match: { listId: 5 }, times: 1, outcome: unconfirmed }
  - user: annsflowers
`;

async function failure(promise: Promise<unknown>): Promise<UsageError> {
  return promise.then(
    () => {
      throw new Error('nothing failed');
    },
    (error: unknown) => error as UsageError,
  );
}

describe('seed files', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'ctct-seed-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('make accounts with all that a seed can say', async () => {
    const file = path.join(folder, 'seed.yaml');
    writeFileSync(file, YAML);
    const [joe, ann, ...others] = await readSeed(file);
    expect(others).to.deep.equal([]);
    expect(ann).to.deep.equal({ user: 'annsflowers' });
    expect(joe?.credentials).to.deep.equal({
      apiKey: 'key',
      password: 'secret',
      accessToken: 't',
      consumerSecret: 'c',
      tokenSecret: 's',
    });
    const account = new EmulatedAccount(joe!);
    const { contacts, lists } = account.holdings;
    expect(Array.from(lists.all(), ({ id, shortName }) => [id, shortName])).to.deep.equal([
      ['2', 'Roses'],
      ['5', 'T'],
    ]);
    expect(Array.from(contacts.members('2'), ({ contact }) => contact.address)).to.deep.equal([
      'ann@example.com',
      'bob@example.com',
    ]);
    expect(contacts.find('bob@example.com')?.values.get('CUSTOM FIELD 1')).to.equal('7');
    expect([contacts.count('removed'), contacts.count('do-not-mail')]).to.deep.equal([1, 1]);
    const { status } = await account.create({ activityType: 'EXPORT_CONTACTS', listId: '5' });
    expect(status).to.equal('UNCONFIRMED');
  });

  it('are empty where they say so', async () => {
    expect(await parseSeed('{ "accounts": [] }', 'seed.json')).to.deep.equal([]);
  });

  it('name the file, and the place in it', async () => {
    const missing = await failure(readSeed(path.join(folder, 'none.yaml')));
    expect(missing).to.include({ code: 'FILE_UNREADABLE' });
    expect(missing.message).to.match(/none\.yaml: there is no such file$/);
    expect(await failure(readSeed(folder))).to.include({ code: 'FILE_UNREADABLE' });
    expect((await failure(parseSeed('accounts: [{}]', 'a.yaml'))).message).to.equal(
      'a.yaml:1:12: accounts[0]: "user" is missing',
    );
    const twice = 'accounts: [{ user: joe, lists: [{ id: 1, name: a }, { id: "1", name: b }] }]';
    expect((await failure(parseSeed(twice, 'a.yaml'))).message).to.equal(
      'account joe: lists[1].id: "1" is there twice',
    );
  });
});
