import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { isFinished, type Activity } from '../../src/activity/activity.js';
import { compile } from '../store/compiled.js';
import { anActivity } from '../support/stub-service.js';
import { audit, type Attempt } from './audit.js';
import { runCampaign } from './campaign.js';
import type { UpstreamCreation } from './upstream.js';

describe('a gateway whose process is killed', function () {
  this.timeout(120_000);

  let code: string;
  let script: string;
  before(async () => {
    code = await mkdtemp(path.join(tmpdir(), 'ctct-gateway-code-'));
    script = await compile('test/gateway/gateway-child.ts', code, 'src/store/thread-entry.ts');
  });
  after(() => rm(code, { recursive: true }));

  it('loses nothing, does nothing twice and invents nothing, on bad ways too', async () => {
    const { violations, kills, faults, attempts } = await runCampaign({
      script,
      seed: 1,
      attempts: 16,
      kills: 2,
      large: 20_500,
    });
    expect(violations).to.deep.equal([]);
    expect(kills).to.equal(2);
    expect(faults).to.be.greaterThan(3);
    expect(attempts.filter(({ outcome }) => typeof outcome === 'object')).to.have.length.greaterThan(0);
  });

  it('may die at any of its writes to the store', async () => {
    const counted = await runCampaign({
      script,
      seed: 2,
      attempts: 4,
      kills: 0,
      faults: false,
      killAt: 'count',
    });
    expect(counted.violations).to.deep.equal([]);
    expect(counted.writes).to.be.greaterThan(20);
    // A busy machine looks at jobs more or less often: so many writes there are in any case.
    for (const killAt of ['before:1', 'after:5', 'before:12', 'after:19']) {
      const { violations, kills } = await runCampaign({
        script,
        seed: 2,
        attempts: 4,
        kills: 0,
        faults: false,
        killAt,
      });
      expect(violations, killAt).to.deep.equal([]);
      expect(kills, killAt).to.equal(1);
    }
  });
});

describe('the audit', () => {
  const taken: Attempt = {
    list: '1',
    activityType: 'ADD_CONTACTS',
    addresses: ['a@example.com', 'b@example.com'],
    outcome: { id: 'a07e1' },
  };
  const done: Activity = anActivity({
    id: 'a07e1',
    type: 'ADD_CONTACTS',
    status: 'COMPLETE',
    transactionCount: 2,
  });
  const part: UpstreamCreation = {
    id: 'u1',
    activityType: 'ADD_CONTACTS',
    list: '1',
    addresses: [...taken.addresses],
  };
  const breaches = (...given: Parameters<typeof audit>) => audit(...given).map(({ breach }) => breach);

  it('finds nothing where all is well, be it in parts', () => {
    expect(isFinished(done)).to.equal(true);
    expect(breaches([taken], [done], [part])).to.deep.equal([]);
    const parts = part.addresses.map((address) => ({ ...part, addresses: [address] }));
    expect(breaches([taken], [done], parts)).to.deep.equal([]);
    expect(breaches([{ ...taken, outcome: 'unanswered' }], [], [])).to.deep.equal([]);
    expect(breaches([{ ...taken, outcome: 'unanswered' }], [done], [part])).to.deep.equal([]);
    expect(breaches([{ ...taken, outcome: 'refused' }], [], [])).to.deep.equal([]);
  });

  it('finds each way in which a promise can be broken', () => {
    expect(breaches([taken], [], [part])).to.deep.equal(['lost']);
    expect(breaches([taken], [done, done], [part])).to.deep.equal(['twice']);
    expect(breaches([taken], [done], [part, part])).to.deep.equal(['twice']);
    expect(breaches([taken, taken], [done], [part])).to.deep.equal(['twice']);
    expect(breaches([taken], [done], [])).to.deep.equal(['incomplete']);
    expect(breaches([taken], [done], [{ ...part, addresses: ['a@example.com'] }])).to.deep.equal([
      'incomplete',
    ]);
    expect(breaches([taken], [done], [part, { ...part, addresses: ['c@example.com'] }])).to.deep.equal([
      'invented',
    ]);
    expect(breaches([taken], [done], [part, { ...part, list: '2' }])).to.deep.equal(['invented']);
    expect(breaches([{ ...taken, outcome: 'refused' }], [], [part])).to.deep.equal(['invented']);
    expect(breaches([], [done], [])).to.deep.equal(['invented']);
    expect(breaches([taken], [{ ...done, status: 'ERROR' }], [part])).to.deep.equal(['failed']);
    expect(breaches([taken], [{ ...done, status: 'RUNNING' }], [part])).to.deep.equal(['failed']);
    expect(breaches([taken], [{ ...done, transactionCount: 1 }], [part])).to.deep.equal(['changed']);
    const clear: Attempt = { ...taken, activityType: 'CLEAR_CONTACTS_FROM_LISTS', addresses: [] };
    const cleared = { ...part, activityType: 'CLEAR_CONTACTS_FROM_LISTS', addresses: [] };
    expect(breaches([clear], [done], [cleared, cleared])).to.deep.equal(['twice']);
  });
});
