import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { takeLock, type Lock } from '../../src/http/lock-file.js';

/** What a process of this machine that is no more has left. */
async function deadHolder(): Promise<object> {
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.once('close', resolve));
  return { pid: child.pid, host: hostname(), began: null, token: 'x' };
}

async function beganOf(pid: number): Promise<string> {
  const text = await fs.readFile(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]!;
}

describe('takeLock', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await fs.mkdtemp(path.join(tmpdir(), 'ctct-lock-'));
    file = path.join(folder, 'x.lock');
  });
  afterEach(() => fs.rm(folder, { recursive: true }));

  const left = () => fs.readdir(folder);
  const leave = (holder: object) => fs.writeFile(file, JSON.stringify(holder));

  it('gives it to one at a time', async () => {
    const locks = await Promise.all([takeLock(file), takeLock(file), takeLock(file)]);
    expect(locks.filter((lock) => lock !== undefined)).to.have.length(1);
    expect(await left()).to.deep.equal(['x.lock']);
    expect((await fs.stat(file)).mode & 0o777).to.equal(0o600);
    // Nor to one who comes by another way to the same folder.
    const alias = `${folder}-alias`;
    await fs.symlink(folder, alias);
    expect(await takeLock(path.join(alias, 'x.lock'))).to.equal(undefined);
    await fs.rm(alias);
    for (const lock of locks) await lock?.release();
    expect(await left()).to.deep.equal([]);
    const again = await takeLock(file);
    expect(again).not.to.equal(undefined);
    await again?.release();
    await again?.release();
  });

  it('takes over what a dead process has left, and one of its own number', async () => {
    const dead = await deadHolder();
    for (const holder of [dead, { ...dead, pid: process.pid, began: 'long ago' }]) {
      await leave(holder);
      const lock = await takeLock(file);
      expect(lock, JSON.stringify(holder)).not.to.equal(undefined);
      expect(await fs.readFile(file, 'utf8')).to.include(`"pid":${process.pid}`);
      await lock?.release();
      expect(await left()).to.deep.equal([]);
    }
  });

  it('is not taken from one who was faster, by another who saw a dead one in its place', async () => {
    const locks: (Lock | undefined)[] = [];
    const readFile = fs.readFile;
    let reading = false;
    // While one reads, others try.
    async function slowly(...args: Parameters<typeof readFile>) {
      const text = await readFile(...args);
      if (reading || !(args[0] as string).startsWith(file)) return text;
      reading = true;
      locks.push(await takeLock(file));
      reading = false;
      return text;
    }
    await leave(await deadHolder());
    fs.readFile = slowly as typeof readFile;
    try {
      locks.push(await takeLock(file));
    } finally {
      fs.readFile = readFile;
    }
    expect(locks.length).to.be.greaterThan(2);
    const held = locks.filter((lock) => lock !== undefined);
    expect(held).to.have.length(1);
    expect(await takeLock(file)).to.equal(undefined);
    await held[0]?.release();
    expect(await left()).to.deep.equal([]);
  });

  it('is taken over though others died over that, and those who took over from them', async () => {
    const die = () => Promise.reject(new Error('killed'));
    const { rm } = fs;
    await leave(await deadHolder());
    for (let deaths = 0; deaths < 3; deaths++) {
      // The process is killed when it is about to take the dead lock away; what it holds is of a dead one then.
      fs.rm = die;
      const outcome = await takeLock(file).catch((error: unknown) => String(error));
      fs.rm = rm;
      expect(outcome).to.equal('Error: killed');
      for (const name of await left()) {
        const own = path.join(folder, name);
        const text = await fs.readFile(own, 'utf8');
        await fs.writeFile(
          own,
          text.replace(`"pid":${process.pid}`, `"pid":${((await deadHolder()) as { pid: number }).pid}`),
        );
      }
    }
    const lock = await takeLock(file);
    expect(lock).not.to.equal(undefined);
    expect(await takeLock(file)).to.equal(undefined);
    await lock?.release();
    expect((await left()).filter((name) => name === 'x.lock')).to.deep.equal([]);
  });

  it('is taken over where the file system has no hard links', async () => {
    const link = fs.link;
    fs.link = () => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' }));
    try {
      await leave(await deadHolder());
      const lock = await takeLock(file);
      expect(lock).not.to.equal(undefined);
      expect(await takeLock(file)).to.equal(undefined);
      await lock?.release();
      expect(await left()).to.deep.equal([]);
    } finally {
      fs.link = link;
    }
  });

  it('takes a process id that was given anew for the dead', async () => {
    if (process.platform !== 'linux') return;
    const holder = { pid: process.ppid, host: hostname(), token: 'x' };
    await leave({ ...holder, began: await beganOf(process.ppid) });
    expect(await takeLock(file)).to.equal(undefined);
    await leave({ ...holder, began: '1' });
    const lock = await takeLock(file);
    expect(lock).not.to.equal(undefined);
    await lock?.release();
  });

  it('leaves alone what may be alive, and what is none of ours', async () => {
    const dead = await deadHolder();
    for (const text of [
      JSON.stringify({ ...dead, pid: process.ppid }),
      JSON.stringify({ ...dead, host: 'elsewhere.example.com' }),
      '',
      'theirs',
      'null',
    ]) {
      await fs.writeFile(file, text);
      expect(await takeLock(file), text).to.equal(undefined);
      expect(await fs.readFile(file, 'utf8')).to.equal(text);
      expect(await left()).to.deep.equal(['x.lock']);
    }
    // Nothing of that is remembered.
    await fs.rm(file);
    await (await takeLock(file))?.release();
  });

  it('does not remove the lock of another who took it over', async () => {
    const lock = await takeLock(file);
    await fs.writeFile(file, 'another’s');
    await lock?.release();
    expect(await left()).to.deep.equal(['x.lock']);
  });

  it('says what the file system says', async () => {
    const outcome: unknown = await takeLock(path.join(folder, 'none', 'x')).catch((error: unknown) => error);
    expect(outcome).to.have.property('code', 'ENOENT');
    await fs.mkdir(file);
    const folderThere: unknown = await takeLock(file).catch((error: unknown) => error);
    expect(folderThere).to.have.property('code', 'EISDIR');
  });
});
