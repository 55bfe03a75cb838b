import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { ExportContacts } from '../../src/activity/request.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { examineExport } from '../../src/migrate/exported-rows.js';
import { archivedSteps, type ArchivedOptions } from '../../src/migrate/source-archive.js';
import { exportAccount } from '../../src/migrate/source-ws.js';
import { WsClient } from '../../src/ws/client.js';
import { rejection } from '../http/loopback.js';
import { leapingClock } from '../support/leaping-clock.js';

function start() {
  const clock = leapingClock();
  const emulator = createEmulator({
    clock,
    accounts: [
      {
        user: 'joe',
        lists: [
          { id: '10', name: 'Ten', members: ['ann@example.com'] },
          {
            id: '2',
            name: 'Spring Newsletter',
            shortName: 'Spring',
            members: ['fred@example.com', 'ann@example.com'],
          },
          { id: '5', name: 'Empty' },
        ],
        removed: ['gone@example.com'],
        doNotMail: ['no@example.com', 'never@example.com'],
      },
      { user: 'ann', lists: [{ id: '1', name: 'One', members: ['a@example.com'] }] },
    ],
  });
  const clientOf = (user: string) =>
    new WsClient({
      user,
      credentials: { scheme: 'basic', apiKey: 'key', user, password: 'pass' },
      fetch: emulator.fetch,
      clock,
      random: () => 0,
    });
  return { clock, emulator, clientOf, means: { clock, random: () => 0 } };
}

