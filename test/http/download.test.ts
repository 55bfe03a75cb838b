import type { PathLike } from 'node:fs';
import fs from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { TransportError } from '../../src/activity/errors.js';
import { saveDownload, type Savable } from '../../src/http/download.js';
import { rejection } from './loopback.js';

const bytes = (text: string) => new TextEncoder().encode(text);

function savable(chunks: readonly (string | Uint8Array | Error)[], length?: number) {
  const download = {
    length,
    cancelled: 0,
    body: (async function* () {
      await Promise.resolve();
      for (const chunk of chunks) {
        if (chunk instanceof Error) throw chunk;
        yield typeof chunk === 'string' ? bytes(chunk) : chunk;
      }
    })(),
    cancel: () => {
      download.cancelled++;
      return Promise.resolve();
    },
  };
  return download satisfies Savable;
}

describe('saveDownload', () => {
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(tmpdir(), 'ctct-download-'));
    file = path.join(folder, 'contacts.csv');
  });

  afterEach(async () => {
    await fs.rm(folder, { recursive: true });
  });

  const left = () => fs.readdir(folder);

  it('writes every byte, however the chunks fall', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 })), fc.boolean(), async (chunks, known) => {
        const all = Buffer.concat(chunks);
        const seen: number[] = [];
        const saved = await saveDownload(savable(chunks, known ? all.length : undefined), file, {
          overwrite: true,
          onProgress: (count) => seen.push(count),
        });
        expect(saved).to.deep.equal({ path: file, bytes: all.length, resumedAt: 0 });
        expect(await fs.readFile(file)).to.deep.equal(all);
        expect(seen.at(-1) ?? 0).to.equal(all.length);
        expect(await left()).to.deep.equal(['contacts.csv']);
      }),
      { numRuns: 30 },
    );
  });

  it('makes a file that only its owner can read', async () => {
    await saveDownload(savable(['x']), file);
    expect((await fs.stat(file)).mode & 0o777).to.equal(0o600);
  });

  it('has its bytes on the disk before it has its name, and then the name', async () => {
    if (process.platform !== 'linux') return;
    const handle = await fs.open(folder);
    const prototype = Object.getPrototypeOf(handle) as fs.FileHandle;
    await handle.close();
    const steps: string[] = [];
    const sync: (this: fs.FileHandle) => Promise<void> = Reflect.get(prototype, 'sync');
    const { link, rename } = fs;
    prototype.sync = async function (this: fs.FileHandle) {
      steps.push(`sync ${path.basename(await fs.readlink(`/proc/self/fd/${this.fd}`))}`);
      await sync.call(this);
    };
    const named = (act: typeof link) => async (from: PathLike, to: PathLike) => {
      if (to === file) steps.push('name');
      await act(from, to);
    };
    fs.link = named(link);
    fs.rename = named(rename);
    try {
      for (const overwrite of [false, true]) {
        await saveDownload(savable(['x']), file, { overwrite });
        expect(steps.slice(-3)).to.deep.equal([
          'sync contacts.csv.part',
          'name',
          `sync ${path.basename(folder)}`,
        ]);
        steps.length = 0;
      }
    } finally {
      prototype.sync = sync;
      Object.assign(fs, { link, rename });
    }
  });

  it('shows nothing under the name before all is there', async () => {
    const seen: string[][] = [];
    const download = savable([]);
    const body = (async function* () {
      yield bytes('a');
      seen.push(await left());
      yield bytes('b');
      seen.push(await left());
    })();
    await saveDownload({ ...download, body }, file);
    const beside = ['contacts.csv.part', 'contacts.csv.part.json', 'contacts.csv.part.lock'];
    expect(seen).to.deep.equal([beside, beside]);
    expect(await left()).to.deep.equal(['contacts.csv']);
  });

  it('leaves nothing behind when the bytes are fewer or more than announced', async () => {
    for (const [chunks, came] of [
      [['abc'], 'only 3 came'],
      [['abc', 'def', 'never read'], 'more came'],
    ] as const) {
      const download = savable(chunks, 5);
      const error = await rejection(saveDownload(download, file));
      expect(error.code).to.equal('RESPONSE_LOST');
      expect(error.message).to.include('5 bytes').and.to.include(came);
      expect(download.cancelled).to.equal(1);
      expect(await left()).to.deep.equal([]);
    }
  });

  it('passes an error of the download on, and names one that is not ours', async () => {
    const lost = new TransportError('RESPONSE_LOST', 'GET https://x broke off', { sent: 'maybe' });
    expect(await rejection(saveDownload(savable(['a', lost]), file))).to.equal(lost);
    const other = await rejection(saveDownload(savable(['a', new Error('socket')]), file));
    expect(other.code).to.equal('RESPONSE_LOST');
    expect(await left()).to.deep.equal([]);
  });

  it('leaves a file that is there as it is', async () => {
    await fs.writeFile(file, 'old');
    const download = savable(['new']);
    const error = await rejection(saveDownload(download, file));
    expect(error.code).to.equal('FILE_EXISTS');
    expect(error.message).to.include(file);
    expect(download.cancelled).to.equal(1);
    expect(await fs.readFile(file, 'utf8')).to.equal('old');

    await rejection(saveDownload(savable(['a', new Error('x')]), file, { overwrite: true }));
    expect(await fs.readFile(file, 'utf8')).to.equal('old');
    expect(await left()).to.deep.equal(['contacts.csv']);

    await saveDownload(savable(['new']), file, { overwrite: true });
    expect(await fs.readFile(file, 'utf8')).to.equal('new');
  });

  it('does not replace a file that came into being meanwhile', async () => {
    const body = (async function* () {
      yield bytes('mine');
      await fs.writeFile(file, 'theirs');
    })();
    const error = await rejection(saveDownload({ ...savable([]), body }, file));
    expect(error.code).to.equal('FILE_EXISTS');
    expect(await fs.readFile(file, 'utf8')).to.equal('theirs');
    expect(await left()).to.deep.equal(['contacts.csv']);
  });

  it('does not touch the part of another download', async () => {
    await fs.writeFile(`${file}.part`, 'theirs');
    const error = await rejection(saveDownload(savable(['x']), file, { overwrite: true }));
    expect(error.code).to.equal('FILE_EXISTS');
    expect(error.message).to.include(`${file}.part`);
    expect(await fs.readFile(`${file}.part`, 'utf8')).to.equal('theirs');
  });

  it('never follows a symbolic link', async () => {
    const elsewhere = path.join(folder, 'elsewhere');
    await fs.writeFile(elsewhere, 'precious');
    for (const link of [file, `${file}.part`]) {
      await fs.symlink(elsewhere, link);
      expect((await rejection(saveDownload(savable(['x']), file))).code).to.equal('FILE_EXISTS');
      await fs.rm(link);
    }
    await fs.symlink(path.join(folder, 'nowhere'), file);
    expect((await rejection(saveDownload(savable(['x']), file))).code).to.equal('FILE_EXISTS');
    await fs.rm(file);

    await fs.symlink(elsewhere, file);
    await saveDownload(savable(['new']), file, { overwrite: true });
    expect((await fs.lstat(file)).isFile()).to.equal(true);
    expect(await fs.readFile(elsewhere, 'utf8')).to.equal('precious');
  });

  it('takes the place of no device, pipe or socket, told to or not', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(file, resolve));
    try {
      for (const target of [file, '/dev/null']) {
        for (const overwrite of [false, true]) {
          const download = savable(['x']);
          const error = await rejection(saveDownload(download, target, { overwrite }));
          expect(error.code, target).to.equal('FILE_UNWRITABLE');
          expect(error.message).to.include('is a device, a pipe or a socket; name a file');
          expect(download.cancelled).to.equal(1);
        }
      }
      expect(await left()).to.deep.equal(['contacts.csv']);
    } finally {
      server.close();
    }
  });

  it('says in words why a file cannot be written', async () => {
    await fs.writeFile(path.join(folder, 'plain'), '');
    for (const [target, reason] of [
      [path.join(folder, 'missing', 'x.csv'), 'the folder does not exist'],
      [path.join(folder, 'plain', 'x.csv'), 'a part of the path is no folder'],
      [path.join(folder, 'x'.repeat(300)), 'the name is too long'],
      [`${file}\0`, 'the write failed'],
      [folder, 'is a folder'],
    ] as const) {
      for (const overwrite of [false, true]) {
        const download = savable(['x']);
        const error = await rejection(saveDownload(download, target, { overwrite }));
        expect(error.code, target).to.equal('FILE_UNWRITABLE');
        expect(error.message).to.include(target).and.to.include(reason);
        expect(download.cancelled).to.equal(1);
      }
    }
    expect(await left()).to.deep.equal(['plain']);
  });

  it('stops at once when aborted, also while no byte comes', async () => {
    const controller = new AbortController();
    const download = savable([]);
    const body = (async function* () {
      yield bytes('a');
      controller.abort();
      await new Promise(() => undefined);
    })();
    const error = await rejection(saveDownload({ ...download, body }, file, { signal: controller.signal }));
    expect(error.code).to.equal('ABORTED');
    expect(download.cancelled).to.equal(1);
    expect(await left()).to.deep.equal([]);
    const again = await rejection(saveDownload(savable(['x']), file, { signal: controller.signal }));
    expect(again.code).to.equal('ABORTED');
  });

  describe('when the file system refuses', () => {
    const originals = { open: fs.open, link: fs.link, rename: fs.rename };
    const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));

    afterEach(() => {
      Object.assign(fs, originals);
    });

    it('reports a full disk and leaves nothing', async () => {
      fs.open = async (...args: Parameters<typeof fs.open>) => {
        const handle = await originals.open(...args);
        if (full(String(args[0]))) handle.writeFile = failing('ENOSPC');
        return handle;
      };
      let full = (name: string) => name.endsWith('.part');
      for (const files of [/\.part$/, /\.part\.json/, /\.part\.lock/]) {
        full = (name) => files.test(name);
        const error = await rejection(saveDownload(savable(['x']), file));
        expect(error.code).to.equal('FILE_UNWRITABLE');
        expect(error.message).to.equal(`cannot write ${file}: the disk is full (ENOSPC)`);
        expect(await left()).to.deep.equal([]);
      }
    });

    it('manages without hard links, and still replaces nothing', async () => {
      fs.link = failing('EPERM');
      await saveDownload(savable(['x']), file);
      expect(await fs.readFile(file, 'utf8')).to.equal('x');
      const body = (async function* () {
        yield bytes('mine');
        await fs.writeFile(path.join(folder, 'b.csv'), 'theirs');
      })();
      const error = await rejection(saveDownload({ ...savable([]), body }, path.join(folder, 'b.csv')));
      expect(error.code).to.equal('FILE_EXISTS');
      expect(await fs.readFile(path.join(folder, 'b.csv'), 'utf8')).to.equal('theirs');

      fs.rename = failing('EIO');
      const broken = await rejection(saveDownload(savable(['x']), path.join(folder, 'c.csv')));
      expect(broken.code).to.equal('FILE_UNWRITABLE');
      expect((await left()).sort()).to.deep.equal(['b.csv', 'contacts.csv']);
    });

    it('reports a link that fails otherwise', async () => {
      fs.link = failing('EIO');
      const error = await rejection(saveDownload(savable(['x']), file));
      expect(error.message).to.equal(`cannot write ${file}: the write failed (EIO)`);
      expect(await left()).to.deep.equal([]);
    });

    it('does not mind a folder that cannot be synced', async () => {
      fs.open = (...args: Parameters<typeof fs.open>) =>
        args[0] === folder ? failing('EACCES')() : originals.open(...args);
      await saveDownload(savable(['x']), file);
      expect(await left()).to.deep.equal(['contacts.csv']);
    });
  });
});
