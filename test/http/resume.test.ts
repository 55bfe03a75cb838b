import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { ServiceError, TransportError } from '../../src/activity/errors.js';
import type { Clock } from '../../src/clock.js';
import { saveDownload, type Savable, type SavableAnew, type SaveEvent } from '../../src/http/download.js';
import { rejection } from './loopback.js';

const lost = () => new TransportError('RESPONSE_LOST', 'the connection broke', { sent: 'maybe' });
const down = (facts: { retryAfter?: number } = {}) =>
  new ServiceError('SERVICE_FAILED', 'the service is down', { status: 503, detail: '', ...facts });

const gone = () => new ServiceError('NOT_FOUND', 'no file', { status: 404, detail: '' });

/** What one opening of the download does: fails at once, or breaks after so many bytes; `undefined` brings all. */
type Fault = Error | number | undefined;

/** A file at a service, and how it was asked for. */
function remote(bytes: Uint8Array, validator: string | null = '"1"') {
  const file = {
    id: 'a07e1',
    bytes,
    validator: validator ?? undefined,
    length: bytes.length as number | undefined,
    faults: [] as Fault[],
    /** The size of the pieces it comes in. */
    piece: 7,
    asked: [] as (number | undefined)[],
    served: 0,
    under: 0,
    /** What another service makes of the answer. */
    change: (download: Savable): Savable => download,
    async open(resume: Parameters<SavableAnew['open']>[0]): Promise<Savable> {
      await Promise.resolve();
      file.asked.push(resume?.offset);
      const fault = file.faults.shift();
      if (fault instanceof Error) throw fault;
      const offset = resume !== undefined && resume.validator === file.validator ? resume.offset : 0;
      const end = offset + (fault ?? Infinity);
      file.under++;
      const body = (async function* () {
        for (let at = offset; at < bytes.length; at += file.piece) {
          await Promise.resolve();
          if (at >= end) throw lost();
          const piece = bytes.subarray(at, Math.min(at + file.piece, end));
          file.served += piece.length;
          yield piece;
        }
        if (fault !== undefined) throw lost();
      })();
      const cancel = () => {
        file.under--;
        return Promise.resolve();
      };
      return file.change({ length: file.length, offset, validator: file.validator, body, cancel });
    },
  };
  return file;
}

const numbers = (count: number) => Uint8Array.from({ length: count }, (_, index) => index % 251);

/** A clock on which every sleep is over at once. */
function leaping() {
  let now = 0;
  const pauses: number[] = [];
  return {
    pauses,
    now: () => now,
    sleep: async (milliseconds: number, signal?: AbortSignal) => {
      await Promise.resolve();
      signal?.throwIfAborted();
      pauses.push(milliseconds);
      now += milliseconds;
    },
  } satisfies Clock & Record<string, unknown>;
}

