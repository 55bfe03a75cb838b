import { expect } from 'chai';
import { ServiceError, TransportError } from '../../src/activity/errors.js';
import { EmulatedAccount } from '../../src/emulator/account.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { directoryEmulator } from '../support/directory-emulator.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function status(run: () => Promise<unknown>): Promise<number | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    expect(error).to.be.instanceOf(ServiceError);
    return (error as ServiceError).status;
  }
}

describe('EmulatedDirectory', () => {
  it('the system lists can be read and have members, and cannot be changed', async () => {
    const { directory } = directoryEmulator();
    for (const [id, members] of [
      ['active', 3],
      ['removed', 1],
      ['do-not-mail', 1],
    ] as const) {
      expect(await directory.getList(id)).to.include({ id, system: true, contactCount: undefined });
      expect(await all(directory.members(id))).to.have.length(members);
      expect(await status(() => directory.updateList(id, { name: 'x' }))).to.equal(400);
      expect(await status(() => directory.deleteList(id))).to.equal(400);
    }
    expect(await status(() => directory.getList('all'))).to.equal(404);
  });

  it('a draft changes what it says, and no more', async () => {
    const { directory } = directoryEmulator();
    const before = await directory.getList('5');
    expect(await directory.updateList('5', { name: 'Tulips', sortOrder: 9 })).to.deep.equal({
      ...before,
      sortOrder: 9,
    });
    expect(
      await directory.updateList('5', { name: 'TULIPS', shortName: '', displayOnSignup: false }),
    ).to.deep.equal({
      ...before,
      name: 'TULIPS',
      sortOrder: 9,
      displayOnSignup: false,
    });
  });

  it('a page begins behind a contact, which need not stand on the list', async () => {
    const { directory } = directoryEmulator();
    const members = await all(directory.members('2'));
    expect(members.map(({ id, name }) => [id, name])).to.deep.equal([
      ['3', 'Lee, Ann'],
      ['4', undefined],
      ['5', undefined],
    ]);
    expect(await all(directory.members('2', { after: '3' }))).to.deep.equal(members.slice(1));
    expect(await all(directory.members('2', { after: '1' }))).to.deep.equal(members);
    expect(await status(() => all(directory.members('2', { after: '99' })))).to.equal(404);
    expect((await all(directory.contacts({ after: '4' }))).map(({ id }) => id)).to.deep.equal(['5']);
    const emails = ['cid@example.com', 'ann@example.com'];
    expect((await all(directory.contacts({ emails, after: '5' }))).map(({ id }) => id)).to.deep.equal(['3']);
  });

  it('sees what jobs did that are due, and jobs see what it did', async () => {
    const { clock, emulator, directory } = directoryEmulator();
    const account = emulator.account('joesflowers')!;
    const { id } = await directory.createContact({
      emailAddress: 'dan@example.com',
      values: new Map([['FIRST NAME', 'Dan']]),
      lists: ['2', '2'],
    });
    await account.create({ activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['2'] });
    expect((await directory.getContact(id)).lists).to.have.length(1);
    await clock.advance('1h');
    expect(await directory.getContact(id)).to.deep.include({ lists: [], status: 'Removed', name: 'Dan' });
  });

  it('what it says of a contact outlives the process', async () => {
    const { emulator, directory } = directoryEmulator();
    const account = emulator.account('joesflowers')!;
    const { id } = await directory.createContact({
      emailAddress: 'dan@example.com',
      emailType: 'TEXT',
      note: 'likes red',
      values: new Map([['CITY', 'Boston']]),
      lists: ['5'],
      optInSource: 'ACTION_BY_CONTACT',
    });
    const before = await directory.getContact(id);
    expect(before).to.include({ emailType: 'Text', note: 'likes red', optInSource: 'ACTION_BY_CONTACT' });
    const other = new EmulatedAccount({ user: 'joesflowers' }, { clock: createVirtualClock() });
    other.restore(JSON.parse(JSON.stringify(account.snapshot())) as ReturnType<typeof account.snapshot>);
    expect(await other.directory.getContact(id)).to.deep.equal(before);
    expect(await all(other.directory.contacts())).to.deep.equal(await all(directory.contacts()));
    const [found] = await all(other.directory.contacts({ emails: ['DAN@example.com'] }));
    expect(found?.id).to.equal(id);

    await directory.updateContact(id, { emailAddress: 'dan@example.com', values: new Map(), lists: [] });
    const blank = await directory.getContact(id);
    expect(blank).to.include({ emailType: 'HTML', note: undefined, status: 'Removed' });
    expect(blank.values).to.have.property('size', 0);
  });

  it('an address that was given up is free, and one that is taken is not', async () => {
    const { directory } = directoryEmulator();
    const draft = { values: new Map(), lists: ['2'] };
    await directory.updateContact('3', { ...draft, emailAddress: 'Anna@example.com' });
    expect(await all(directory.contacts({ emails: ['ann@example.com'] }))).to.deep.equal([]);
    expect(
      await status(() => directory.updateContact('4', { ...draft, emailAddress: 'anna@example.com' })),
    ).to.equal(409);
    expect((await directory.createContact({ ...draft, emailAddress: 'ann@example.com' })).id).to.equal('6');
  });

  it('an aborted call does nothing', async () => {
    const { directory } = directoryEmulator();
    const signal = AbortSignal.abort();
    const error = await directory.deleteList('2', { signal }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(TransportError).and.include({ code: 'ABORTED' });
    expect(await directory.getList('2')).to.include({ contactCount: 3 });
  });
});