describe('sources of a plan', () => {
  let folder: string;
  const at = (...names: string[]) => path.join(folder, ...names);
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-sources-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  describe('a live account', () => {
    it('has each list exported with all its columns, for its owner only; who left is told', async () => {
      const { clientOf, means } = start();
      const told: string[] = [];
      const { steps, names, losses } = await exportAccount(clientOf('joe'), {
        ...means,
        folder: at('x', 'joe'),
        into: { 'MIDDLE NAME': 'CUSTOM FIELD 15' },
        onExport: (list, number, of) => void told.push(`${list} ${number}/${of}`),
      });
      expect(told).to.deep.equal(['2 1/5', '5 2/5', '10 3/5', 'do-not-mail 4/5', 'removed 5/5']);
      expect(steps).to.deep.equal(
        ['2', '5', '10'].map((list) => ({
          activityType: 'ADD_CONTACTS',
          file: at('x', 'joe', `${list}.csv`),
          origin: { kind: 'ws', list },
          encoding: 'UTF-8',
          lists: [list],
          blanksEnabled: false,
          into: { 'MIDDLE NAME': 'CUSTOM FIELD 15' },
        })),
      );
      expect([...names]).to.deep.include.members([
        ['2', 'Spring Newsletter'],
        ['10', 'Ten'],
      ]);
      expect(losses.map(({ code, place, message }) => [code, place, message.split(';', 1)[0]])).to.deep.equal(
        [
          ['OPT_OUTS_LEFT', 'list do-not-mail', 'contacts that opted out: 2'],
          ['OPT_OUTS_LEFT', 'list removed', 'contacts that are on no list any more: 1'],
        ],
      );
      const text = await readFile(at('x', 'joe', '2.csv'), 'utf8');
      expect(text).to.match(
        /^Email Address,First Name,Middle Name,.*Custom field 15,Date Added,Added By\r\n/,
      );
      expect(text.split('\r\n').map((line) => line.split(',')[0])).to.deep.equal([
        'Email Address',
        'ann@example.com',
        'fred@example.com',
        '',
      ]);
      expect((await stat(at('x', 'joe', '2.csv'))).mode & 0o777).to.equal(0o600);
      expect((await stat(at('x', 'joe'))).mode & 0o777).to.equal(0o700);
    });

    it('goes on with what is there, unless it is to be exported again', async () => {
      const { emulator, clientOf, means } = start();
      const client = clientOf('joe');
      const posts = () => emulator.requests.matching({ method: 'POST' }).length;
      await exportAccount(client, { ...means, folder, lists: ['2'] });
      expect(posts()).to.equal(3);
      await rm(at('removed.csv'));
      await writeFile(at('2.csv'), 'Email Address\nkept@example.com\n');
      const notes: string[] = [];
      await exportAccount(client, {
        ...means,
        folder,
        lists: ['2'],
        onNote: (note) => void notes.push(note),
      });
      expect(posts()).to.equal(4);
      expect(notes).to.have.length(1);
      expect(notes[0]).to.match(
        /^2 of 3 lists were exported before, since \d{4}-\d\d-\d\d \d\d:\d\d, .*--fresh/,
      );
      expect(await readFile(at('2.csv'), 'utf8')).to.contain('kept@example.com');
      await exportAccount(client, { ...means, folder, lists: ['2'], fresh: true });
      expect(posts()).to.equal(7);
      expect(await readFile(at('2.csv'), 'utf8')).to.contain('fred@example.com');
    });

    it('is refused with a list that it does not have', async () => {
      const error = await rejection(exportAccount(start().clientOf('joe'), { folder, lists: ['2', '3'] }));
      expect(error.code).to.equal('LIST_INVALID');
      expect(error.message).to.match(/list 3: the account in ws has none; it has .*2 \(Spring Newsletter\)/);
    });

    it('tells of nobody where nobody left', async () => {
      const { clientOf, means } = start();
      const { losses } = await exportAccount(clientOf('ann'), { ...means, folder });
      expect(losses).to.deep.equal([]);
    });
  });

  describe('an archive', () => {
    type Export = Omit<ExportContacts, 'activityType'>;

    /** An account whose feed and exports were kept. */
    async function archived(...exports: Export[]) {
      const { emulator, clientOf, clock } = start();
      const client = clientOf('joe');
      await mkdir(at('files'));
      const ids: string[] = [];
      for (const one of exports) {
        const { id } = await client.exportContacts(one);
        await client.waitForActivity(id);
        await client.saveDownload(id, at('files', `${id}.${one.fileType === 'TXT' ? 'txt' : 'csv'}`));
        ids.push(id);
        clock.pass(60_000);
      }
      const keep = async () => {
        const answer = await emulator.fetch('https://api.constantcontact.com/ws/customers/joe/activities', {
          headers: { authorization: `Basic ${Buffer.from('key%joe:pass').toString('base64')}` },
        });
        await writeFile(at('feed.xml'), Buffer.from(await answer.arrayBuffer()));
      };
      await keep();
      return { client, ids, keep };
    }

    async function read(options: Partial<ArchivedOptions> = {}) {
      const notes: string[] = [];
      const found = await archivedSteps([at('feed.xml')], {
        files: at('files'),
        onNote: (note) => void notes.push(note),
        listNamed: (name) => ({ Spring: '2', Ten: '10' })[name],
        ...options,
      });
      return { ...found, notes };
    }

    const outcome = ({ steps, losses, notes }: Awaited<ReturnType<typeof read>>) => ({
      steps: steps.map((step) => ['file' in step && path.basename(step.file), ...step.lists]),
      losses: losses.map(({ code, place }) => [code, place]),
      notes: notes.length,
    });

    it('has an upload for each export whose list its heading tells, or somebody says', async () => {
      const columns = ['FIRST NAME'];
      const { ids } = await archived(
        { listId: 'active', exportListName: true, columns },
        { listId: '2', exportListName: true, columns, fileType: 'TXT' },
        { listId: '5', columns },
      );
      const [ten = '', two = '', five = ''] = ids;
      // All are on list 2, and Ann is on list 10 too.
      expect(outcome(await read())).to.deep.equal({
        steps: [[`${two}.txt`, '2']],
        losses: [
          ['ACTIVITY_WITHOUT_LIST', `activity ${ten}`],
          ['ACTIVITY_WITHOUT_LIST', `activity ${five}`],
        ],
        notes: 0,
      });
      const { losses } = await read();
      expect(losses[0]?.message).to.match(
        /^EXPORT_CONTACTS of 2008-04-29: it has contacts of "(Spring|Ten)" or "(Spring|Ten)", and nothing tells which list/,
      );
      expect(losses[1]?.message).to.match(/nothing tells which list .* is of; --map a07e\w+=<list>/);
      const listsOf = new Map([
        [ten, ['10']],
        [five, ['5', '6']],
      ]);
      const said = await read({ listsOf });
      expect(outcome(said)).to.deep.equal({
        steps: [
          [`${ten}.csv`, '10'],
          [`${two}.txt`, '2'],
          [`${five}.csv`, '5', '6'],
        ],
        losses: [],
        notes: 0,
      });
      expect(said.steps[0]).to.deep.include({
        origin: { kind: 'archive', activity: ten },
        encoding: 'auto',
        activityType: 'ADD_CONTACTS',
      });
    });

    it('has the newest export of a list only, and never those who left', async () => {
      const { ids } = await archived(
        { listId: '2', exportListName: true },
        { listId: '2', exportListName: true },
        { listId: 'do-not-mail', exportOptDate: true },
      );
      const found = await read({ listsOf: new Map([[ids[2] ?? '', ['2']]]) });
      expect(outcome(found)).to.deep.equal({
        steps: [[`${ids[1]}.csv`, '2']],
        losses: [['OPT_OUTS_LEFT', `activity ${ids[2]}`]],
        notes: 1,
      });
      expect(found.notes[0]).to.equal(
        `activity ${ids[0]} is left out: ${ids[1]} is a newer export of the same list`,
      );
    });

    it('tells every activity that nobody can move, and why', async () => {
      const { client, ids, keep } = await archived({ listId: '2' });
      const rows = [{ 'EMAIL ADDRESS': 'x@example.com' }];
      const added = await client.addContacts({ contacts: { rows }, lists: ['5'] });
      const removed = await client.removeContacts({ contacts: { rows }, lists: ['5'] });
      await client.waitForActivity(removed.id);
      const cleared = await client.clearLists({ lists: ['5'] });
      await client.waitForActivities([added.id, cleared.id]);
      const open = await client.exportContacts({ listId: '5' });
      await keep();
      await rm(at('files', `${ids[0]}.csv`));
      await writeFile(at('files', `${removed.id}.csv`), 'EMAIL\nx@example.com\n');
      const found = await read({ listsOf: new Map([[removed.id, ['5']]]) });
      expect(outcome(found)).to.deep.equal({
        steps: [[`${removed.id}.csv`, '5']],
        losses: [
          ['ACTIVITY_WITHOUT_FILE', `activity ${ids[0]}`],
          ['ACTIVITY_WITHOUT_FILE', `activity ${added.id}`],
          ['ACTIVITY_WITHOUT_LIST', `activity ${cleared.id}`],
        ],
        notes: 1,
      });
      expect(found.steps[0]?.activityType).to.equal('REMOVE_CONTACTS_FROM_LISTS');
      expect(found.notes[0]).to.match(
        new RegExp(`activity ${open.id} is left out: EXPORT_CONTACTS ended as \\w+, or had not ended`),
      );
    });

    it('takes an activity that stands in it twice once, as it ended, and no id for a path', async () => {
      const entry = (id: string, status: string) =>
        `<entry xmlns="http://www.w3.org/2005/Atom"><id>http://api.constantcontact.com/ws/customers/joe/activities/${id}</id>` +
        '<title>t</title><updated>2008-04-29T19:29:26.046Z</updated><content type="application/vnd.ctct+xml">' +
        `<Activity xmlns="http://ws.constantcontact.com/ns/1.0/" id="http://api.constantcontact.com/ws/customers/joe/activities/${id}">` +
        `<Type>EXPORT_CONTACTS</Type><Status>${status}</Status><Errors/><FileName/><TransactionCount>1</TransactionCount>` +
        '<InsertTime>2008-04-29T19:29:26.046Z</InsertTime></Activity></content></entry>';
      await mkdir(at('files'));
      await writeFile(at('files', 'a07e1.csv'), 'Email Address\na@example.com\n');
      await writeFile(at('secret.csv'), 'Email Address\na@example.com\n');
      const entries = [
        entry('a07e1', 'COMPLETE'),
        entry('a07e1', 'RUNNING'),
        entry('..%2Fsecret', 'COMPLETE'),
      ];
      await writeFile(at('feed.xml'), `<feed xmlns="http://www.w3.org/2005/Atom">${entries.join('')}</feed>`);
      const found = await read({
        listsOf: new Map([
          ['a07e1', ['2']],
          ['../secret', ['2']],
        ]),
      });
      expect(outcome(found).steps).to.deep.equal([['a07e1.csv', '2']]);
      expect(found.losses.map(({ code }) => code)).to.deep.equal(['ACTIVITY_WITHOUT_FILE']);
    });
  });

  it('look into the file of an export only as far as it matters', async () => {
    await writeFile(at('a.csv'), 'Email Address,List: A,List: B\n\na@example.com,x,x\nb@example.com,,x\n');
    expect(await examineExport(at('a.csv'))).to.deep.equal({
      left: false,
      lists: ['A', 'B'],
      everyone: false,
      rows: undefined,
    });
    expect(await examineExport(at('a.csv'), { count: true })).to.deep.equal({
      left: false,
      lists: ['A', 'B'],
      everyone: false,
      rows: 2,
    });
    await writeFile(at('b.csv'), 'Email Address,Removed By\na@example.com,me\n');
    expect(await examineExport(at('b.csv'))).to.deep.equal({
      left: true,
      lists: [],
      everyone: false,
      rows: undefined,
    });
    await writeFile(at('c.csv'), 'Email Address,List: A\n');
    expect(await examineExport(at('c.csv'))).to.deep.include({ lists: ['A'], everyone: true });
    expect((await rejection(examineExport(at('none.csv')))).message).to.match(
      /none\.csv: cannot be read \(there is no such file\)/,
    );
    expect(await readdir(folder)).to.have.length(3);
  });
});