describe('saveDownload of what can be begun anew', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(tmpdir(), 'ctct-resume-'));
    file = path.join(folder, 'contacts.csv');
  });
  afterEach(() => fs.rm(folder, { recursive: true }));

  const left = async () => (await fs.readdir(folder)).sort();
  const put = (name: string, text: string | Uint8Array) => fs.writeFile(path.join(folder, name), text);
  const note = (facts: object) => JSON.stringify({ format: 'ctct-download-1', ...facts });
  const save = (source: SavableAnew, options: Parameters<typeof saveDownload>[2] = {}) =>
    saveDownload(source, file, { clock: leaping(), ...options });

  /** Leaves a part of `bytes` bytes behind, as a download does that breaks off. */
  async function breakOff(bytes: number, source = remote(numbers(100))) {
    source.faults = [bytes, gone()];
    await rejection(save(source));
    expect(await left()).to.deep.equal(['contacts.csv.part', 'contacts.csv.part.json']);
    source.faults = [];
    source.asked = [];
    source.served = 0;
    return source;
  }

  it('ends with the very bytes or without the file, whatever breaks, and asks for no byte twice', async () => {
    const fault = fc.oneof(
      fc.integer({ min: 0, max: 60 }),
      fc.constantFrom<Fault>(lost(), down(), undefined),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fault, { maxLength: 12 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom('resumable', 'no validator', 'no length'),
        async (bytes, faults, attempts, kind) => {
          const source = remote(bytes, kind === 'no validator' ? null : '"1"');
          if (kind === 'no length') source.length = undefined;
          source.faults = faults;
          let saved: Awaited<ReturnType<typeof save>> | undefined;
          let opened = 0;
          while (saved === undefined) {
            saved = await save(source, { attempts }).catch((error: unknown) => {
              expect(error).to.satisfy(
                (one: unknown) => one instanceof TransportError || one instanceof ServiceError,
              );
              return undefined;
            });
            opened = source.asked.length;
            const expected = kind === 'resumable' ? /^contacts\.csv\.part(\.json)?$/ : /^never$/;
            if (saved === undefined) for (const name of await left()) expect(name).to.match(expected);
          }
          expect(saved.bytes).to.equal(bytes.length);
          expect(await fs.readFile(file)).to.deep.equal(Buffer.from(bytes));
          expect(await left()).to.deep.equal(['contacts.csv']);
          expect(source.under).to.equal(1);
          // Of a part that is whole the last byte is asked for again.
          if (kind === 'resumable') expect(source.served).to.be.at.most(bytes.length + opened);
          await fs.rm(file);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('goes on where an earlier call broke off, and tells so', async () => {
    const source = await breakOff(40);
    const events: SaveEvent[] = [];
    const progress: number[] = [];
    const saved = await save(source, {
      onEvent: (event) => events.push(event),
      onProgress: (bytes) => progress.push(bytes),
    });
    expect(saved).to.deep.equal({ path: file, bytes: 100, resumedAt: 40 });
    expect(source.asked).to.deep.equal([40]);
    expect(source.served).to.equal(60);
    expect(events).to.deep.equal([{ kind: 'resumed', offset: 40 }]);
    expect([progress[0], progress.at(-1)]).to.deep.equal([40, 100]);
    expect(await fs.readFile(file)).to.deep.equal(Buffer.from(numbers(100)));
    expect(await left()).to.deep.equal(['contacts.csv']);
  });

  it('goes on within one call, as long as bytes come', async () => {
    const source = remote(numbers(100));
    source.faults = [10, down(), 0, 20, lost(), 30, 0, 0];
    const clock = leaping();
    const events: SaveEvent[] = [];
    await save(source, { attempts: 3, clock, random: () => 0.999, onEvent: (event) => events.push(event) });
    expect(source.asked).to.deep.equal([undefined, 10, 10, 10, 30, 30, 60, 60, 60]);
    expect(clock.pauses).to.deep.equal([499, 999, 1998, 499, 999, 499, 999, 1998]);
    expect(events.filter(({ kind }) => kind === 'broken')).to.have.length(8);
    expect(events.some(({ kind }) => kind === 'kept')).to.equal(false);
  });

  it('gives up after tries that bring nothing, and keeps what came', async () => {
    const source = remote(numbers(100));
    source.faults = [15, 0, lost(), down()];
    const events: SaveEvent[] = [];
    const error = await rejection(save(source, { attempts: 3, onEvent: (event) => events.push(event) }));
    expect(error.code).to.equal('SERVICE_FAILED');
    expect(source.asked).to.deep.equal([undefined, 15, 15, 15]);
    expect(events.at(-1)).to.deep.equal({ kind: 'kept', part: `${file}.part`, bytes: 15 });
    expect((await fs.stat(`${file}.part`)).size).to.equal(15);
    for (const name of ['.part', '.part.json']) {
      expect((await fs.stat(file + name)).mode & 0o777).to.equal(0o600);
    }
    expect((await rejection(save(source, { attempts: 0 }))).code).to.equal('OPTION_INVALID');
  });

  it('does not repeat what would fail again, nor the first request, nor waits for long', async () => {
    for (const [faults, opened] of [
      [[lost()], 1],
      [[gone()], 1],
      [[5, gone()], 2],
      [[5, down({ retryAfter: 61 })], 2],
    ] as const) {
      const source = remote(numbers(100));
      source.faults = [...faults];
      await rejection(save(source));
      expect(source.asked).to.have.length(opened);
      expect(source.under).to.equal(0);
    }
    const clock = leaping();
    const source = await breakOff(5);
    source.faults = [5, down({ retryAfter: 60 })];
    await save(source, { clock, random: () => 0 });
    expect(clock.pauses).to.deep.equal([0, 60_000]);
  });

  it('begins anew when the file has changed, however that shows', async () => {
    const changes: ((source: ReturnType<typeof remote>) => void)[] = [
      (source) => (source.validator = '"2"'),
      (source) => (source.id = 'a07e2'),
      (source) =>
        (source.change = (download) => ({ ...download, length: 101 - 1 + (download.offset! > 0 ? 1 : 0) })),
      (source) =>
        (source.change = (download) => (download.offset! > 0 ? { ...download, validator: '"2"' } : download)),
      (source) =>
        (source.change = (download) =>
          download.offset! > 0 ? { ...download, validator: undefined } : download),
      (source) =>
        (source.change = (download) => (download.offset! > 0 ? { ...download, offset: 30 } : download)),
    ];
    for (const change of changes) {
      const source = await breakOff(40, remote(numbers(100)));
      change(source);
      const events: SaveEvent[] = [];
      const saved = await save(source, { onEvent: (event) => events.push(event) });
      expect(saved).to.deep.equal({ path: file, bytes: 100, resumedAt: 0 });
      expect(events).to.deep.equal([{ kind: 'restarted', discarded: 40 }]);
      expect(await fs.readFile(file)).to.deep.equal(Buffer.from(numbers(100)));
      expect(await left()).to.deep.equal(['contacts.csv']);
      await fs.rm(file);
    }
  });

  it('begins anew when the file changes between two tries of one call', async () => {
    const source = remote(numbers(100));
    source.faults = [40];
    const saved = await save(source, {
      onEvent: ({ kind }) => {
        if (kind === 'broken') source.validator = '"2"';
      },
    });
    expect(source.asked).to.deep.equal([undefined, 40]);
    expect(saved).to.include({ bytes: 100, resumedAt: 0 });
    expect(await fs.readFile(file)).to.deep.equal(Buffer.from(numbers(100)));
  });

  it('leaves nothing behind where it could not be gone on with', async () => {
    for (const change of [{ validator: undefined }, { length: undefined }]) {
      const source = remote(numbers(100));
      source.change = (download) => ({ ...download, ...change });
      source.faults = [40, gone()];
      await rejection(save(source));
      expect(await left()).to.deep.equal([]);
    }
    // A download that ends too early is gone on with; one that has too much never was this file.
    for (const [length, kept] of [
      [101, true],
      [99, false],
    ] as const) {
      const source = remote(numbers(100));
      source.length = length;
      const error = await rejection(save(source, { attempts: 2 }));
      expect(error.message).to.include(kept ? 'only 100 came' : 'more came');
      expect((await left()).includes('contacts.csv.part')).to.equal(kept);
    }
  });

  it('asks for the last byte of a part that is whole, and publishes it', async () => {
    const source = await breakOff(40);
    await put('contacts.csv.part', numbers(100));
    expect(await save(source)).to.include({ bytes: 100, resumedAt: 99 });
    expect([source.asked, source.served]).to.deep.equal([[99], 1]);
  });

  it('begins anew over parts and notes that tell nothing', async () => {
    const origin = { id: 'a07e1', validator: '"1"', length: 100 };
    for (const [part, facts] of [
      [numbers(101), origin],
      [numbers(0), origin],
      [numbers(40), {}],
      [numbers(40), { ...origin, length: '100' }],
      [numbers(40), { ...origin, validator: null }],
      [undefined, origin],
    ] as const) {
      if (part !== undefined) await put('contacts.csv.part', part);
      await put('contacts.csv.part.json', note(facts));
      const source = remote(numbers(100));
      await save(source);
      expect(source.asked).to.deep.equal([undefined]);
      expect(await left()).to.deep.equal(['contacts.csv']);
      await fs.rm(file);
    }
  });

  it('replaces no file under names of its own that it did not make', async () => {
    const elsewhere = path.join(folder, 'elsewhere');
    await put('elsewhere', 'precious');
    const origin = { id: 'a07e1', validator: '"1"', length: 100 };
    const cases: (() => Promise<unknown>)[] = [
      () => put('contacts.csv.part', 'theirs'),
      () => put('contacts.csv.part.json', 'theirs'),
      () => put('contacts.csv.part.json', '{"format":"another"}'),
      () => fs.mkdir(`${file}.part.json`),
      () => fs.symlink(elsewhere, `${file}.part`),
      async () => {
        await put('contacts.csv.part.json', note(origin));
        await fs.symlink(elsewhere, `${file}.part`);
      },
      async () => {
        await put('contacts.csv.part.json', note(origin));
        await fs.mkdir(`${file}.part`);
      },
    ];
    if (process.getuid?.() === 0) {
      cases.push(async () => {
        await put('contacts.csv.part.json', note(origin));
        await put('contacts.csv.part', 'of another user');
        await fs.chown(`${file}.part`, 12345, 12345);
      });
    }
    for (const prepare of cases) {
      await prepare();
      const before = await left();
      const source = remote(numbers(100));
      for (const overwrite of [false, true]) {
        const error = await rejection(save(source, { overwrite }));
        expect(error.code).to.equal('FILE_EXISTS');
        expect(error.message).to.match(/contacts\.csv\.part(\.json)? is there already/);
      }
      expect(source.asked).to.deep.equal([]);
      expect(await left()).to.deep.equal(before);
      for (const name of ['.part', '.part.json']) await fs.rm(file + name, { recursive: true, force: true });
    }
    expect(await fs.readFile(elsewhere, 'utf8')).to.equal('precious');
  });

  it('leaves a published file whole that a dead run has left two names of', async () => {
    const published = numbers(100);
    for (const validator of ['"1"', '"2"']) {
      await put('contacts.csv', published);
      await fs.link(file, `${file}.part`);
      await put('contacts.csv.part.json', note({ id: 'a07e1', validator: '"1"', length: 100 }));
      const source = remote(numbers(100), validator);
      source.faults = [40, gone()];
      await rejection(save(source, { overwrite: true }));
      expect(await fs.readFile(file), validator).to.deep.equal(Buffer.from(published));
      await save(source, { overwrite: true });
      expect(await left()).to.deep.equal(['contacts.csv']);
      await fs.rm(file);
    }
  });

  it('waits for no pipe that stands where its own files would', async () => {
    if (process.platform === 'win32') return;
    for (const [name, code] of [
      ['.part', 'FILE_EXISTS'],
      ['.part.json', 'FILE_EXISTS'],
      ['.part.lock', 'FILE_BUSY'],
    ] as const) {
      execFileSync('mkfifo', [file + name]);
      if (name === '.part') await put('contacts.csv.part.json', note({}));
      expect((await rejection(save(remote(numbers(100))))).code, name).to.equal(code);
      await fs.rm(file + name);
      await fs.rm(`${file}.part.json`, { force: true });
    }
  });

  it('replaces a file that is there only when told to, and only by a whole one', async () => {
    await put('contacts.csv', 'old');
    const source = remote(numbers(100));
    expect((await rejection(save(source))).code).to.equal('FILE_EXISTS');
    expect(source.asked).to.deep.equal([]);
    source.faults = [40, gone()];
    await rejection(save(source, { overwrite: true }));
    expect(await fs.readFile(file, 'utf8')).to.equal('old');
    await save(source, { overwrite: true });
    expect(source.asked).to.deep.equal([undefined, 40, 40]);
    expect(await fs.readFile(file)).to.deep.equal(Buffer.from(numbers(100)));
  });

  it('keeps the part when a file has come into being under the name', async () => {
    const source = remote(numbers(100));
    source.change = (download) => ({
      ...download,
      body: (async function* () {
        yield* download.body;
        await put('contacts.csv', 'theirs');
      })(),
    });
    expect((await rejection(save(source))).code).to.equal('FILE_EXISTS');
    expect(await fs.readFile(file, 'utf8')).to.equal('theirs');
    expect(await left()).to.include('contacts.csv.part');
  });

  it('refuses two downloads to one file at a time', async () => {
    const source = remote(numbers(100));
    source.change = (download) => ({
      ...download,
      body: (async function* () {
        const error = await rejection(save(remote(numbers(5))));
        expect(error.code).to.equal('FILE_BUSY');
        expect(error.message).to.include(file);
        yield* download.body;
      })(),
    });
    await save(source);
    expect(await fs.readFile(file)).to.deep.equal(Buffer.from(numbers(100)));
    const two = [remote(numbers(100)), remote(numbers(100))];
    const outcomes = await Promise.allSettled(two.map((one) => save(one, { overwrite: true })));
    expect(outcomes.map(({ status }) => status).sort()).to.deep.equal(['fulfilled', 'rejected']);
  });

  it('keeps what is there when the disk is full, and goes on when there is room again', async () => {
    const original = fs.open;
    fs.open = async (...args: Parameters<typeof fs.open>) => {
      const handle = await original(...args);
      const write = handle.writeFile.bind(handle);
      let room = String(args[0]).endsWith('.part') ? 20 : Infinity;
      handle.writeFile = async (data) => {
        const bytes = Buffer.from(data as Uint8Array);
        await write(bytes.subarray(0, room));
        room -= bytes.length;
        if (room < 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      };
      return handle;
    };
    const source = remote(numbers(100));
    try {
      const error = await rejection(save(source));
      expect(error.message).to.equal(`cannot write ${file}: the disk is full (ENOSPC)`);
    } finally {
      fs.open = original;
    }
    expect(await save(source)).to.include({ bytes: 100, resumedAt: 20 });
    expect(await fs.readFile(file)).to.deep.equal(Buffer.from(numbers(100)));
  });

  it('leaves nothing behind when its note cannot be written', async () => {
    const original = fs.rename;
    fs.rename = () => Promise.reject(Object.assign(new Error('no'), { code: 'EIO' }));
    try {
      expect((await rejection(save(remote(numbers(100))))).code).to.equal('FILE_UNWRITABLE');
    } finally {
      fs.rename = original;
    }
    expect(await left()).to.deep.equal([]);
  });

  describe('aborted', () => {
    it('while bytes come keeps them', async () => {
      const controller = new AbortController();
      const source = remote(numbers(100));
      const options = {
        signal: controller.signal,
        onProgress: () => {
          controller.abort();
        },
      };
      expect((await rejection(save(source, options))).code).to.equal('ABORTED');
      expect((await fs.stat(`${file}.part`)).size).to.equal(7);
      expect(source.under).to.equal(0);
      expect(await save(source)).to.include({ resumedAt: 7 });
    });

    it('while it is opened lets go of what comes late', async () => {
      const controller = new AbortController();
      const source = remote(numbers(100));
      let answer: (() => void) | undefined;
      const open = async (resume: Parameters<SavableAnew['open']>[0]) => {
        await new Promise<void>((resolve) => (answer = resolve));
        return source.open(resume);
      };
      const saving = rejection(save({ id: 'a07e1', open }, { signal: controller.signal }));
      while (answer === undefined) await new Promise(setImmediate);
      controller.abort();
      expect((await saving).code).to.equal('ABORTED');
      answer();
      await new Promise(setImmediate);
      expect([source.asked.length, source.under]).to.deep.equal([1, 0]);
      expect(await left()).to.deep.equal([]);
    });

    it('in a pause ends at once', async () => {
      const controller = new AbortController();
      const source = remote(numbers(100));
      source.faults = [40];
      const clock = { now: () => 0, sleep: () => new Promise<void>(() => undefined) };
      const onEvent = ({ kind }: SaveEvent) => {
        if (kind === 'broken')
          setImmediate(() => {
            controller.abort();
          });
      };
      const error = await rejection(save(source, { signal: controller.signal, clock, onEvent }));
      expect(error.code).to.equal('ABORTED');
      expect(await left()).to.deep.equal(['contacts.csv.part', 'contacts.csv.part.json']);
    });
  });

  it('refuses a download that is open and begins midway', async () => {
    const source = remote(numbers(100));
    const download = await source.open({ offset: 40, validator: '"1"' });
    const error = await rejection(saveDownload(download, file));
    expect([error.code, source.under]).to.deep.equal(['OPTION_INVALID', 0]);
    expect(error.message).to.include('byte 40');
    source.change = (late) => ({ ...late, offset: 40 });
    expect((await rejection(save(source))).code).to.equal('OPTION_INVALID');
    expect(await left()).to.deep.equal([]);
  });
});
