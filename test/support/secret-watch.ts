import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { CtctError } from '../../src/activity/errors.js';

const TESTS = fileURLToPath(new URL('..', import.meta.url));

/** What credentials are called wherever a test writes some: `password: 's3cret'`, `CTCT_ACCESS_TOKEN: 't0ken-1'`. */
const CREDENTIAL =
  /\b(user|apiKey|password|token|accessToken|CTCT_USER|CTCT_API_KEY|CTCT_PASSWORD|CTCT_ACCESS_TOKEN)['"]?\s*[:=]\s*(?:'([^'\\\n]+)'|"([^"\\\n]+)")/g;

/** Words that errors say without giving anything away, such as `password`, are no use as secrets to look for. */
const TELLING = /^(?=.{6,})(?=.*[^A-Za-z -])|-/;

/**
 * What must stand in no error: every credential that is written in these texts, as it is, percent-encoded, in JSON, and
 * as Basic sends it with each API key and user of the same text. Short ones and plain words are left out.
 */
export function secretsWritten(texts: readonly string[]): string[] {
  const secrets = new Set<string>();
  for (const text of texts) {
    const values = { user: new Set<string>(), apiKey: new Set(['']), secret: new Set<string>() };
    for (const [, field = '', one, other] of text.matchAll(CREDENTIAL)) {
      const value = one ?? other ?? '';
      if (/user/i.test(field)) values.user.add(value);
      else values.secret.add(value);
      if (/api_?key/i.test(field)) values.apiKey.add(value);
    }
    for (const secret of values.secret) {
      for (const apiKey of values.apiKey) {
        for (const user of values.user) {
          secrets.add(Buffer.from(`${apiKey}%${user}:${secret}`).toString('base64'));
        }
      }
      if (!TELLING.test(secret) || secret.length < 6) continue;
      for (const spelling of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
        secrets.add(spelling);
      }
    }
  }
  return [...secrets];
}

/** The credentials of every test there is. */
export function secretsOfTests(): string[] {
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return secretsWritten(files.map((file) => readFileSync(path.join(TESTS, file), 'utf8')));
}

/** Credentials as they travel, whoever's they are: hidden ones are written `***`. */
const TRAVELLING = [
  /\bBearer +(?!\*\*\*)[\w.+/~-]{8,}/i,
  /\baccess_token=(?!\*\*\*)[^\s&"'*]{4,}/,
  /\bhttps?:\/\/[^/\s:@"']*:(?!\*\*\*)[^/\s:@"']+@/i,
] as const;

/** Everything of an error that a log may hold, by what shows it. */
function shown(error: Error): Record<string, string> {
  return {
    message: error.message,
    stack: error.stack ?? '',
    inspect: inspect(error, { depth: 10, maxStringLength: 10_000 }),
    JSON: JSON.stringify(error),
    String: String(error),
  };
}

/** Where an error shows a secret, such as `stack`; undefined when it shows none. */
export function revealedBy(error: Error, secrets: readonly string[]): string | undefined {
  return Object.entries(shown(error)).find(([, text]) => reveals(text, secrets))?.[0];
}

function reveals(text: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => text.includes(secret)) || TRAVELLING.some((pattern) => pattern.test(text));
}

/** How many errors of one test are looked at in full; of the others, the message. Properties make them by thousands. */
const LOOKED_AT = 100;

/** Looks at every error of the package's family that is constructed in this process while it is started. */
export class SecretWatch {
  readonly #secrets: readonly string[];
  #pending: Error[] = [];
  #seen = 0;
  readonly #found: string[] = [];
  #restore: (() => void) | undefined;

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /** Errors constructed since the start. */
  get seen(): number {
    return this.#seen;
  }

  start(): void {
    const parent = Object.getPrototypeOf(CtctError) as typeof Error;
    // `super(…)` asks for the parent at each call, so that the family can be watched and no other error.
    const watched = new Proxy(parent, {
      construct: (target, args, newTarget) => {
        const error = Reflect.construct(target, args, newTarget) as Error;
        this.#take(error);
        return error;
      },
    });
    Object.setPrototypeOf(CtctError, watched);
    this.#restore = () => {
      Object.setPrototypeOf(CtctError, parent);
    };
  }

  stop(): void {
    this.#restore?.();
    this.#restore = undefined;
  }

  #take(error: Error) {
    this.#seen++;
    if (this.#pending.length < LOOKED_AT) this.#pending.push(error);
    // The rest of it is not there yet, but the message is, and it is where secrets get in first.
    else if (reveals(error.message, this.#secrets)) this.#found.push(`message of an ${error.name}`);
  }

  /** Looks at what was constructed since the last time, and lets go of it. `where` names the place in the findings. */
  check(where: string): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const error of pending) {
      const place = revealedBy(error, this.#secrets);
      if (place !== undefined) this.#found.push(`${where}: ${place} of ${error.name}`);
    }
  }

  /** Where secrets were found, never the secrets themselves. */
  get found(): readonly string[] {
    return this.#found;
  }
}
