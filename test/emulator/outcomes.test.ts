import { expect } from 'chai';
import type { ActivityRequest } from '../../src/activity/request.js';
import { ServiceError, UsageError } from '../../src/activity/errors.js';
import { EmulatedAccount } from '../../src/emulator/account.js';
import { OutcomeRules, type OutcomeRule } from '../../src/emulator/outcomes.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';

function open(rules: readonly OutcomeRule[] = []) {
  const clock = createVirtualClock();
  const account = new EmulatedAccount(
    {
      user: 'joesflowers',
      lists: [
        { id: '1', name: 'Roses', members: ['member@example.com'] },
        { id: '2', name: 'Tulips' },
      ],
      outcomes: rules,
    },
    { clock },
  );
  const run = async (request: ActivityRequest) => {
    const { id } = await account.create(request);
    await clock.advance('1h');
    return account.get(id);
  };
  return { clock, account, run };
}

const add = (...names: string[]): ActivityRequest => ({
  activityType: 'SV_ADD',
  contacts: { text: `Email Address\n${names.map((name) => `${name}@example.com\n`).join('')}` },
  lists: ['1'],
});
const EXPORT: ActivityRequest = { activityType: 'EXPORT_CONTACTS', listId: '1' };
const CLEAR: ActivityRequest = { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['1', '2'] };

