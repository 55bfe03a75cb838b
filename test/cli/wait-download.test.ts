import { expect } from 'chai';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServiceError, TransportError } from '../../src/activity/errors.js';
import type { ActivityService, Download } from '../../src/activity/service.js';
import { EXPORT_ID, EXPORTED, exportedFile, manyBytes, type ExportedFile } from '../support/exported-file.js';
import { anActivity, stubService } from '../support/stub-service.js';
import { CREDENTIALS, ctct as plainCtct, emulated, envelope, leapingClock, type Setup } from './harness.js';

const CONTACTS = fileURLToPath(new URL('../../samples/contacts.csv', import.meta.url));
const BYTES = manyBytes(5000);

/** Runs a command line on a service that is made for the test. */
function on(service: ActivityService, argv: readonly string[], setup: Setup = {}) {
  const env = { CTCT_USER: 'joesflowers', ...CREDENTIALS };
  return plainCtct(argv, { clock: leapingClock(), random: () => 0, connect: () => service, env, ...setup });
}

/** A service whose activities have these statuses, one after the other, and the last for ever. */
function passing(script: Readonly<Record<string, readonly (string | Error)[]>>) {
  const reads: Record<string, number> = {};
  const at = (id: string) => {
    const states = script[id] ?? [];
    const state = states[Math.min(reads[id] ?? 0, states.length - 1)];
    reads[id] = (reads[id] ?? 0) + 1;
    if (state instanceof Error) throw state;
    return anActivity({ id, type: 'ADD_CONTACTS', status: state });
  };
  return stubService([], [], {
    // eslint-disable-next-line @typescript-eslint/require-await
    get: async (id) => at(id),
    // eslint-disable-next-line @typescript-eslint/require-await
    async *list() {
      for (const id of Object.keys(script)) yield at(id);
    },
  });
}

describe('ctct wait', () => {
  it('waits for several, and ends as the worst of them does', async () => {
    const { ctct } = emulated();
    const ids: string[] = [];
    for (const argv of [
      ['export', '--list', '2'],
      ['add', CONTACTS, '--list', '2'],
    ]) {
      const { stdout } = await ctct([...argv, '--output', 'ndjson']);
      ids.push((JSON.parse(stdout.text) as { id: string }).id);
    }
    const ran = await ctct(['wait', ...ids, ids[0]!, '--output', 'json']);
    expect(ran.exit).to.equal(3);
    expect(envelope(ran).kind).to.equal('activities');
    const data: { id: string; status: string; errors: unknown[]; errorCount: number }[] = envelope(ran).data;
    expect(data.map(({ id, status }) => [id, status])).to.deep.equal(ids.map((id) => [id, 'COMPLETE']));
    expect(data[1]!.errors).to.have.length(data[1]!.errorCount);
    expect((await ctct(['wait', ids[0]!])).exit).to.equal(0);
    const table = await ctct(['wait', ...ids]);
    expect(table.stdout.lines).to.have.length(3);
    const one = await on(passing({ a: ['COMPLETE'], b: ['ERROR'] }), ['wait', 'a', 'b']);
    expect(one.exit).to.equal(1);
  });

  it('shows how they come along', async () => {
    const service = passing({ a: ['PENDING', 'COMPLETE'], b: ['RUNNING', 'RUNNING', 'COMPLETE'] });
    const { stderr } = await on(service, ['wait', 'a', 'b']);
    expect(stderr.lines[0]).to.match(/^0 of 2 finished; a .* PENDING, 0 s$/);
    expect(stderr.lines.some((line) => /^1 of 2 finished; a .* COMPLETE/.test(line))).to.equal(true);
    expect(stderr.lines.at(-1)).to.match(/^2 of 2 finished; b .* COMPLETE/);
  });

  it('prints the command that goes on, for those that have not finished', async () => {
    const service = passing({ a: ['PENDING', 'COMPLETE'], b: ['RUNNING'], c: ['PENDING'] });
    const { exit, stderr } = await on(service, [
      'wait',
      'a',
      'b',
      'c',
      '--timeout',
      '1m',
      '--user',
      'joesflowers',
    ]);
    expect(exit).to.equal(7);
    expect(stderr.lines.slice(-2)).to.deep.equal([
      'ctct: 2 of 3 activities have not finished after 59.5 s; b RUNNING, c PENDING. ' +
        'They go on: wait for them again by their ids',
      '  go on waiting: ctct wait b c --user joesflowers',
    ]);
  });

  it('tells who goes on when it is interrupted', async () => {
    const controller = new AbortController();
    const service = passing({ a: ['COMPLETE'], b: ['RUNNING'], c: ['RUNNING'] });
    const interrupted: ActivityService = {
      ...service,
      list: (options) => {
        setImmediate(() => {
          controller.abort();
        });
        return service.list(options);
      },
    };
    const clock = { now: () => 0, sleep: () => new Promise<void>(() => undefined) };
    const { exit, stderr } = await on(interrupted, ['wait', 'a', 'b', 'c'], {
      signal: controller.signal,
      clock,
    });
    expect(exit).to.equal(130);
    expect(stderr.lines.slice(-2)).to.deep.equal([
      'ctct: interrupted; activities b, c go on at the service',
      '  go on waiting: ctct wait b c',
    ]);
  });

  it('does not wait for ever for a person', async () => {
    const { exit, stderr } = await on(passing({ a: ['UNCONFIRMED'] }), ['wait', 'a']);
    expect(exit).to.equal(7);
    expect(stderr.lines.at(-2)).to.match(
      /^ctct: activity a has not been confirmed after 600 s: it waits for a person/,
    );
    const longer = await on(passing({ a: ['UNCONFIRMED'] }), ['wait', 'a', '--unconfirmed', '20m']);
    expect(longer.stderr.text).to.include('after 1200 s');
  });

  it('says what it meets on the way', async () => {
    const missing = new ServiceError('NOT_FOUND', 'there is no a', { status: 404, detail: '' });
    const many = new ServiceError('RATE_LIMITED', 'too many calls', { status: 403, detail: '' });
    const service = passing({ a: [missing, many, many, many, 'COMPLETE'] });
    const { exit, stderr } = await on(service, ['wait', 'a']);
    expect(exit).to.equal(0);
    expect(stderr.lines.slice(0, 3)).to.deep.equal([
      'there is no a; waiting on',
      'too many calls; waiting on',
      'ctct: warning: the service has refused 3 reads in a row: too many calls; waiting on',
    ]);
  });
});

