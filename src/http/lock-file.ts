import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import { hostname } from 'node:os';
import { codeOf, READ, renameExclusively, writeDurably } from './disk.js';

/** Who holds a lock. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, where the system tells: a process id is given anew some day, and in containers at once. */
  readonly began: string | null;
  /** Of this lock alone. */
  readonly token: string;
}

/** The right to do something that only one may do at a time. */
export interface Lock {
  /** Gives it up. A second time it does nothing. */
  release(): Promise<void>;
}

/** The tokens of the locks that this process holds. */
const held = new Set<string>();

/** Times that a lock which was given up is tried for, while others try too. */
const MOST_TRIES = 5;

/**
 * The lock, for as long as this process lives or until it is released; undefined when another holds it. What a process
 * that is no more has left is taken over. Of a process on another machine nobody can tell whether it lives: it is taken
 * for alive.
 * @throws what the file system says, but for EEXIST
 */
export async function takeLock(path: string): Promise<Lock | undefined> {
  const token = randomUUID();
  held.add(token);
  try {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if (await createLock(path, token)) return lockAt(path, token);
      const text = await readText(path);
      if (text === undefined) continue;
      if (await isAlive(text)) break;
      await bury(path, text);
    }
  } catch (error) {
    held.delete(token);
    throw error;
  }
  held.delete(token);
  return undefined;
}

/** Whether a process that lives holds the lock; of one on another machine that is taken for granted. */
export async function isLocked(path: string): Promise<boolean> {
  const text = await readText(path);
  return text !== undefined && (await isAlive(text));
}

function lockAt(path: string, token: string): Lock {
  return {
    async release() {
      try {
        if (readHolder(await readText(path))?.token === token) await fs.rm(path, { force: true });
      } finally {
        held.delete(token);
      }
    },
  };
}

/** True when the lock is ours. It comes into being with its text in it: others may read it at any time. */
async function createLock(path: string, token: string): Promise<boolean> {
  const holder: Holder = { pid: process.pid, host: hostname(), began: await began(process.pid), token };
  const made = `${path}.${token}`;
  await writeDurably(made, `${JSON.stringify(holder)}\n`);
  try {
    await renameExclusively(made, path);
    return true;
  } catch (error) {
    await fs.rm(made, { force: true });
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Takes a dead lock away. Only one may at a time, who holds a lock for it: others would take away what has come into its
 * place meanwhile. And who dies over it leaves a dead lock, that is taken over in turn.
 */
async function bury(path: string, text: string): Promise<void> {
  const right = await takeLock(`${path}.${createHash('sha256').update(text).digest('hex').slice(0, 32)}`);
  if (right === undefined) return;
  try {
    if ((await readText(path)) === text) await fs.rm(path, { force: true });
  } finally {
    await right.release();
  }
}

async function readText(path: string): Promise<string | undefined> {
  return fs.readFile(path, { encoding: 'utf8', flag: READ }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
}

function readHolder(text: string | undefined): Holder | undefined {
  try {
    const holder: unknown = JSON.parse(text ?? '');
    return typeof holder === 'object' && holder !== null && 'pid' in holder ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}

async function isAlive(text: string): Promise<boolean> {
  const holder = readHolder(text);
  // Of a file that is none of ours, too, it is not for us to say.
  if (holder?.host !== hostname()) return true;
  // One that this process does not know of is of another with the same number.
  if (holder.pid === process.pid) return held.has(holder.token);
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  return holder.began === null || holder.began === (await began(holder.pid));
}

/** The time a process began, as Linux counts it; null on other systems. */
async function began(pid: number): Promise<string | null> {
  const text = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the name of the program in brackets, and may have blanks and brackets in it.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}
