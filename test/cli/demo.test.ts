import { expect } from 'chai';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import Papa from 'papaparse';
import { acceptedContacts, differences, readContactTable } from '../../src/cli/demo-check.js';
import { DemoStory } from '../../src/cli/demo-story.js';
import { Session } from '../../src/cli/session.js';
import { anActivity } from '../support/stub-service.js';
import { ctct, envelope, leapingClock, Sink } from './harness.js';

const CONTACTS = fileURLToPath(new URL('../../samples/contacts.csv', import.meta.url));

/** Rows of a CSV text, the heading the first, by another reader than the demo's. */
function rowsOf(text: string): string[][] {
  return Papa.parse<string[]>(text.replace(/\r?\n$/, ''), { delimiter: ',' }).data;
}

/** The lines of samples/contacts.csv that have a wrong state or address. */
const REFUSED = ['tessa.bright@example.org', 'gina.russo.example.com', 'luca.moretti@example.net'];

describe('ctct demo', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-demo-test-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('leaves a CSV that holds exactly the contacts that were accepted', async () => {
    const out = join(folder, 'out.csv');
    const { exit, stdout, stderr } = await ctct(['demo', '--out', out], { clock: leapingClock() });
    expect([exit, stderr.text]).to.deep.equal([0, '']);

    const [, ...uploaded] = rowsOf(await readFile(CONTACTS, 'utf8'));
    const expected = new Map<string, string[]>();
    for (const [address = '', ...cells] of uploaded) {
      if (!REFUSED.includes(address)) expected.set(address.toLowerCase(), cells);
    }
    const [, ...exported] = rowsOf(await readFile(out, 'utf8'));
    const found = exported.map(([address = '', ...cells]) => [address.toLowerCase(), cells] as const);
    expect(new Map(found)).to.deep.equal(expected);
    expect(exported).to.have.length(56);

    expect(stdout.text).to.contain('it holds exactly the 56 contacts that were accepted');
    expect(stdout.text).to.contain('60 rows, less 3 refused, less 1 for an address that came twice');
    expect(stdout.text).to.match(
      /line 21 +tessa\.bright@example\.org +Unknown US\/Canadian state\/prov "Ontari"/,
    );
    expect(stdout.text).to.contain('gina.russo.example.com,Gina,Russo,');
    expect(stdout.text.match(/PENDING → QUEUED → RUNNING → COMPLETE/g)).to.have.length(2);
    expect(stdout.text).to.contain(`file     ${out} (`).and.not.to.contain('--out');
  });

  it('fits a terminal of 80 columns', async () => {
    const setup = { clock: leapingClock(), terminal: { columns: 80 }, env: { NO_COLOR: '1' } };
    const { stdout } = await ctct(['demo', '--out', folder], setup);
    const named = [folder, CONTACTS, dirname(CONTACTS)];
    for (const line of stdout.lines.filter((text) => !named.some((path) => text.includes(path)))) {
      expect(line.length, line).to.be.at.most(80);
    }
  });

  it('is one document as JSON, and saves where it says when nobody says where', async () => {
    const ran = await ctct(['demo', '--output', 'json'], { clock: leapingClock() });
    expect(ran.exit).to.equal(0);
    const { kind, data } = envelope(ran);
    expect(kind).to.equal('demo');
    expect(data).to.deep.include({ rows: 60, accepted: 57, refused: 3, contacts: 56, verified: true });
    expect(data).to.have.nested.property('errors[1].lineNumber', 34);
    const { path, bytes } = data as { path: string; bytes: number };
    expect((await readFile(path)).length).to.equal(bytes);
    await rm(dirname(path), { recursive: true });
  });

  it('writes over nothing unless it is told to', async () => {
    const argv = ['demo', '--out', join(folder, 'out.csv')];
    await ctct(argv, { clock: leapingClock() });
    const again = await ctct(argv, { clock: leapingClock() });
    expect([again.exit, again.stdout.text]).to.deep.equal([2, '']);
    expect((await ctct([...argv, '--force'], { clock: leapingClock() })).exit).to.equal(0);
    const piped = await ctct(['demo', '--out', '-']);
    expect([piped.exit, piped.stderr.lines[0]]).to.deep.equal([
      2,
      'ctct: --out: the demo tells its story on stdout; name a file to save to',
    ]);
  });

  it('ends with Ctrl-C, and tells of nothing that could be taken up again', async () => {
    const { exit, stderr } = await ctct(['demo', '--out', folder], {
      signal: AbortSignal.abort(new Error('x')),
    });
    expect([exit, stderr.text]).to.deep.equal([130, 'ctct: interrupted\n']);
  });
});

describe('the check of the demo', () => {
  const table = (text: string) => readContactTable(Buffer.from(text));
  const heading = 'Email Address,First Name,City\n';
  const upload = `${heading}ann@example.com,Ann,Boston\nbad,Bob,\nANN@example.com,,Denver\n`;
  const errors = [{ lineNumber: 3, emailAddress: 'bad', message: 'Invalid email' }];

  async function check(exported: string): Promise<string[]> {
    return differences(acceptedContacts(await table(upload), errors), await table(exported));
  }

  it('is content with the accepted contacts, of each address the last row', async () => {
    expect(await check(`${heading}Ann@example.com,,Denver\n`)).to.deep.equal([]);
  });

  it('tells whatever is otherwise', async () => {
    expect(await check(heading)).to.deep.equal(['ann@example.com is missing']);
    expect(await check(`${heading}ann@example.com,,Boston\n`)).to.deep.equal([
      'ann@example.com: CITY is not "Denver"',
    ]);
    expect(await check(`${heading}ann@example.com,,Denver\nbad,Bob,\n`)).to.deep.equal([
      'bad was never accepted',
    ]);
    expect(await check(`${heading}ann@example.com,,Denver\nann@example.com,,Denver\n`)).to.deep.equal([
      'an address is there twice',
    ]);
  });
});

describe('the story of the demo', () => {
  it('tells plainly when the saved file is not what was accepted', async () => {
    const stdout = new Sink();
    const io = { stdin: Readable.from([]), stdout, stderr: new Sink(), env: {} };
    const options = { output: 'table', quiet: false, progress: true } as const;
    const session = new Session(io, {
      ...options,
      config: undefined,
      user: undefined,
      api: undefined,
      baseUrl: undefined,
      profile: undefined,
      timeout: undefined,
      fields: [],
      verbose: false,
    });
    const activity = anActivity({ id: 'a07e', status: 'ERROR' });
    const story = new DemoStory(session);
    await story.activity(activity, ['PENDING', 'ERROR'], 1234);
    const summary = {
      upload: activity,
      export: activity,
      rows: 2,
      accepted: 2,
      contacts: 2,
      path: 'x.csv',
      bytes: 1,
      differences: ['ann@example.com is missing'],
    };
    await story.saved(summary, true);
    expect(stdout.lines).to.deep.equal([
      '   activity a07e',
      '   status   PENDING → ERROR  1.2 s',
      '   file     x.csv (1 byte)',
      '            yours to look at, and to delete; --out puts it elsewhere',
      '   checked  it is not what was accepted:',
      '            ann@example.com is missing',
    ]);
  });
});