describe('ctct download', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-cli-download-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Breaks the download once and for all at this byte. */
  function broken(file: ExportedFile, at: number): ActivityService {
    return {
      ...file.service,
      download: async (activity, options): Promise<Download> => {
        if (options?.resume !== undefined)
          throw new ServiceError('NOT_FOUND', 'gone', { status: 404, detail: '' });
        const download = await file.service.download(activity, options);
        const body = (async function* () {
          let sent = 0;
          for await (const chunk of download.body) {
            if (sent >= at)
              throw new TransportError('RESPONSE_LOST', 'the connection broke', { sent: 'maybe' });
            yield chunk;
            sent += chunk.length;
          }
        })();
        return { ...download, body };
      },
    };
  }

  for (const [to, name] of [
    ['a file', 'list2.csv'],
    ['a folder', ''],
  ] as const) {
    it(`to ${to} goes on by itself, and says so`, async () => {
      const out = join(folder, name);
      const saved = join(folder, name === '' ? `${EXPORT_ID}.csv` : name);
      const file = exportedFile(BYTES);
      const first = await on(broken(file, 2000), ['download', EXPORT_ID, '--out', out]);
      expect(first.exit).to.equal(8);
      const again = `ctct download ${EXPORT_ID} --out ${out}`;
      expect(first.stderr.lines).to.deep.equal([
        'the connection broke; going on',
        `2.0 kB are kept in ${saved}.part; to go on: ${again}`,
        'ctct: gone',
      ]);
      expect(await readdir(folder)).not.to.include(name);
      const second = await on(file.service, again.split(' ').slice(1));
      expect(second.exit).to.equal(0);
      expect(second.stderr.lines).to.deep.equal(['Going on behind the 2.0 kB that an earlier run left.']);
      expect(new Uint8Array(await readFile(saved))).to.deep.equal(BYTES);
      expect(await readdir(folder)).to.have.length(1);
      expect(file.cancelled).to.be.at.least(1);
    });
  }

  it('begins anew when the file is another, and says so', async () => {
    const out = join(folder, 'list2.csv');
    await on(broken(exportedFile(BYTES), 2000), ['download', EXPORT_ID, '--out', out, '--force']);
    const other = manyBytes(3000).reverse();
    const { stderr } = await on(exportedFile(other, { validator: '"v2"' }).service, [
      'download',
      EXPORT_ID,
      '--out',
      out,
    ]);
    expect(stderr.lines).to.deep.equal([
      'The 2.0 kB that were there cannot be gone on with; beginning anew.',
    ]);
    expect(new Uint8Array(await readFile(out))).to.deep.equal(other);
  });

  it('leaves alone a part that it did not make, and lets go of the download', async () => {
    await writeFile(join(folder, `${EXPORT_ID}.csv.part`), 'theirs');
    const file = exportedFile(BYTES);
    const { exit, stderr } = await on(file.service, ['download', EXPORT_ID, '--out', folder, '--force']);
    expect(exit).to.equal(2);
    expect(stderr.text).to.include(
      '.csv.part is there already, and is not what a download to this file has left',
    );
    expect([file.opened, file.cancelled]).to.deep.equal([1, 1]);
  });

  it('never leaves the folder, whatever a service calls its file', async () => {
    for (const fileName of ['../../evil.csv', '/etc/evil.csv', 'C:\\evil.csv', 'NUL', 'evil\0.csv', '..']) {
      const file = exportedFile(BYTES, { fileName });
      const { exit } = await on(file.service, ['download', EXPORT_ID, '--out', folder]);
      expect(exit, fileName).to.equal(0);
      const [name, ...others] = await readdir(folder);
      expect(others).to.deep.equal([]);
      expect(name).to.match(/^(evil\.csv|_NUL|download)$/);
      await rm(join(folder, name!));
    }
    expect(EXPORTED.id).to.equal(EXPORT_ID);
  });
});
