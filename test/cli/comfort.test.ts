import { expect } from 'chai';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastStarted, noteStarted, startedActivity } from '../../src/cli/started-log.js';
import { CREDENTIALS, ctct as bare, emulated, envelope } from './harness.js';

const CONTACTS = 'Email Address,City\nann@example.com,Rome\n';

describe('the comforts of ctct', () => {
  let home: string;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'ctct-comfort-'));
  });

  after(async () => {
    await rm(home, { recursive: true, force: true });
  });

  describe('--dry-run', () => {
    const SECRETS = /key-1234|pass-5678|a2V5LTEyMzQ/;

    for (const [argv, first, body] of [
      [
        ['add', '-', '--list', '2'],
        'POST /ws/customers/joesflowers/activities HTTP/1.1',
        'activityType=SV_ADD&data=Email+Address%2CCity%0A',
      ],
      [
        ['remove', '-', '--list', '2'],
        'POST /ws/customers/joesflowers/activities HTTP/1.1',
        'activityType=REMOVE_CONTACTS_FROM_LISTS&data=',
      ],
      [
        ['clear', '--list', '2'],
        'POST /ws/customers/joesflowers/activities HTTP/1.1',
        'activityType=CLEAR_CONTACTS_FROM_LISTS&lists=http%3A%2F%2F',
      ],
      [
        ['export', '--list', '2'],
        'POST /ws/customers/joesflowers/activities HTTP/1.1',
        'activityType=EXPORT_CONTACTS&',
      ],
    ] as const) {
      it(`of ${argv[0]} prints the request, and sends nothing`, async () => {
        const { ctct, emulator } = emulated();
        const { exit, stdout, stderr } = await ctct([...argv, '--dry-run'], { input: CONTACTS });
        expect(stderr.text).to.contain('This would be sent; nothing was:');
        expect(exit).to.equal(0);
        expect(stdout.lines[0]).to.equal(first);
        expect(stdout.text).to.contain('authorization: Basic ***\n').and.not.to.match(SECRETS);
        const [, sent = ''] = stdout.text.split('\n\n');
        expect(sent).to.satisfy((text: string) => text.startsWith(body), sent);
        expect(stdout.text).to.contain(`content-length: ${Buffer.byteLength(sent) - 1}\n`);
        expect([...emulator.requests.matching({})]).to.deep.equal([]);
      });
    }

    it('prints just what is sent without it', async () => {
      const { ctct, emulator } = emulated({ recordBodies: true });
      const argv = ['export', '--list', '2', '--columns', 'City', '--output', 'json'];
      const dry = envelope(await ctct([...argv, '--dry-run'])) as unknown as { data: { body: string } };
      let sent = '';
      const { fetch } = globalThis;
      expect(fetch).to.be.a('function');
      await ctct(argv, {
        fetch: async (input, init) => {
          const request = new Request(input, init);
          if (request.method === 'POST') sent = await request.clone().text();
          return emulator.fetch(request);
        },
      });
      expect(sent).to.equal(dry.data.body).and.to.include('columns=CITY');
    });

    it('of v2 hides the key in the query', async () => {
      const env = { CTCT_API: 'v2', CTCT_API_KEY: 'key-1234', CTCT_ACCESS_TOKEN: 'pass-5678' };
      const { exit, stdout } = await bare(['clear', '--list', '2', '--dry-run'], { env });
      expect(exit).to.equal(0);
      expect(stdout.lines[0]).to.equal('POST /v2/activities/clearlists?api_key=*** HTTP/1.1');
      expect(stdout.text).to.contain('{"lists":["2"]}').and.not.to.match(SECRETS);
    });

    it('still refuses what cannot be sent', async () => {
      const { exit, stderr } = await emulated().ctct(['add', '-', '--list', '2', '--dry-run'], { input: '' });
      expect(exit).to.equal(2);
      expect(stderr.text).to.contain('contacts.csv: the file is empty');
    });
  });

  describe('--fields', () => {
    it('chooses what is put out, in its order, in every format', async () => {
      const { ctct } = emulated();
      const lists = (...more: string[]) => ctct(['lists', '--fields', 'name,id', ...more]);
      expect((await lists('--output', 'csv')).stdout.text).to.match(/^name,id\r?\nActive,active\r?\n/);
      expect((await lists()).stdout.lines[0]).to.match(/^Name +List$/);
      const { data } = envelope(await lists('--output', 'json')) as unknown as { data: object[] };
      expect(data[0]).to.deep.equal({ name: 'Active', id: 'active' });
      expect((await lists('--output', 'ndjson')).stdout.lines[0]).to.equal(
        '{"kind":"list","name":"Active","id":"active"}',
      );
      expect((await ctct(['lists', '--fields', 'shortName'])).stdout.lines[0]).to.equal('shortName');
    });

    it('keeps the details that are named', async () => {
      const { ctct } = emulated();
      await ctct(['export', '--list', '2']);
      const listed = await ctct(['list', '--fields', 'id,errors', '--output', 'json']);
      const { data } = envelope(listed) as unknown as { data: object[] };
      expect(Object.keys(data[0] ?? {})).to.deep.equal(['id', 'errors']);
    });

    it('says which there are', async () => {
      const { exit, stderr } = await emulated().ctct(['lists', '--fields', 'nam']);
      expect([exit, stderr.text]).to.deep.equal([
        2,
        'ctct: --fields: lists have no "nam"; did you mean name?\n',
      ]);
      expect((await emulated().ctct(['lists', '--fields', 'frob'])).stderr.text).to.contain(
        'there are id, name',
      );
    });
  });

  describe('--verbose', () => {
    it('tells of each call, without a secret', async () => {
      const { ctct } = emulated();
      const { stderr } = await ctct(['add', '-', '--list', '2', '--verbose'], { input: CONTACTS });
      expect(stderr.text)
        .to.match(
          /^POST https:\/\/api\.constantcontact\.com\/ws\/customers\/joesflowers\/activities \(application\/x-www-form-urlencoded, [\d,]+ bytes\): 201 after 0\.0 s$/m,
        )
        .and.not.to.match(/key-1234|pass-5678/);
      const lost = await ctct(['lists', '--verbose'], {
        fetch: () => Promise.reject(new TypeError('no way')),
      });
      expect(lost.stderr.text).to.match(/^GET https:.*: no answer \(.*\) after /m);
    });
  });

  describe('--timeout', () => {
    it('is a time', async () => {
      const { exit, stderr } = await emulated().ctct(['lists', '--timeout', 'soon']);
      expect([exit, stderr.lines[0]]).to.deep.equal([
        2,
        'ctct: --timeout: must be a time such as 90s, 30m or 2h (at most 24d), got "soon"',
      ]);
    });

    it('gives a call up', async () => {
      const fetch: typeof globalThis.fetch = (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => {
            reject(init.signal?.reason as Error);
          });
        });
      const { exit, stderr } = await emulated().ctct(['lists', '--timeout', '20ms'], { fetch });
      expect(exit).to.equal(5);
      expect(stderr.text).to.match(/20 ms/);
    });
  });

  describe('--last', () => {
    it('finds what was started, from another run', async () => {
      const { ctct } = emulated();
      const env = { HOME: home };
      const { stdout } = await ctct(['export', '--list', '2', '--fields', 'id', '--output', 'csv'], { env });
      const [, id = ''] = stdout.lines.map((line) => line.trim());
      await ctct(['clear', '--list', '5', '--yes'], { env });
      const waited = await ctct(['wait', '--last', '--fields', 'type', '--output', 'csv'], { env });
      expect(waited.stdout.text).to.contain('CLEAR_CONTACTS_FROM_LISTS');
      expect(waited.stderr.text).to.match(/^CLEAR_CONTACTS_FROM_LISTS a07e\w+, started 2008-/m);
      await ctct(['wait', id], { env });
      const file = await ctct(['download', '--last', '--out', '-'], { env });
      expect(file.stdout.text).to.match(/^Email Address\r?\n.*fred@example\.com/s);
      expect((await ctct(['show', '--last'], { env })).exit).to.equal(0);
      const log = join(home, '.local', 'state', 'ctct', 'started.ndjson');
      expect((await stat(log)).mode & 0o777).to.equal(0o600);
      expect(await readFile(log, 'utf8')).not.to.match(/key-1234|pass-5678/);
    });

    it('is of the account that is asked', async () => {
      const { ctct } = emulated();
      const { exit, stderr } = await ctct(['show', '--last', '--base-url', 'https://other.example.com'], {
        env: { HOME: home },
      });
      expect(exit).to.equal(8);
      expect(stderr.text).to.match(
        /^ctct: --last: no activity of this account was started from this machine/,
      );
    });

    it('goes with no id, and is needed without one', async () => {
      for (const argv of [['show'], ['wait'], ['download'], ['wait', 'a07e', '--last']]) {
        const { exit, stderr } = await bare(argv, { env: CREDENTIALS });
        expect(exit).to.equal(2);
        expect(stderr.text).to.match(/give (?:an id, or|either ids or) --last/);
      }
    });

    it('does without a log that cannot be written, and passes over lines that make no sense', async () => {
      const account = { api: 'ws', user: 'u', baseUrl: undefined } as const;
      const started = startedActivity(0, { id: 'a07e' }, 'SV_ADD', account);
      await noteStarted('/dev/null/none', started);
      const path = join(home, 'damaged.ndjson');
      await writeFile(path, `{"half\n${JSON.stringify(started)}\nnull\n{}\n`);
      expect(await lastStarted(path, account)).to.deep.equal(started);
      expect(await lastStarted(path, account, 'EXPORT_CONTACTS')).to.equal(undefined);
    });

    it('is found however much was started, in a file that stays small', async () => {
      const path = join(home, 'many.ndjson');
      const account = { api: 'v2', user: undefined, baseUrl: undefined } as const;
      for (let index = 0; index < 1_500; index++) {
        await noteStarted(path, startedActivity(index, { id: `a${index}` }, 'SV_ADD', account));
      }
      expect(await lastStarted(path, account)).to.have.property('activity', 'a1499');
      expect((await stat(path)).size).to.be.lessThan(70_000);
    });
  });

  it('config show tells what holds, and why', async () => {
    const env = { CTCT_USER: 'joesflowers', ...CREDENTIALS };
    const { stdout } = await bare(['config', 'show', '--origin'], { env: { HOME: home, ...env } });
    expect(stdout.text).to.match(/^user +joesflowers +CTCT_USER$/m);
    expect(stdout.text).to.match(/^password +\(set, not shown\) +CTCT_PASSWORD$/m);
    expect(stdout.text).not.to.match(/key-1234|pass-5678/);
    const short = await bare(['config', 'show', '--output', 'csv'], { env: { HOME: home, ...env } });
    expect(short.stdout.lines[0]?.trim()).to.equal('setting,value');
  });
});
