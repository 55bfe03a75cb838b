import { expect } from 'chai';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServiceError, TransportError } from '../../src/activity/errors.js';
import type { ActivityRequest } from '../../src/activity/request.js';
import { aList, anActivity, stubService } from '../support/stub-service.js';
import {
  CREDENTIALS,
  ctct as plainCtct,
  emulated,
  envelope,
  leapingClock,
  Sink,
  type Setup,
} from './harness.js';

/** Tells the URL of an emulator as soon as it is written. */
class UrlSink extends Sink {
  readonly #use: (url: string) => Promise<void>;

  constructor(use: (url: string) => Promise<void>) {
    super();
    this.#use = use;
  }

  override write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean {
    setImmediate(() => void this.#use(String(chunk).trim()));
    return super.write(chunk, done);
  }
}

const CONTACTS = fileURLToPath(new URL('../../samples/contacts.csv', import.meta.url));

/** Runs a command line on a service that is made for the test. */
function onStub(argv: readonly string[], parts: Parameters<typeof stubService>, setup: Setup = {}) {
  const env = { CTCT_USER: 'joesflowers', ...CREDENTIALS, ...setup.env };
  return plainCtct(argv, {
    clock: leapingClock(),
    random: () => 0,
    connect: () => stubService(...parts),
    ...setup,
    env,
  });
}

describe('ctct', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-commands-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  describe('lists', () => {
    it('shows them, the system lists first', async () => {
      const { exit, stdout, stderr } = await emulated().ctct(['lists']);
      expect(exit).to.equal(0);
      expect(stderr.text).to.equal('');
      expect(stdout.lines.map((line) => line.split(/ {2,}/).slice(0, 3))).to.deep.equal([
        ['List', 'Name', 'Members'],
        ['active', 'Active', '–'],
        ['do-not-mail', 'Do Not Mail', '–'],
        ['removed', 'Removed', '–'],
        ['2', 'Spring Newsletter', '2'],
        ['5', 'Shop Customers', '0'],
      ]);
    });

    it('puts them out as JSON wherever the option stands', async () => {
      const { ctct } = emulated();
      const ran = await ctct(['--output', 'json', 'lists']);
      expect(envelope(ran)).to.deep.include({ version: 1, kind: 'lists' });
      expect(envelope(ran).data).to.have.length(5);
      expect((await ctct(['lists', '--output', 'json'])).stdout.text).to.equal(ran.stdout.text);
    });
  });

  describe('add', () => {
    it('starts, and tells how to see the end', async () => {
      const { exit, stdout, stderr } = await emulated().ctct(['add', CONTACTS, '--list', '2']);
      expect(exit).to.equal(0);
      expect(stdout.text).to.match(/^Activity +a07e\w+\nType +ADD_CONTACT_DETAIL\nStatus +PENDING\n/);
      const id = /a07e\w+/.exec(stdout.text)?.[0];
      expect(stderr.text).to.equal(`To see how it ends: ctct wait ${id}\n`);
    });

    it('waits for the end, shows errors by line and address, and ends with 3', async () => {
      const { ctct, emulator } = emulated();
      const argv = ['add', CONTACTS, '--list', '2,5', '--type', 'add_contacts', '--wait'];
      const { exit, stdout, stderr } = await ctct(argv);
      expect(exit).to.equal(3);
      expect(stdout.text).to.match(/Status +COMPLETE\nErrors +3\n/);
      expect(stdout.lines.slice(-4)).to.deep.equal([
        'Line  Address                   Message',
        '  21  tessa.bright@example.org  Unknown US/Canadian state/prov "Ontari"',
        '  34  gina.russo.example.com    Invalid email',
        '  39  luca.moretti@example.net  Unknown US/Canadian state/prov "Colorad"',
      ]);
      expect(stderr.lines[0]).to.match(/^a07e\w+ ■□□□ PENDING, 0 s$/);
      expect(stderr.lines.at(-1)).to.match(/■■■■ COMPLETE, \d+ s$/);
      const lists = [];
      for await (const list of emulator.account('joesflowers')!.lists()) lists.push(list.contactCount);
      expect(lists.slice(3)).to.deep.equal([58, 56]);
    });

    it('gives --wait its own value only when that is a time', async () => {
      const { ctct } = emulated();
      for (const argv of [
        ['add', '--wait', CONTACTS, '--list', '2'],
        ['add', '--wait', '30m', CONTACTS, '--list', '2'],
        ['add', '--wait=30m', CONTACTS, '--list', '2'],
        ['add', CONTACTS, '--list', '2', '--wait'],
      ]) {
        expect((await ctct(argv)).exit, argv.join(' ')).to.equal(3);
      }
    });

    it('takes contacts from stdin, and warns when they are few', async () => {
      const { ctct } = emulated();
      const input = 'Email Address\r\nann@example.com\r\n';
      const { exit, stderr } = await ctct(['add', '-', '--list', '2', '--wait', '--no-progress'], { input });
      expect(exit).to.equal(0);
      expect(stderr.text).to.match(/^ctct: warning: .*25 or more/s);
      expect(stderr.lines).to.have.length(1);
      const quiet = await ctct(['add', '-', '--list', '2', '--quiet'], { input, person: true });
      expect([quiet.exit, quiet.stderr.text]).to.deep.equal([0, '']);
      const typed = await ctct(['add', '-', '--list', '2'], { input, person: true });
      expect(typed.stderr.text).to.contain('end them with Ctrl-D');
    });

    it('sends contacts the way it is told', async () => {
      for (const [encoding, type] of [
        ['form', 'application/x-www-form-urlencoded'],
        ['multipart', 'multipart/form-data'],
      ] as const) {
        const { ctct, emulator } = emulated();
        const types: (string | null)[] = [];
        const fetch = ((url: string | URL | Request, init?: RequestInit) => {
          const request = new Request(url, init);
          if (request.method === 'POST') types.push(request.headers.get('content-type'));
          return emulator.fetch(request);
        }) as typeof globalThis.fetch;
        await ctct(['add', CONTACTS, '--list', '2', '--encoding', encoding], { fetch });
        expect(types[0]).to.match(new RegExp(`^${type}`));
      }
    });

    const wrong: readonly (readonly [string, RegExp, number])[] = [
      [`add none.csv --list 2`, /^ctct: none\.csv: there is no such file$/m, 2],
      [`add ${CONTACTS} --list frob`, /"frob" is no list.*\n {2}see which lists there are: ctct lists/, 2],
      [`add ${CONTACTS} --list 99`, /400 .*list 99 does not exist/, 1],
    ];
    for (const [line, message, code] of wrong) {
      it(`refuses ${line.replace(CONTACTS, 'contacts.csv')}`, async () => {
        const { exit, stdout, stderr } = await emulated().ctct(line.split(' '));
        expect(stderr.text).to.match(message);
        expect([exit, stdout.text]).to.deep.equal([code, '']);
      });
    }
  });

  describe('remove', () => {
    it('takes the contacts of a file off the list', async () => {
      const { ctct, emulator } = emulated();
      const input = 'Email Address\nFRED@example.com\n';
      const { exit } = await ctct(['remove', '-', '--list', '2', '--yes', '--wait', '--quiet'], { input });
      expect(exit).to.equal(0);
      for await (const { id, contactCount } of emulator.account('joesflowers')!.lists()) {
        if (id === '2') expect(contactCount).to.equal(1);
      }
    });

    it('shows the lists and asks first, or needs --yes', async () => {
      const { ctct, emulator } = emulated();
      const argv = ['remove', CONTACTS, '--list', '2'];
      const asked = await ctct(argv, { person: true, input: 'no\n', env: { NO_COLOR: '1' } });
      expect(asked.exit).to.equal(1);
      expect(asked.stderr.text).to.match(
        /^This takes the contacts of .*contacts\.csv off:\n {2}2 {2}Spring Newsletter, 2 members\nType "yes"/,
      );
      expect(asked.stderr.text).to.contain('nothing was removed');
      const script = await ctct(argv);
      expect(script.exit).to.equal(2);
      expect(script.stderr.text).to.match(/^ctct: remove: asks before it changes lists.*--yes/);
      for await (const { id } of emulator.account('joesflowers')!.list()) expect.fail(id);
    });
  });

  describe('clear', () => {
    it('shows the lists, asks, and clears on yes', async () => {
      const { ctct } = emulated();
      const setup = { person: true, input: 'yes\n', env: { NO_COLOR: '1' } };
      const { exit, stdout, stderr } = await ctct(['clear', '--list', '2', '--wait'], setup);
      expect(exit).to.equal(0);
      expect(stderr.text).to.match(
        /^This takes every contact off:\n {2}2 {2}Spring Newsletter, 2 members\nType "yes" to go on: /,
      );
      expect(stdout.text).to.match(/Type +CLEAR_CONTACTS_FROM_LISTS\nStatus +COMPLETE\n/);
    });

    for (const input of ['y\n', 'no\n', '', '\nyes\n']) {
      it(`clears nothing on ${JSON.stringify(input)}`, async () => {
        const { ctct, emulator } = emulated();
        const { exit, stdout, stderr } = await ctct(['clear', '--list', '2'], { person: true, input });
        expect([exit, stdout.text]).to.deep.equal([1, '']);
        expect(stderr.text).to.contain('nothing was cleared');
        const created = [];
        for await (const activity of emulator.account('joesflowers')!.list()) created.push(activity);
        expect(created).to.deep.equal([]);
      });
    }

    it('needs --yes where nobody can be asked', async () => {
      const { ctct } = emulated();
      const { exit, stderr } = await ctct(['clear', '--list', '2']);
      expect(exit).to.equal(2);
      expect(stderr.text).to.match(/no terminal to ask on; give --yes/);
      const sure = await ctct(['clear', '--list', '2,5', '--yes']);
      expect(sure.exit).to.equal(0);
      expect(sure.stderr.text).to.match(/^Clearing:\n {2}2 .*\n {2}5 {2}Shop Customers, 0 members\n/);
    });

    it('refuses system lists and lists that are not there, before anything is sent', async () => {
      const { ctct, emulator } = emulated();
      expect((await ctct(['clear', '--list', 'active', '--yes'])).stderr.text).to.contain(
        'cannot be cleared',
      );
      const { exit, stderr } = await ctct(['clear', '--list', '2,98,99', '--yes']);
      expect(exit).to.equal(2);
      expect(stderr.lines).to.deep.equal([
        'ctct: --list: the account has no list 98, 99',
        '  see which lists there are: ctct lists',
      ]);
      for await (const { id } of emulator.account('joesflowers')!.list()) expect.fail(id);
    });

    it('asks in other words where the members are not told, and ends with Ctrl-C', async () => {
      const controller = new AbortController();
      const lists = async function* () {
        yield aList('2', 'Spring');
        await Promise.resolve();
        setImmediate(() => {
          controller.abort(new Error('interrupted'));
        });
      };
      const { PassThrough } = await import('node:stream');
      const stdin = Object.assign(new PassThrough(), { isTTY: true });
      const setup = { person: true, signal: controller.signal, stdin };
      const { exit, stderr } = await onStub(['clear', '--list', '2'], [[], [], { lists }], setup);
      expect(exit).to.equal(130);
      expect(stderr.text)
        .to.contain('members not told')
        .and.to.match(/to go on: \n.*interrupted/);
    });
  });

  describe('export', () => {
    it('is started with all it can be asked for', async () => {
      const requests: ActivityRequest[] = [];
      const create = (request: ActivityRequest) => {
        requests.push(request);
        return Promise.resolve(anActivity({ id: 'a07e' }));
      };
      const argv = ['export', '--list', 'do-not-mail', '--columns', 'First Name, City', '--columns', 'State'];
      const options = ['--file-type', 'txt', '--with-date', '--with-source', '--with-list-name'];
      const ran = await onStub([...argv, ...options, '--sort', 'date'], [[], [], { create }]);
      expect(ran.exit).to.equal(0);
      await onStub(['export', '--list', '2', '--sort', 'EMAIL_ADDRESS'], [[], [], { create }]);
      expect(requests).to.deep.equal([
        {
          activityType: 'EXPORT_CONTACTS',
          listId: 'do-not-mail',
          fileType: 'TXT',
          exportOptDate: true,
          exportOptSource: true,
          exportListName: true,
          sortBy: 'DATE_DESC',
          columns: ['First Name', 'City', 'State'],
        },
        {
          activityType: 'EXPORT_CONTACTS',
          listId: '2',
          fileType: 'CSV',
          exportOptDate: false,
          exportOptSource: false,
          exportListName: false,
          sortBy: 'EMAIL_ADDRESS',
          columns: [],
        },
      ]);
    });

    it('with --out waits, saves the file, and says where', async () => {
      const { ctct } = emulated();
      const out = join(folder, 'list2.csv');
      const ran = await ctct(['export', '--list', '2', '--out', out, '--output', 'json']);
      expect(ran.exit).to.equal(0);
      const text = await readFile(out, 'utf8');
      expect(text).to.equal('Email Address\r\nfred@example.com\r\njoan@example.com\r\n');
      expect(envelope(ran).kind).to.equal('download');
      expect(envelope(ran).data).to.deep.include({ path: out, bytes: text.length });
      expect((await stat(out)).mode & 0o077).to.equal(0);

      const again = await ctct(['export', '--list', '2', '--out', out]);
      expect(again.exit).to.equal(2);
      expect(again.stderr.lines).to.deep.equal([
        `ctct: ${out}: is there already`,
        '  write over it: --force',
      ]);
      expect((await ctct(['export', '--list', '2', '--out', out, '--force'])).exit).to.equal(0);
    });

    it('with --out - puts the file out and nothing else, with a folder saves into it', async () => {
      const { ctct } = emulated();
      const piped = await ctct(['export', '--list', '2', '--out', '-']);
      expect(piped.stdout.text).to.equal('Email Address\r\nfred@example.com\r\njoan@example.com\r\n');
      const shown = await ctct(['export', '--list', '2', '--out', '-'], {
        terminal: { columns: 80 },
        person: true,
      });
      expect(shown.stdout.text).to.equal(piped.stdout.text);
      const saved = await ctct(['export', '--list', '2', '--out', folder]);
      expect(saved.stdout.text).to.match(/Saved to +\S+a07e\w+\.csv\n/);
    });

    it('refuses what cannot be saved, before anything is sent', async () => {
      const { ctct, emulator } = emulated();
      const { exit, stderr } = await ctct(['export', '--list', '2', '--out', join(folder, 'none', 'x.csv')]);
      expect(exit).to.equal(1);
      expect(stderr.text).to.match(/there is no folder /);
      const two = await ctct(['export', '--list', '2,5']);
      expect([two.exit, two.stderr.lines[0]]).to.deep.equal([
        2,
        'ctct: --list: an export takes exactly one list, got 2; run one export per list',
      ]);
      const column = await ctct(['export', '--list', '2', '--columns', 'Frist Name']);
      expect(column.stderr.text).to.contain('did you mean FIRST NAME?');
      for await (const { id } of emulator.account('joesflowers')!.list()) expect.fail(id);
    });

    it('that ends with ERROR saves nothing', async () => {
      const failed = anActivity({
        id: 'a07e',
        status: 'ERROR',
        errors: [{ lineNumber: undefined, emailAddress: undefined, message: 'no luck' }],
      });
      const create = () => Promise.resolve(failed);
      const out = join(folder, 'x.csv');
      const { exit, stdout } = await onStub(
        ['export', '--list', '2', '--out', out],
        [[failed], [], { create }],
      );
      expect(exit).to.equal(1);
      expect(stdout.text)
        .to.match(/Status +ERROR/)
        .and.to.contain('no luck');
      expect(await stat(out).catch(() => 'none')).to.equal('none');
      // The fields of a download are none of an activity.
      const fields = await onStub(
        ['export', '--list', '2', '--out', out, '--fields', 'path'],
        [[failed], [], { create }],
      );
      expect([fields.exit, fields.stdout.text]).to.deep.equal([1, '']);
      expect(fields.stderr.text).to.contain('ctct: the export a07e ended with ERROR');
    });

    it('whose wait is over tells the whole way on', async () => {
      const running = anActivity({ id: 'a07e', status: 'RUNNING' });
      const create = () => Promise.resolve(running);
      const argv = ['export', '--list', '2', '--out', join(folder, "joe's.csv"), '--force', '--wait=5s'];
      const { exit, stderr } = await onStub(
        [...argv, '--user', 'joe', '--base-url', 'https://x.example.com'],
        [[running], [], { create }],
        { env: { npm_command: 'exec' } },
      );
      expect(exit).to.equal(7);
      const flags = '--user joe --base-url https://x.example.com';
      const path = `'${folder}/joe'\\''s.csv'`;
      expect(stderr.lines.at(-1)).to.equal(
        `  go on waiting: npx ctct wait a07e ${flags} && npx ctct download a07e --out ${path} --force ${flags}`,
      );
    });
  });

  describe('export', () => {
    it('that is finished and not saved tells how to get the file, without another export', async () => {
      const interrupt = new AbortController();
      const ends: Readonly<Record<string, () => Promise<Response>>> = {
        'refuses: 403': () => Promise.resolve(new Response('no', { status: 403 })),
        reset: () => Promise.reject(Object.assign(new Error('reset'), { code: 'ECONNRESET' })),
        '401': () => Promise.resolve(new Response('who?', { status: 401 })),
        interrupted: () => {
          interrupt.abort(new Error('interrupted'));
          return new Promise(() => undefined);
        },
      };
      for (const [name, end] of Object.entries(ends)) {
        const { emulator, ctct } = emulated();
        const fetch = (input: Request | string | URL, init?: RequestInit) => {
          const request = new Request(input, init);
          return request.url.endsWith('.csv') ? end() : emulator.fetch(request);
        };
        const signal = name === 'interrupted' ? interrupt.signal : undefined;
        const ran = await ctct(['export', '--list', '2', '--out', '-'], { fetch, signal });
        let id = '';
        for await (const activity of emulator.account('joesflowers')!.list()) id = activity.id;
        expect(ran.exit, name).to.be.greaterThan(0);
        expect(ran.stderr.lines.at(-1), name).to.equal(
          `  get it, without another export: ctct download ${id} --out -`,
        );
        if (name !== 'interrupted') continue;
        expect(ran.exit).to.equal(130);
        expect(ran.stderr.lines.at(-2)).to.equal(
          `ctct: interrupted; the file of activity ${id} is not saved`,
        );
      }
    });
  });

  it('export, when its download breaks off, tells once how to go on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ctct-cli-export-'));
    const { emulator, ctct } = emulated();
    let downloads = 0;
    const fetch = async (input: Request | string | URL, init?: RequestInit) => {
      const request = new Request(input, init);
      if (!request.url.endsWith('.csv')) return emulator.fetch(request);
      if (++downloads > 1) return new Response('gone', { status: 404 });
      let pulls = 0;
      const body = new ReadableStream({
        pull(controller) {
          if (pulls++ === 0) controller.enqueue(new Uint8Array(10));
          else controller.error(new Error('reset'));
        },
      });
      return new Response(body, {
        headers: { etag: '"1"', 'content-length': '100', 'content-type': 'text/csv' },
      });
    };
    const out = join(folder, 'list2.csv');
    const { exit, stderr } = await ctct(['export', '--list', '2', '--out', out], { fetch });
    expect(exit).to.equal(8);
    expect(stderr.lines.filter((line) => line.includes('ctct download'))).to.have.length(1);
    expect(stderr.lines.at(-2)).to.match(
      /^10 bytes are kept in .*list2\.csv\.part; to go on: ctct download a07e/,
    );
    await rm(folder, { recursive: true });
  });

  describe('list', () => {
    it('shows the newest first, as many as are wanted', async () => {
      const { ctct } = emulated();
      for (const list of ['2', '5', '2']) await ctct(['export', '--list', list]);
      const all = await ctct(['list', '--output', 'csv']);
      expect(all.stdout.text.trim().split(/\r?\n/)).to.have.length(4);
      expect(all.stdout.text).to.match(/^id,type,status,errorCount,transactionCount,/);
      const two = await ctct(['list', '--limit', '2', '--output', 'ndjson']);
      const ids = two.stdout.lines.map((line) => (JSON.parse(line) as { id: string }).id);
      expect(ids).to.deep.equal(
        all.stdout.text
          .split(/\r?\n/)
          .slice(1, 3)
          .map((line) => line.split(',')[0]),
      );
      expect((await emulated().ctct(['list'])).stdout.text).to.equal('No activities.\n');
    });
  });

  describe('show', () => {
    const errors = [{ lineNumber: 3, emailAddress: 'a@example.com', message: 'Invalid email' }];

    it('shows an activity by its id or URI, and its errors', async () => {
      const activity = anActivity({
        id: 'a07e',
        type: 'ADD_CONTACTS',
        status: 'COMPLETE',
        errors,
        errorCount: 5,
      });
      const { exit, stdout } = await onStub(['show', 'a07e'], [[activity]]);
      expect(exit).to.equal(0);
      expect(stdout.lines).to.deep.equal([
        'Activity  a07e',
        'Type      ADD_CONTACTS',
        'Status    COMPLETE',
        'Errors    5',
        '',
        'Line  Address        Message',
        '   3  a@example.com  Invalid email',
        'The service counts 4 more, and does not list them.',
      ]);
      const uri = 'http://api.constantcontact.com/ws/customers/joe/activities/a07e';
      expect((await onStub(['show', uri], [[activity]])).stdout.text).to.equal(stdout.text);
      const counted = await onStub(['show', 'a'], [[anActivity({ id: 'a', errorCount: 2 })]]);
      expect(counted.stdout.lines.at(-1)).to.equal('The service counts 2 errors and lists none of them.');
    });

    it('puts out the errors alone', async () => {
      const activity = anActivity({ id: 'a07e', errors });
      const ran = await onStub(['show', 'a07e', '--errors', '--output', 'json'], [[activity]]);
      expect(envelope(ran)).to.deep.equal({ version: 1, kind: 'activity-errors', data: errors });
      const whole = await onStub(['show', 'a07e', '--output', 'json'], [[activity]]);
      expect(envelope(whole)).to.have.nested.property('data.errors').that.deep.equals(errors);
    });

    it('ends with 8 when there is no such activity', async () => {
      const { exit, stderr } = await emulated().ctct(['show', 'nope']);
      expect(exit).to.equal(8);
      expect(stderr.lines).to.have.length(1);
    });

    it('ends with 4 when the credentials are not accepted, and with 2 for an unsafe origin', async () => {
      const refused = await emulated().ctct(['show', 'nope', '--user', 'somebody']);
      expect(refused.exit).to.equal(4);
      expect(refused.stderr.text).to.contain('  check CTCT_USER, CTCT_API_KEY and CTCT_PASSWORD');
      const unsafe = await emulated().ctct(['show', 'a', '--base-url', 'http://x.example.com']);
      expect(unsafe.exit).to.equal(2);
      expect(unsafe.stderr.text).to.contain('CTCT_ALLOW_HTTP=');
    });
  });

  describe('wait', () => {
    it('ends with 0, 3 or 1, as the activity ends', async () => {
      for (const [facts, code] of [
        [{ status: 'COMPLETE' }, 0],
        [{ status: 'COMPLETE', errorCount: 1 }, 3],
        [{ status: 'ERROR' }, 1],
      ] as const) {
        const { exit, stdout } = await onStub(['wait', 'a'], [[anActivity({ id: 'a', ...facts })]]);
        expect(exit).to.equal(code);
        expect(stdout.text).to.contain(facts.status);
      }
    });

    it('ends with 7 when the time is over, and tells how to go on', async () => {
      const { exit, stdout, stderr } = await onStub(
        ['wait', 'a07e', '--timeout', '10s'],
        [[anActivity({ id: 'a07e', status: 'RUNNING' })]],
      );
      expect([exit, stdout.text]).to.deep.equal([7, '']);
      expect(stderr.lines.at(-1)).to.equal('  go on waiting: ctct wait a07e');
    });

    it('warns of a status it does not know, and waits on', async () => {
      const { exit, stderr } = await onStub(
        ['wait', 'a07e', '--timeout', '10s'],
        [[anActivity({ id: 'a07e', status: 'PAUSED' })]],
      );
      expect(exit).to.equal(7);
      expect(stderr.text).to.contain('warning: the status PAUSED is new to this program; waiting on');
      const untold = await onStub(['wait', 'a', '--timeout', '1s'], [[anActivity({ id: 'a' })]]);
      expect(untold.stderr.lines).to.deep.equal([
        'ctct: warning: the service tells no status of this activity; waiting on',
        'a \u25a1\u25a1\u25a1\u25a1 status not told, 0 s',
        'ctct: activity a has not finished after 1 s; its status is not told. It goes on: wait for it again by its id',
        '  go on waiting: ctct wait a',
      ]);
    });

    it('that is interrupted tells that the activity goes on', async () => {
      const controller = new AbortController();
      const get = () => {
        controller.abort(new Error('interrupted'));
        return Promise.resolve(anActivity({ id: 'a07e', status: 'RUNNING' }));
      };
      const { exit, stderr } = await onStub(['wait', 'a07e'], [[], [], { get }], {
        signal: controller.signal,
      });
      expect(exit).to.equal(130);
      expect(stderr.lines.slice(-2)).to.deep.equal([
        'ctct: interrupted; activity a07e goes on at the service',
        '  go on waiting: ctct wait a07e',
      ]);
    });
  });

  describe('download', () => {
    it('saves into this folder, to a file, or to stdout', async () => {
      const { ctct } = emulated();
      const started = await ctct(['export', '--list', '2', '--wait', '--output', 'ndjson']);
      const { id } = JSON.parse(started.stdout.text) as { id: string };
      const { exit, stdout } = await ctct(['download', id, '--out', folder]);
      expect(exit).to.equal(0);
      expect(stdout.text).to.contain(join(folder, `${id}.csv`));
      expect((await ctct(['download', id, '--out', '-'])).stdout.text).to.match(/^Email Address\r\n/);
      const there = await ctct(['download', id, '--out', folder]);
      expect(there.exit).to.equal(2);
      expect(there.stderr.text).to.contain('--force');
    });

    it('says why there is no file', async () => {
      const { ctct } = emulated();
      await ctct(['add', CONTACTS, '--list', '2', '--output', 'json']);
      const { stdout } = await ctct(['export', '--list', '2', '--output', 'csv']);
      const exported = stdout.text.split(/\r?\n/)[1]!.split(',')[0]!;
      const early = await ctct(['download', exported]);
      expect(early.exit).to.equal(8);
      expect(early.stderr.text).to.match(
        new RegExp(`is PENDING, its file is not there yet; wait for it: ctct wait ${exported}\n`),
      );
      const other = await onStub(['download', 'a'], [[anActivity({ id: 'a', type: 'ADD_CONTACTS' })]]);
      expect(other.exit).to.equal(8);
      expect(other.stderr.text).to.contain('is ADD_CONTACTS; only exports have a file');
    });
  });

  describe('what goes wrong on the way', () => {
    const create = (error: Error) => [[], [], { create: () => Promise.reject(error) }] as const;
    const add = ['add', CONTACTS, '--list', '2'];

    it('is 6 when an activity may have been created', async () => {
      const lost = new TransportError('RESPONSE_LOST', 'the answer broke off', { sent: 'maybe' });
      const { exit, stderr } = await onStub(add, [...create(lost)]);
      expect(exit).to.equal(6);
      expect(stderr.lines).to.deep.equal([
        'ctct: the activity may have been created, since only the answer is missing: the answer broke off',
        '  look before you try again: ctct list --limit 5',
      ]);
    });

    it('is 6 when the service failed over a creation, or a proxy lost it, and 5 when it is only busy', async () => {
      for (const [status, code] of [
        [500, 6],
        [502, 6],
        [504, 6],
        [507, 6],
        [503, 5],
        [429, 5],
        [408, 5],
        [400, 1],
      ] as const) {
        const refusal = new ServiceError('SERVICE_FAILED', `POST of SV_ADD: ${status}`, {
          status,
          detail: '',
        });
        const { exit, stderr } = await onStub(add, [...create(refusal)]);
        expect(exit, String(status)).to.equal(code);
        expect(stderr.lines).to.deep.equal(
          code === 6
            ? [
                `ctct: the activity may have been created, though the answer says no: POST of SV_ADD: ${status}`,
                '  look before you try again: ctct list --limit 5',
              ]
            : [`ctct: POST of SV_ADD: ${status}`],
        );
      }
      // What is only read may be read again.
      const failed = new ServiceError('SERVICE_FAILED', 'GET: 502', { status: 502, detail: '' });
      const get = () => Promise.reject(failed);
      expect((await onStub(['show', 'a'], [[], [], { get }])).exit).to.equal(5);
    });

    it('is 130 while contacts are read from stdin, and ends the reading', async () => {
      const { PassThrough } = await import('node:stream');
      for (const input of ['Email Address\nann@example.com\n', '']) {
        const { ctct, emulator } = emulated();
        const controller = new AbortController();
        const stdin = Object.assign(new PassThrough(), { isTTY: false });
        stdin.write(input);
        // Once somebody reads.
        const timer = setInterval(() => {
          if (stdin.listenerCount('readable') > 0) controller.abort(new Error('interrupted'));
        }, 1);
        const setup = { stdin, signal: controller.signal };
        const { exit, stdout, stderr } = await ctct(['add', '-', '--list', '2'], setup);
        clearInterval(timer);
        expect([exit, stdout.text, stderr.text]).to.deep.equal([130, '', 'ctct: interrupted\n']);
        expect(stdin.destroyed).to.equal(true);
        for await (const { id } of emulator.account('joesflowers')!.list()) expect.fail(id);
      }
      const before = await emulated().ctct(['add', '-', '--list', '2'], { signal: AbortSignal.abort() });
      expect([before.exit, before.stderr.text]).to.deep.equal([130, 'ctct: interrupted\n']);
    });

    it('is 5 when nothing was sent, or too much', async () => {
      const offline = new TransportError('REQUEST_NOT_SENT', 'no route', {
        sent: 'no',
        cause: new Error('EHOSTUNREACH', { cause: Object.assign(new Error('inner'), { code: 'EX' }) }),
      });
      const { exit, stderr } = await onStub([...add, '--verbose'], [...create(offline)]);
      expect(exit).to.equal(5);
      expect(stderr.lines).to.deep.equal([
        'ctct: no route',
        '  caused by: Error: EHOSTUNREACH',
        '  caused by: Error: inner (EX)',
      ]);
      const facts = { status: 403, detail: '' };
      const limited = new ServiceError('RATE_LIMITED', 'too many calls', { ...facts, retryAfter: 9 });
      const busy = await onStub(add, [...create(limited)]);
      expect([busy.exit, busy.stderr.lines[1]]).to.deep.equal([5, '  the service asks to wait 9 s']);
      const silent = await onStub(add, [...create(new ServiceError('RATE_LIMITED', 'too many', facts))]);
      expect(silent.stderr.lines).to.have.length(1);
    });

    it('is 130 when it is interrupted, with what may have happened', async () => {
      const aborted = AbortSignal.abort(new Error('interrupted'));
      const maybe = new TransportError('ABORTED', 'aborted', { sent: 'maybe' });
      const during = await onStub(add, [...create(maybe)], { signal: aborted });
      expect(during.exit).to.equal(130);
      expect(during.stderr.lines[0]).to.contain('the activity may have been created all the same');
      const before = new TransportError('ABORTED', 'aborted', { sent: 'no' });
      const unsent = await onStub(add, [...create(before)], { signal: aborted });
      expect([unsent.exit, unsent.stderr.text]).to.deep.equal([130, 'ctct: interrupted\n']);
    });

    it('shows no secret, whatever an error says', async () => {
      const leaky = new Error(`failed for ${CREDENTIALS.CTCT_PASSWORD} and ${CREDENTIALS.CTCT_API_KEY}`);
      const { stderr } = await onStub([...add, '--verbose'], [...create(leaky)]);
      expect(stderr.lines[0]).to.equal('ctct: unexpected: failed for *** and ***');
      for (const secret of Object.values(CREDENTIALS)) expect(stderr.text).not.to.contain(secret);
    });
  });

  describe('emulator', () => {
    it('serves an account until it is interrupted; its URL is the first line', async () => {
      const controller = new AbortController();
      const seed = join(folder, 'seed.csv');
      await writeFile(seed, 'Email Address,First Name,Shoe Size\nann@example.com,Ann,39\nnobody,No,1\n');
      const argv = ['emulator', '--seed-contacts', seed, '--fast', '--user', 'rose'];
      const running = plainCtct(argv, { signal: controller.signal, stdout: new UrlSink(use) });
      let lists: unknown;
      async function use(url: string) {
        const env = { CTCT_BASE_URL: url, CTCT_USER: 'rose', ...CREDENTIALS };
        lists = envelope(await plainCtct(['lists', '--output', 'json'], { env })).data;
        controller.abort();
      }
      const { exit, stderr } = await running;
      expect(exit).to.equal(0);
      expect(lists).to.have.nested.property('[3]').that.includes({ id: '2', contactCount: 1 });
      expect(stderr.text).to.match(/"Shoe Size" is not a column/);
      expect(stderr.text).to.contain('line 3: "nobody" is no e-mail address; the row is left out');
      expect(stderr.text).to.match(/export CTCT_BASE_URL=http:\/\/127\.0\.0\.1:\d+ CTCT_USER=rose\n/);
    });

    it('puts its URL out as JSON, and ends at once when it was interrupted already', async () => {
      const ran = await plainCtct(['emulator', '--output', 'json', '-q'], { signal: AbortSignal.abort() });
      expect(ran.exit).to.equal(0);
      expect(envelope(ran).data).to.have.property('user', 'joesflowers');
      expect(ran.stderr.text).to.equal('');
    });

    it('refuses a port that is none', async () => {
      const { exit, stderr } = await plainCtct(['emulator', '--port', '70000']);
      expect([exit, stderr.lines[0]]).to.deep.equal([
        2,
        'ctct: --port: must be a whole number from 0 to 65535, got "70000"',
      ]);
    });
  });
});
