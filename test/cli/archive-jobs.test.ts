import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { encodeFeed } from '../../src/ws/records.js';
import { accountUris } from '../../src/ws/uris.js';
import { anActivity } from '../support/stub-service.js';
import { ctct, Sink } from './harness.js';

const SAMPLE = fileURLToPath(new URL('../../samples/damaged-archive.xml', import.meta.url));

/** Interrupts at the first write. */
class InterruptingSink extends Sink {
  readonly controller = new AbortController();

  override write(chunk: string | Uint8Array, done: (error?: Error | null) => void): boolean {
    this.controller.abort(new Error('interrupted'));
    return super.write(chunk, done);
  }
}

describe('ctct archive --jobs', () => {
  let folder = '';
  const feed = encodeFeed(
    Array.from({ length: 2000 }, (_, n) =>
      anActivity({
        id: `a07e1${String(n).padStart(14, '0')}`,
        type: n % 2 === 0 ? 'ADD_CONTACTS' : 'EXPORT_CONTACTS',
        insertTime: n % 7 === 0 ? undefined : new Date(Date.UTC(2011, 0, 1 + n)),
      }),
    ),
    {
      uris: accountUris('http://api.constantcontact.com', 'joesflowers'),
      user: 'joesflowers',
      updated: new Date(0),
    },
  );
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-jobs-'));
    await writeFile(join(folder, '1.xml'), feed);
    await writeFile(join(folder, '2.xml.gz'), gzipSync(feed.slice(0, 100_000)));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  for (const line of [
    'read',
    'read --type export_contacts --since 2012-01-01',
    'check',
    'check --output csv',
    'stats --output json',
    'stats',
  ]) {
    it(`"${line}" puts out the same as without`, async () => {
      const [name = '', ...options] = line.split(' ');
      const argv = ['archive', name, folder, SAMPLE, ...options];
      const one = await ctct(argv);
      const two = await ctct([...argv, '--jobs', '2']);
      expect(two.stdout.text).to.equal(one.stdout.text);
      expect(two.stderr.text).to.equal(one.stderr.text);
      expect(two.exit).to.equal(one.exit);
    });
  }

  it('with --strict stops at the same problem', async () => {
    const argv = ['archive', 'read', folder, SAMPLE, '--strict'];
    const one = await ctct(argv);
    const two = await ctct([...argv, '--jobs', '2']);
    expect(two.stderr.text.replace(' --jobs 2', '')).to.equal(one.stderr.text);
    expect(two.exit).to.equal(one.exit).and.not.equal(0);
    expect(one.stdout.lines.length).to.be.greaterThan(2000);
    expect(two.stdout.text).to.equal(one.stdout.text);
  });

  it('reads stdin too, and takes 0 for as many threads as there are cores', async () => {
    const one = await ctct(['archive', 'read', '-'], { input: feed });
    for (const jobs of ['0', '2']) {
      const several = await ctct(['archive', 'read', '-', '--jobs', jobs], { input: feed });
      expect(several.stdout.text).to.equal(one.stdout.text);
    }
  });

  it('leaves whole lines when it is interrupted, and the command it tells puts out the rest', async () => {
    const path = join(folder, '1.xml');
    const all = await ctct(['archive', 'read', path]);
    const stdout = new InterruptingSink();
    const first = await ctct(['archive', 'read', path, '--jobs', '2'], {
      stdout,
      signal: stdout.controller.signal,
    });
    expect(first.exit).to.equal(130);
    expect(first.stderr.text).to.match(/interrupted; [\d,]+ records? put out\n/);
    const command = /: ctct (archive read .*)$/m.exec(first.stderr.text)?.[1] ?? '';
    expect(command).to.include('--jobs 2');
    const rest = await ctct(command.split(' '));
    expect(first.stdout.lines.length).to.be.within(1, 1999);
    expect(first.stdout.text + rest.stdout.text).to.equal(all.stdout.text);
  });

  for (const [options, wrong] of [
    ['--output csv --jobs 2', '--jobs: goes with --output ndjson, and without --dedupe'],
    ['--dedupe --jobs 0', '--jobs: goes with --output ndjson, and without --dedupe'],
    ['--jobs 65', '--jobs: must be a whole number from 0 to 64, got "65"'],
    ['--jobs two', '--jobs: must be a whole number from 0 to 64, got "two"'],
  ] as const) {
    it(`refuses ${options}`, async () => {
      const ran = await ctct(['archive', 'read', folder, ...options.split(' ')]);
      expect(ran.exit).to.equal(2);
      expect(ran.stderr.text).to.include(wrong);
      expect(ran.stdout.text).to.equal('');
    });
  }
});
