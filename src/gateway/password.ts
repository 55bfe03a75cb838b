import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { ServiceError } from '../activity/errors.js';
import { isSame } from '../http/digest.js';

/** How hard a password is to guess from its hash: 32 MiB and about a tenth of a second each. */
const COST = { N: 32_768, r: 8, p: 1 } as const;
/** The most that a hash may ask for, so that a wrong one does not take the memory of the machine. */
const MOST_MEMORY = 256 * 1024 * 1024;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

const HASH = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([\w-]{11,86})\$([\w-]{22,86})$/;

/** True for a text that is a hash, not a password: `scrypt$32768$8$1$<salt>$<hash>`. */
export function isPasswordHash(text: string): boolean {
  return text.startsWith('scrypt$');
}

/** True for a hash that passwords can be checked against. */
export function isUsableHash(text: string): boolean {
  return parse(text) !== undefined;
}

/** What stands for a password in a file that others may see; another one at each call. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password.normalize('NFC'), { ...COST, salt, length: HASH_BYTES });
  const { N, r, p } = COST;
  return `scrypt$${N}$${r}$${p}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

/**
 * Whether a password is the one expected, itself or by its hash, in a time that does not tell where they differ. What came
 * of a hash is remembered for the next time, so that a client which polls does not wait for it.
 * @throws ServiceError 503 while too many others wait to have theirs checked against a hash.
 */
export async function isRight(given: string, expected: string): Promise<boolean> {
  const password = given.normalize('NFC');
  if (!isPasswordHash(expected)) return isSame(digest(password), digest(expected.normalize('NFC')));
  const key = digest(`${expected}\n${password}`);
  if (right.has(key) || wrong.has(key)) return right.has(key);
  const found = pending.get(key) ?? verifyNext(key, password, expected);
  const answer = await found;
  remember(answer ? right : wrong, key);
  return answer;
}

/** What was answered, by a digest that the password cannot be read from. Guesses do not push out what is right. */
const right = new Set<string>();
const wrong = new Set<string>();
const MOST_KNOWN = 10_000;

function remember(answers: Set<string>, key: string): void {
  const [oldest] = answers;
  if (answers.size >= MOST_KNOWN && oldest !== undefined) answers.delete(oldest);
  answers.add(key);
}

const pending = new Map<string, Promise<boolean>>();
const MOST_PENDING = 50;
let last: Promise<boolean> = Promise.resolve(true);

/** One after the other: clients that keep guessing take one thread, not all. */
function verifyNext(key: string, password: string, expected: string): Promise<boolean> {
  if (pending.size >= MOST_PENDING) throw busy();
  const next = () => verify(password, expected);
  last = last.then(next, next).finally(() => pending.delete(key));
  pending.set(key, last);
  return last;
}

function busy(): ServiceError {
  const detail = 'Too many are signing in at present; try again in a few seconds';
  return new ServiceError('RATE_LIMITED', detail, { status: 503, detail, retryAfter: 5 });
}

const KEY = randomBytes(32);

function digest(text: string): string {
  return createHmac('sha256', KEY).update(text).digest('base64');
}

async function verify(given: string, expected: string): Promise<boolean> {
  const hash = parse(expected);
  if (hash === undefined) return false;
  const made = await derive(given, { ...hash, length: hash.hash.length });
  return timingSafeEqual(made, hash.hash);
}

interface Recipe {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
}

function parse(text: string): (Recipe & { readonly hash: Buffer }) | undefined {
  const match = HASH.exec(text);
  if (match === null) return undefined;
  const [, cost, r, p, salt = '', hash = ''] = match;
  const recipe = { N: Number(cost), r: Number(r), p: Number(p) };
  const power = recipe.N > 1 && (recipe.N & (recipe.N - 1)) === 0;
  if (!power || recipe.r < 1 || recipe.p < 1 || recipe.p > 16) return undefined;
  if (128 * recipe.N * recipe.r > MOST_MEMORY / 2) return undefined;
  return { ...recipe, salt: Buffer.from(salt, 'base64url'), hash: Buffer.from(hash, 'base64url') };
}

function derive(password: string, { N, r, p, salt, length }: Recipe & { length: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { N, r, p, maxmem: MOST_MEMORY }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
