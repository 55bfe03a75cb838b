// Tests an old integration against the emulator:  npx mocha nightly-upload.test.ts
import { createEmulator } from 'ctct-activities/emulator';
import assert from 'node:assert/strict';
import { nightlyUpload } from './nightly-upload.js';

const LOGIN = 'key%joesflowers:password';

describe('the nightly upload', () => {
  const emulator = createEmulator({
    accounts: [{ user: 'joesflowers', lists: [{ id: '2', name: 'Roses' }] }],
    latency: 'instant',
  });
  let base = '';

  before(async () => {
    base = (await emulator.listen()).url;
  });
  afterEach(() => emulator.reset());
  after(() => emulator.close());

  it('puts the contacts on the list', async () => {
    const contacts = 'Email Address,First Name\nann@example.com,Ann\n';
    assert.equal(await nightlyUpload(base, LOGIN, contacts, '2'), 'COMPLETE');
    const lists = [];
    for await (const list of emulator.account('joesflowers')?.lists() ?? []) lists.push(list);
    assert.equal(lists.find(({ id }) => id === '2')?.contactCount, 1);
  });

  it('says why it was refused', async () => {
    await assert.rejects(
      nightlyUpload(base, LOGIN, 'First Name\nAnn\n', '2'),
      /refused: 400 .*Email Address/i,
    );
  });

  it('notices when a job fails at the service', async () => {
    emulator.account('joesflowers')?.outcomes.add({ match: {}, times: 1, outcome: 'error' });
    assert.equal(await nightlyUpload(base, LOGIN, 'Email Address\nann@example.com\n', '2'), 'ERROR');
  });
});
