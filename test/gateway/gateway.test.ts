import { expect } from 'chai';
import fs from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../src/activity/errors.js';
import { memoryStore } from '../../src/store/memory.js';
import { all, Setting } from './setting.js';

const text = (rows: readonly string[]) => `Email Address,First Name\n${rows.join('\n')}\n`;

describe('createGateway', () => {
  let setting: Setting;
  afterEach(() => setting.end());

  it('adds contacts, and tells of rows that were refused by line and address', async () => {
    setting = await Setting.begin();
    const made = await setting.client().addContacts({
      contacts: { text: text(['ann@example.com,Ann', 'bad,Bad', 'bob@example.com,Bob']) },
      lists: ['1'],
    });
    expect(made).to.include({ status: 'PENDING', type: 'ADD_CONTACT_DETAIL', errorCount: 0 });
    expect(made.id).to.match(/^a07e1[0-9a-z]{14}$/);
    const activity = await setting.finished(made.id);
    expect(activity).to.include({ status: 'COMPLETE', errorCount: 1 });
    expect(activity.errors).to.deep.equal([{ lineNumber: 3, emailAddress: 'bad', message: 'Invalid email' }]);
    expect(activity.insertTime).to.deep.equal(made.insertTime);
    expect(activity.runStartTime).to.be.greaterThan(activity.insertTime!);
    expect(setting.members('1')).to.deep.equal(['ann@example.com', 'bob@example.com', 'old@example.com']);
    const uploads = () => fs.readdir(path.join(setting.folder, 'uploads'));
    await setting.until(async () => (await uploads()).length === 0, 'the end of the upload');
  });

  it('sends an upload in parts, and joins them to one activity', async () => {
    setting = await Setting.begin({ partLimits: { rows: 2 } });
    const rows = ['a@example.com,A', 'b@example.com,B', 'c,C', 'd@example.com,D', 'e,E'];
    const { id } = await setting.client().addContacts({ contacts: { text: text(rows) }, lists: ['1', '2'] });
    const activity = await setting.finished(id);
    expect(activity).to.include({ status: 'COMPLETE', errorCount: 2, transactionCount: 3 });
    expect(activity.errors.map(({ lineNumber, emailAddress }) => [lineNumber, emailAddress])).to.deep.equal([
      [4, 'c'],
      [6, 'e'],
    ]);
    expect(setting.told('submitted').map(({ part, parts }) => [part, parts])).to.deep.equal([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    expect(setting.members('2')).to.include.members(['a@example.com', 'b@example.com', 'd@example.com']);
    expect(setting.told('finished')).to.have.length(1);
  });

  it('ends an upload without any address as ws did, and sends v2 nothing', async () => {
    setting = await Setting.begin();
    const bare = Array.from({ length: 1_500 }, () => ',x');
    for (const activityType of ['REMOVE_CONTACTS_FROM_LISTS', 'SV_ADD'] as const) {
      const contacts = { text: text(bare) };
      const { id } = await setting.client().create({ activityType, contacts, lists: ['1'] });
      const activity = await setting.finished(id);
      expect(activity).to.include({ status: 'COMPLETE', errorCount: 1_500, transactionCount: 0 });
      expect(activity.errors).to.have.length(1_000);
      expect(activity.errors[999]).to.include({ lineNumber: 1_001, message: 'Missing email address' });
      expect(activity.runStartTime).to.be.at.least(activity.insertTime!);
      expect(activity.runFinishTime).to.be.instanceOf(Date);
    }
    expect(setting.told('submitted')).to.deep.equal([]);
  });

  it('ends it so also when the gateway has begun anew in between', async () => {
    const store = memoryStore();
    const { records } = store;
    let tried = 0;
    const write: typeof records.write = (...changes) => {
      const ends = changes.some(
        ({ value }) => value !== undefined && Object.hasOwn(value as object, 'ended'),
      );
      if (ends && ++tried > 0) return Promise.reject(new UsageError('FILE_UNWRITABLE', 'the disk is full'));
      return records.write(...changes);
    };
    setting = await Setting.begin({ store: { ...store, records: { ...records, write } } });
    const { id } = await setting.client().removeContacts({ contacts: { text: text([',x']) }, lists: ['1'] });
    await setting.until(() => tried > 0, 'the end');
    await setting.gateway.close();
    setting.gateway = setting.make({ store });
    await setting.gateway.start();
    const activity = await setting.finished(id);
    expect(activity).to.include({ status: 'COMPLETE', errorCount: 1, transactionCount: 0 });
    expect(activity.errors).to.deep.equal([
      { lineNumber: 2, emailAddress: undefined, message: 'Missing email address' },
    ]);
  });

  it('removes, clears and exports, in the order it was asked to', async () => {
    setting = await Setting.begin();
    const client = setting.client();
    const removed = await client.removeContacts({
      contacts: { text: 'Email Address\nold@example.com\n' },
      lists: ['2'],
    });
    const exported = await client.exportContacts({
      listId: '2',
      columns: ['FIRST NAME'],
      fileType: 'TXT',
      exportListName: true,
    });
    const cleared = await client.clearLists({ lists: ['2'] });
    expect(removed.type).to.equal('REMOVE_CONTACTS_FROM_LISTS');
    expect((await setting.finished(cleared.id)).status).to.equal('COMPLETE');
    const file = await setting.finished(exported.id);
    expect(file.fileName).to.match(new RegExp(`/activities/${exported.id}\\.txt$`));
    const download = await client.download(file);
    const chunks = await all(download.body);
    expect(Buffer.concat(chunks).toString()).to.equal(
      'Email Address\tFirst Name\tList: Clients\r\nolder@example.com\t\tx\r\n',
    );
    expect(setting.members('2')).to.deep.equal([]);
    const listed = await all(client.list());
    expect(listed.map(({ id }) => id)).to.deep.equal([cleared.id, exported.id, removed.id]);
    expect((await all(client.lists())).map(({ id }) => id)).to.deep.equal([
      'active',
      'do-not-mail',
      'removed',
      '1',
      '2',
    ]);
  });
});