describe('outcomes of jobs', () => {
  it('end in ERROR and change nothing', async () => {
    const { account, run } = open([{ outcome: 'error' }]);
    expect(await run(add('ann'))).to.deep.include({
      status: 'ERROR',
      transactionCount: 0,
      errorCount: 1,
      fileName: '',
    });
    expect(await run(CLEAR)).to.include({ status: 'ERROR' });
    expect(await run(EXPORT)).to.include({ status: 'ERROR', fileName: '' });
    expect(account.holdings.contacts.count('1')).to.equal(1);
  });

  it('refuse so many rows, from the first on, those that are refused anyway counted', async () => {
    const { account, run } = open([{ outcome: { errors: 3, message: 'No room' } }]);
    const activity = await run(add('ann', 'no address', 'bob', 'cy'));
    expect(activity).to.deep.include({
      status: 'COMPLETE',
      transactionCount: 1,
      errorCount: 3,
      errors: [
        { lineNumber: 2, emailAddress: 'ann@example.com', message: 'No room' },
        { lineNumber: 3, emailAddress: 'no address@example.com', message: 'Invalid email' },
        { lineNumber: 4, emailAddress: 'bob@example.com', message: 'No room' },
      ],
    });
    expect(account.holdings.contacts.find('cy@example.com')?.standing).to.equal('active');
    expect(account.holdings.contacts.find('ann@example.com')).to.equal(undefined);
  });

  it('add errors without a line where there are not as many rows', async () => {
    const { run } = open([{ outcome: { errors: 2 } }]);
    for (const [request, transactionCount] of [
      [add('ann'), 0],
      [EXPORT, 1],
      [CLEAR, 1],
    ] as const) {
      const activity = await run(request);
      expect(activity).to.include({ status: 'COMPLETE', transactionCount, errorCount: 2 });
      expect(activity.errors.at(-1)).to.include({ lineNumber: undefined, emailAddress: undefined });
    }
    const broken = await run({
      activityType: 'SV_ADD',
      contacts: { text: 'Email Address\n\0\n' },
      lists: ['1'],
    });
    expect(broken).to.include({ status: 'ERROR', errorCount: 1 });
  });

  it('leave it UNCONFIRMED until it is confirmed, or stuck until it is released', async () => {
    const { account, clock, run } = open([
      { outcome: 'unconfirmed', times: 1 },
      { outcome: { stuckIn: 'RUNNING' }, times: 1 },
    ]);
    const created = await account.create(add('ann'));
    expect(created).to.include({ status: 'UNCONFIRMED' });
    const stuck = await run(add('bob'));
    expect(stuck).to.include({ status: 'RUNNING', runFinishTime: undefined });
    expect(await account.get(created.id)).to.include({ status: 'UNCONFIRMED', runStartTime: undefined });
    expect(account.transition(created.id, 'PENDING')).to.include({ status: 'PENDING' });
    expect(account.transition(stuck.id, 'COMPLETE')).to.include({ status: 'COMPLETE', transactionCount: 1 });
    await clock.advance('1h');
    expect(await account.get(created.id)).to.include({ status: 'COMPLETE', transactionCount: 1 });
    expect(account.transitions(stuck.id).map(({ status }) => status)).to.deep.equal([
      'PENDING',
      'QUEUED',
      'RUNNING',
      'COMPLETE',
    ]);
    expect(() => account.transitions('a07e1')).to.throw(ServiceError);
    expect(() => account.transition(stuck.id, 'ERROR')).to.throw(UsageError, 'COMPLETE already');
  });

  it('are those of the first rule that fits and is not used up', async () => {
    const { account, run } = open();
    account.outcomes.add({ match: { activityType: 'EXPORT_CONTACTS' }, outcome: 'complete' });
    const id = account.outcomes.add({
      match: { listId: 'http://api.constantcontact.com/ws/customers/joesflowers/lists/2' },
      outcome: 'error',
    });
    account.outcomes.add({ match: { activityType: 'SV_ADD' }, times: 1, outcome: { errors: 1 } });
    account.outcomes.add({ match: { activityType: 'ADD_CONTACTS', listId: 1 }, times: 1, outcome: 'error' });
    const statuses = [];
    for (const request of [EXPORT, CLEAR, add('ann'), add('ann'), add('ann')]) {
      const { status, errorCount } = await run(request);
      statuses.push(`${status} ${errorCount}`);
    }
    expect(statuses).to.deep.equal(['COMPLETE 0', 'ERROR 1', 'COMPLETE 1', 'ERROR 1', 'COMPLETE 0']);
    expect(account.outcomes.list().map(({ done }) => done)).to.deep.equal([1, 1, 1, 1]);
    expect([account.outcomes.remove(id), account.outcomes.remove(id)]).to.deep.equal([true, false]);
    expect((await run(CLEAR)).status).to.equal('COMPLETE');
    account.outcomes.clear();
    expect(account.outcomes.list()).to.deep.equal([]);
  });

  it('begin their ids anew once cleared, and go on with them once restored', () => {
    const rules = new OutcomeRules();
    expect([rules.add({ outcome: 'error' }), rules.add({ outcome: 'error' })]).to.deep.equal([1, 2]);
    const other = new OutcomeRules();
    other.restore(rules.list());
    expect(other.add({ outcome: 'complete' })).to.equal(3);
    rules.clear();
    expect(rules.add({ outcome: 'error' })).to.equal(1);
  });

  it('are refused when they cannot be meant, naming the field', () => {
    const rules = new OutcomeRules();
    for (const [rule, place] of [
      [null, 'must be an object'],
      [{}, 'outcome: must be'],
      [{ outcome: 'fail' }, 'got "fail"'],
      [{ outcome: {} }, "{ stuckIn: 'RUNNING' }"],
      [{ outcome: { errors: 0 } }, 'outcome.errors'],
      [{ outcome: { errors: 100_001 } }, 'from 1 to 100000'],
      [{ outcome: { errors: 1, mesage: 'x' } }, 'did you mean message?'],
      [{ outcome: { errors: 1, message: 5 } }, 'outcome.message'],
      [{ outcome: { stuckIn: 'COMPLETE' } }, 'outcome.stuckIn'],
      [{ outcome: { stuckIn: 'RUNNING', errors: 1 } }, '"errors"'],
      [{ outcome: 'error', times: 0 }, 'times'],
      [{ outcome: 'error', time: 1 }, 'did you mean times?'],
      [{ outcome: 'error', match: 'all' }, 'match: must be an object'],
      [{ outcome: 'error', match: { type: 'SV_ADD' } }, '"type"'],
      [{ outcome: 'error', match: { activityType: 'ADD' } }, 'match.activityType'],
      [{ outcome: 'error', match: { listId: 'roses' } }, '"roses"'],
    ] as const) {
      expect(() => rules.add(rule as never), JSON.stringify(rule)).to.throw(UsageError, place);
    }
    expect(rules.list()).to.deep.equal([]);
  });
});
