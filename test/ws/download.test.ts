import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { CtctError, TransportError } from '../../src/activity/errors.js';
import type { ActivityService, Download } from '../../src/activity/service.js';
import type { SaveEvent } from '../../src/http/download.js';
import { safeFileName } from '../../src/http/file-name.js';
import { serve } from '../../src/http/serve.js';
import { WsClient } from '../../src/ws/client.js';
import { wsServer } from '../../src/ws/server.js';
import { BASIC, rejection, soon } from '../http/loopback.js';
import { EXPORT_ID, EXPORTED, exportedFile, manyBytes } from '../support/exported-file.js';

const BYTES = manyBytes(5000);
const URI = `http://localhost/ws/customers/joesflowers/activities/${EXPORT_ID}.csv`;

function handlerOf(file: ReturnType<typeof exportedFile>) {
  return wsServer({ account: () => file.service });
}

async function ask(file: ReturnType<typeof exportedFile>, headers: Record<string, string> = {}) {
  const response = await handlerOf(file)(new Request(URI, { headers }));
  const body = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, headers: Object.fromEntries(response.headers), body };
}

describe('the file of an export, served', () => {
  it('is the part that a Range asks for, whether or not the service can go on within a file', async () => {
    const place: fc.Arbitrary<number | ''> = fc.option(fc.nat(6000), { nil: '' });
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        place,
        place,
        fc.constantFrom(undefined, '"v1"', '"v0"', 'W/"v1"'),
        async (resumes, first, last, condition) => {
          const file = exportedFile(BYTES, { resumes });
          const { status, headers, body } = await ask(file, {
            range: `bytes=${first}-${last}`,
            ...(condition !== undefined && { 'if-range': condition }),
          });
          expect(headers['content-type']).to.equal(status === 416 ? undefined : 'text/csv');
          expect(file.cancelled).to.equal(file.opened);
          if (status === 200) {
            expect(body).to.deep.equal(BYTES);
            expect(headers).to.include({ etag: '"v1"', 'accept-ranges': 'bytes', 'content-length': '5000' });
            const understood = first !== '' ? last === '' || last >= first : last !== '';
            expect(understood && (condition === undefined || condition === '"v1"')).to.equal(false);
          } else if (status === 206) {
            const start = first === '' ? Math.max(0, 5000 - Number(last)) : first;
            const end = first === '' || last === '' ? 5000 : last + 1;
            expect(body).to.deep.equal(BYTES.slice(start, end));
            expect(headers).to.include({
              etag: '"v1"',
              'content-range': `bytes ${start}-${start + body.length - 1}/5000`,
              'content-length': String(body.length),
            });
          } else {
            expect(status).to.equal(416);
            expect(headers['content-range']).to.equal('bytes */5000');
            expect(first === '' ? last === 0 : first >= 5000).to.equal(true);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is the whole where the service knows no validator or no length', async () => {
    for (const facts of [{ validator: undefined }, { length: undefined }]) {
      const { status, headers, body } = await ask(exportedFile(BYTES, facts), { range: 'bytes=10-' });
      expect(status).to.equal(200);
      expect(headers).not.to.have.any.keys('etag', 'accept-ranges', 'last-modified');
      expect(body).to.deep.equal(BYTES);
    }
    const date = 'Tue, 29 Apr 2008 19:30:00 GMT';
    const dated = await ask(exportedFile(BYTES, { validator: date, contentType: undefined }));
    expect(dated.headers).to.include({ 'last-modified': date, 'content-type': 'application/octet-stream' });
    expect(dated.headers).not.to.have.property('etag');
  });

  it('is opened once more where the service began behind the place asked for', async () => {
    const file = exportedFile(BYTES);
    const service: ActivityService = {
      ...file.service,
      download: (activity, options) => {
        const resume = options?.resume && { ...options.resume, offset: options.resume.offset + 1 };
        return file.service.download(activity, { ...options, resume });
      },
    };
    const handler = wsServer({ account: () => service });
    const headers = { range: 'bytes=100-', 'if-range': '"v1"' };
    const response = await handler(new Request(URI, { headers }));
    expect(new Uint8Array(await response.arrayBuffer())).to.deep.equal(BYTES.slice(100));
    expect([file.opened, file.cancelled]).to.deep.equal([2, 2]);
  });

  it('is let go of when the reader goes away', async () => {
    const file = exportedFile(BYTES);
    const response = await handlerOf(file)(new Request(URI));
    await response.body?.cancel();
    expect(file.cancelled).to.equal(1);
  });
});

describe('a download by WsClient', () => {
  let folder: string;
  let closing: (() => Promise<void>)[];
  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(tmpdir(), 'ctct-ws-download-'));
    closing = [];
  });
  afterEach(async () => {
    for (const close of closing) await close();
    await fs.rm(folder, { recursive: true });
  });

  /** A client over a socket; `on` sees each request and may answer in place of the server. */
  async function clientOf(
    file: ReturnType<typeof exportedFile>,
    on: (request: Request) => Response | undefined = () => undefined,
  ) {
    const handler = handlerOf(file);
    const served = await serve(async (request) => on(request) ?? (await handler(request)));
    closing.push(() => served.close());
    const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
    return new WsClient({
      user: 'joesflowers',
      credentials: BASIC,
      baseUrl: served.url,
      clock,
      random: () => 0,
    });
  }

  it('goes on over connections that break, and asks for what is missing only', async () => {
    const file = exportedFile(BYTES);
    const breaks = new Set([2000, 4000]);
    let arrived = 0;
    const onProgress = (bytes: number) => (arrived = bytes);
    file.pass = async (chunk, at) => {
      if (!breaks.has(at)) return chunk;
      // Only when what was sent before has arrived.
      while (arrived < at) await soon(1);
      breaks.delete(at);
      throw new Error('cut');
    };
    const ranges: (string | null)[] = [];
    const client = await clientOf(file, (request) => {
      if (request.url.endsWith('.csv')) ranges.push(request.headers.get('range'));
      return undefined;
    });
    const target = path.join(folder, 'list2.csv');
    const kinds: string[] = [];
    const onEvent = ({ kind }: SaveEvent) => kinds.push(kind);
    const saved = await client.saveDownload(EXPORT_ID, target, { onEvent, onProgress });
    expect(saved).to.deep.equal({ path: target, bytes: 5000, resumedAt: 0 });
    expect(new Uint8Array(await fs.readFile(target))).to.deep.equal(BYTES);
    expect(ranges).to.deep.equal([null, 'bytes=2000-', 'bytes=4000-']);
    expect(kinds).to.deep.equal(['broken', 'resumed', 'broken', 'resumed']);
  });

  it('is told whole, or from where, with what it can be gone on by', async () => {
    const client = await clientOf(exportedFile(BYTES));
    const whole = await client.download(EXPORTED);
    expect(whole).to.include({ offset: 0, length: 5000, validator: '"v1"' });
    await whole.cancel();
    const rest = await client.download(EXPORTED, { resume: { offset: 4000, validator: '"v1"' } });
    expect(rest).to.include({ offset: 4000, length: 5000, validator: '"v1"' });
    const bytes: Uint8Array[] = [];
    for await (const chunk of rest.body) bytes.push(chunk);
    expect(new Uint8Array(Buffer.concat(bytes))).to.deep.equal(BYTES.slice(4000));
    const changed = await client.download(EXPORTED, { resume: { offset: 4000, validator: '"v0"' } });
    expect(changed).to.include({ offset: 0, length: 5000 });
    await changed.cancel();
  });

  it('takes no rest but the one that was asked for', async () => {
    const part = (range: string | undefined, etag: string | undefined, body = BYTES.slice(4000)) =>
      new Response(body, {
        status: 206,
        headers: {
          ...(range !== undefined && { 'content-range': range }),
          ...(etag !== undefined && { etag }),
        },
      });
    for (const [answer, offset] of [
      [() => part('bytes 4000-4999/5000', '"v1"'), 4000],
      [() => part('bytes 4000-4999/5000', undefined), 4000],
      [() => part('bytes 4000-4999/5000', '"v2"'), 0],
      [() => part('bytes 3999-4999/5000', '"v1"'), 0],
      [() => part('bytes 4000-4998/5000', '"v1"'), 0],
      [() => part('bytes 4000-4999/*', '"v1"'), 0],
      [() => part(undefined, '"v1"'), 0],
      [() => new Response(null, { status: 416 }), 0],
    ] as const) {
      const client = await clientOf(exportedFile(BYTES), (request) =>
        request.headers.has('range') ? answer() : undefined,
      );
      const download = await client.download(EXPORTED, { resume: { offset: 4000, validator: '"v1"' } });
      expect(download.offset, String(answer)).to.equal(offset);
      expect(download.length).to.equal(5000);
      await download.cancel();
    }
  });

  it('is not taken for whole when a part comes unasked', async () => {
    const client = await clientOf(exportedFile(BYTES), (request) =>
      request.url.endsWith('.csv')
        ? new Response('x', { status: 206, headers: { 'content-range': 'bytes 0-0/5000' } })
        : undefined,
    );
    const error = await rejection(client.download(EXPORTED));
    expect(error.code).to.equal('DOCUMENT_UNEXPECTED');
  });

  it('cannot be gone on with where nothing says that the file is the same', async () => {
    for (const headers of [{ etag: 'W/"v1"' }, {}]) {
      const client = await clientOf(exportedFile(BYTES), (request) =>
        request.url.endsWith('.csv')
          ? new Response(BYTES, {
              headers: new Headers(Object.entries({ 'content-length': '5000', ...headers })),
            })
          : undefined,
      );
      const download = await client.download(EXPORTED);
      expect(download.validator).to.equal(undefined);
      await download.cancel();
    }
  });

  it('never leaves the folder, whatever the service calls the file', async () => {
    const names = [
      '../../evil.csv',
      '/etc/passwd',
      '..\\..\\evil.csv',
      'C:\\Windows\\evil.csv',
      'C:evil.csv',
      'CON',
      'nul.csv',
      'COM1.txt',
      'evil.csv\0.txt',
      '.',
      '..',
      '...',
      '~root',
      '-rf',
      'http://localhost/../../x.csv?y=/z',
      'a/../../b.csv',
      '%2e%2e%2fevil.csv',
      `${'x'.repeat(5000)}.csv`,
    ];
    const before = await fs.readdir(tmpdir());
    for (const fileName of names) {
      const file = exportedFile(BYTES);
      const headers = { 'content-type': 'text/csv', etag: '"v1"' };
      const client = await clientOf(file, () => new Response(BYTES, { headers }));
      const activity = { ...EXPORTED, fileName };
      let download: Download;
      try {
        download = await client.download(activity);
      } catch (error) {
        // A name that is a link to elsewhere is not followed at all.
        expect(error).to.be.instanceOf(CtctError).with.property('code', 'FOREIGN_ORIGIN');
        continue;
      }
      const name = download.fileName;
      await download.cancel();
      expect(name).to.match(new RegExp(`^${EXPORT_ID}\\.(csv|txt)$`));
      const target = path.join(folder, safeFileName(fileName));
      expect(path.dirname(target)).to.equal(folder);
      await client.saveDownload(activity, target, { overwrite: true });
      expect(await fs.realpath(target)).to.equal(path.join(await fs.realpath(folder), path.basename(target)));
      await fs.rm(target);
    }
    expect(await fs.readdir(folder)).to.deep.equal([]);
    const made = (await fs.readdir(tmpdir())).filter((name) => !before.includes(name));
    expect(made.filter((name) => /evil|^x\.csv|^b\.csv/.test(name))).to.deep.equal([]);
  });

  it('ends with an error of ours where the connection breaks and nothing more comes', async () => {
    const file = exportedFile(BYTES);
    let alive = true;
    let arrived = 0;
    const onProgress = (bytes: number) => (arrived = bytes);
    file.pass = async (chunk, at) => {
      if (at < 2000 && alive) return chunk;
      while (alive && arrived < at) await soon(1);
      alive = false;
      throw new Error('cut');
    };
    const client = await clientOf(file);
    const target = path.join(folder, 'list2.csv');
    const error = await rejection(client.saveDownload(EXPORTED, target, { attempts: 2, onProgress }));
    expect(error).to.be.instanceOf(TransportError);
    expect((await fs.readdir(folder)).sort()).to.deep.equal(['list2.csv.part', 'list2.csv.part.json']);
    file.pass = (chunk) => chunk;
    expect(await client.saveDownload(EXPORTED, target)).to.include({ bytes: 5000, resumedAt: 2000 });
    expect(new Uint8Array(await fs.readFile(target))).to.deep.equal(BYTES);
  });
});
