import { expect } from 'chai';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ctct as plainCtct, emulated, envelope, Sink, type Ran, type Setup } from './harness.js';

const CONTACTS = fileURLToPath(new URL('../../samples/contacts.csv', import.meta.url));
const TOKEN = 'token-9012';

/** A command line that speaks v2 to an emulator, whose requests it notes. */
function v2(): {
  readonly paths: string[];
  readonly ctct: (argv: readonly string[], setup?: Setup) => Promise<Ran>;
} {
  const { emulator, ctct } = emulated();
  const paths: string[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    const request = new Request(input, init);
    paths.push(`${request.method} ${new URL(request.url).pathname}`);
    return emulator.fetch(request);
  };
  const env = { CTCT_USER: undefined, CTCT_PASSWORD: undefined, CTCT_ACCESS_TOKEN: TOKEN };
  return {
    paths,
    ctct: (argv, setup = {}) =>
      ctct(['--api', 'v2', ...argv], { fetch, ...setup, env: { ...env, ...setup.env } }),
  };
}

const idIn = (ran: Ran) => /a07e\w+/.exec(ran.stdout.text)?.[0] ?? '';

describe('ctct --api v2', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-v2-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('lists', async () => {
    const { ctct, paths } = v2();
    const { exit, stdout, stderr } = await ctct(['lists']);
    expect([exit, stderr.text]).to.deep.equal([0, '']);
    expect(stdout.lines.slice(1).map((line) => line.split(/ {2,}/).slice(0, 3))).to.deep.equal([
      ['active', 'Active', '–'],
      ['do-not-mail', 'Do Not Mail', '–'],
      ['removed', 'Removed', '–'],
      ['2', 'Spring Newsletter', '2'],
      ['5', 'Shop Customers', '0'],
    ]);
    expect(paths).to.deep.equal(['GET /v2/lists']);
  });

  it('add, list, show and wait: what v2 only ignores is told', async () => {
    const { ctct, paths } = v2();
    const added = await ctct(['add', CONTACTS, '--list', '2', '--wait']);
    expect(added.exit).to.equal(3);
    expect(paths).to.include('POST /v2/activities/addcontacts');
    expect(added.stderr.text).to.match(/State\/Province.*v2 ignores this column.*STATE/);
    expect(added.stdout.text)
      .to.match(/Type +ADD_CONTACTS\n/)
      .and.to.match(/Line +Address +Message/);
    const listed = await ctct(['list', '--output', 'json']);
    expect((envelope(listed).data as { id: string }[]).map(({ id }) => id)).to.deep.equal([idIn(added)]);
    const shown = await ctct(['show', idIn(added), '--errors']);
    expect(shown.stdout.lines).to.have.length(2);
    expect(shown.stdout.lines[1]).to.match(/^ +34 +Invalid email$/);
    expect((await ctct(['wait', idIn(added)])).exit).to.equal(3);
  });

  it('add as JSON and as multipart, from stdin, erasing by blanks', async () => {
    const { ctct } = v2();
    const input = 'Email Address,City\nfred@example.com,Rome\n';
    for (const encoding of ['json', 'multipart']) {
      const { exit } = await ctct(['add', '-', '--list', '2', '--encoding', encoding, '--wait', '--quiet'], {
        input,
      });
      expect(exit).to.equal(0);
    }
    const city = async () =>
      (await ctct(['export', '--list', '2', '--columns', 'City', '--out', '-', '--quiet'])).stdout.text;
    expect(await city()).to.include('fred@example.com,Rome');
    const blank = ['add', '-', '--list', '2', '--wait', '--quiet'];
    await ctct(blank, { input: input.replace('Rome', '') });
    expect(await city()).to.include('fred@example.com,Rome');
    await ctct([...blank, '--blanks-enabled'], { input: input.replace('Rome', '') });
    expect(await city()).to.include('fred@example.com,\r\n');
  });

  it('remove and clear', async () => {
    const { ctct, paths } = v2();
    const gone = join(folder, 'gone.csv');
    await writeFile(gone, 'Email Address\nfred@example.com\n');
    expect((await ctct(['remove', gone, '--list', '2', '--yes', '--wait'])).exit).to.equal(0);
    const members = async () => (await ctct(['export', '--list', '2', '--out', '-', '--quiet'])).stdout.lines;
    expect(await members()).to.deep.equal(['Email Address\r', 'joan@example.com\r']);
    expect((await ctct(['clear', '--list', '2', '--yes', '--wait'])).exit).to.equal(0);
    expect(await members()).to.deep.equal(['Email Address\r']);
    expect(paths).to.include.members([
      'POST /v2/activities/removefromlists',
      'POST /v2/activities/clearlists',
    ]);
  });

  it('export, wait and download, the file under its URL', async () => {
    const { ctct, paths } = v2();
    const started = await ctct(['export', '--list', '2', '--columns', 'Contact ID', '--with-date']);
    expect(started.exit).to.equal(0);
    // Told so that it can be copied: it says which API, and no secret.
    expect(started.stderr.text).to.match(/ctct wait a07e\w+ --api v2\n$/);
    expect((await ctct(['wait', idIn(started)])).exit).to.equal(0);
    const target = join(folder, 'list2.csv');
    expect((await ctct(['download', idIn(started), '--out', target])).exit).to.equal(0);
    expect((await readFile(target, 'utf8')).split('\r\n')[0]).to.equal('Email Address,Contact ID,Date Added');
    expect(paths.at(-1)).to.equal(`GET /v2/activities/exportfiles/${idIn(started)}.csv`);
  });

  it('refuses what v2 cannot say, before anything is sent', async () => {
    const { ctct, paths } = v2();
    for (const [argv, says] of [
      [['export', '--list', '2', '--file-type', 'TXT'], /fileType: v2 exports CSV only/],
      [['export', '--list', '2', '--with-list-name'], /exportListName: v2 has no column/],
      [['add', CONTACTS, '--list', '2', '--encoding', 'form'], /--encoding: v2 takes auto, json, multipart/],
    ] as const) {
      const { exit, stderr } = await ctct(argv);
      expect(exit, argv.join(' ')).to.equal(2);
      expect(stderr.text).to.match(says);
    }
    expect(paths).to.deep.equal([]);
  });

  it('asks for a key and a token, and tells neither', async () => {
    const { ctct } = v2();
    const none = await ctct(['lists'], { env: { CTCT_ACCESS_TOKEN: undefined } });
    expect(none.exit).to.equal(4);
    expect(none.stderr.text).to.include('CTCT_ACCESS_TOKEN');
    const refusing: typeof globalThis.fetch = (input, init) =>
      Promise.resolve(
        Response.json(
          [{ error_key: 'http.status.unauthorized', error_message: `no ${new Request(input, init).url}` }],
          {
            status: 401,
          },
        ),
      );
    const wrong = await ctct(['lists', '--verbose'], { fetch: refusing });
    expect(wrong.exit).to.equal(4);
    expect(wrong.stderr.text).not.to.match(/token-9012|key-1234/);
    expect(wrong.stderr.text).to.include('***');
  });

  it('the emulator tells how to speak v2 to it, and it works', async () => {
    const controller = new AbortController();
    const stdout = new Sink();
    const write = stdout.write.bind(stdout);
    let lists: Ran | undefined;
    stdout.write = (chunk, done) => {
      setImmediate(() => void use(String(chunk).trim()));
      return write(chunk, done);
    };
    async function use(url: string) {
      // As the text says, in the environment of the lines before.
      const env = { CTCT_BASE_URL: url, CTCT_USER: 'rose', CTCT_API_KEY: 'any', CTCT_PASSWORD: 'any' };
      lists = await plainCtct(['--api', 'v2', 'lists'], { env: { ...env, CTCT_ACCESS_TOKEN: 'rose' } });
      controller.abort();
    }
    const { exit, stderr } = await plainCtct(['emulator', '--user', 'rose'], {
      signal: controller.signal,
      stdout,
    });
    expect([exit, lists?.exit, lists?.stderr.text]).to.deep.equal([0, 0, '']);
    expect(lists?.stdout.text).to.include('Spring Newsletter');
    expect(stderr.text).to.match(/ {2}CTCT_ACCESS_TOKEN=rose ctct --api v2 lists\n/);
  });

  it('ws keeps what only ws has', async () => {
    const { ctct } = emulated();
    const refused = await ctct(['add', CONTACTS, '--list', '2', '--blanks-enabled']);
    expect([refused.exit, refused.stdout.text]).to.deep.equal([2, '']);
    expect(refused.stderr.text).to.include('only v2 can');
    const json = await ctct(['add', CONTACTS, '--list', '2', '--encoding', 'json']);
    expect(json.exit).to.equal(2);
    expect(json.stderr.text).to.include('ws takes auto, form, multipart');
  });
});
