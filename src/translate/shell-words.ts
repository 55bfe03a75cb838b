import { UsageError } from '../activity/errors.js';

/** What a backslash and a letter stand for in `$'…'`. */
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/**
 * The commands of a shell script, each as its words, as far as a recorded command line needs it: quotes of all three
 * kinds, backslashes, comments, lines that go on. Variables and substitutions stay as they are written; what stands behind
 * a redirection, a pipe or a parenthesis is a command of its own.
 * @throws UsageError `OPTION_INVALID` for a quote that is not closed, naming its line.
 */
export function shellCommands(script: string): string[][] {
  return new ShellReader(script).commands();
}

class ShellReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.replaceAll('\r\n', '\n');
  }

  commands(): string[][] {
    const commands: string[][] = [];
    let words: string[] = [];
    while (this.#at < this.#text.length) {
      const character = this.#peek();
      if (character === '\\' && this.#peek(1) === '\n') this.#at += 2;
      else if (character === ' ' || character === '\t') this.#at++;
      else if (character === '#') this.#skipLine();
      else if (/[\n;|&<>()`]/.test(character)) {
        this.#at++;
        if (words.length > 0) commands.push(words);
        words = [];
      } else words.push(this.#word());
    }
    if (words.length > 0) commands.push(words);
    return commands;
  }

  #peek(ahead = 0): string {
    return this.#text.charAt(this.#at + ahead);
  }

  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#text.length : end;
  }

  #word(): string {
    let word = '';
    while (this.#at < this.#text.length && !/[\s;|&<>()`]/.test(this.#peek())) {
      const character = this.#peek();
      if (character === "'") word += this.#quoted("'", () => this.#take());
      else if (character === '"') word += this.#quoted('"', () => this.#inDoubleQuotes());
      else if (character === '$' && this.#peek(1) === "'") {
        this.#at++;
        word += this.#quoted("'", () => (this.#peek() === '\\' ? this.#ansiEscape() : this.#take()));
      } else if (character === '\\') {
        this.#at++;
        const next = this.#take();
        word += next === '\n' ? '' : next;
      } else word += this.#take();
    }
    return word;
  }

  #take(): string {
    const character = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    if (this.#at >= this.#text.length) return '';
    this.#at += character.length;
    return character;
  }

  #quoted(quote: string, next: () => string): string {
    const start = this.#at++;
    let text = '';
    while (this.#peek() !== quote) {
      if (this.#at >= this.#text.length) {
        const line = this.#text.slice(0, start).split('\n').length;
        throw new UsageError('OPTION_INVALID', `line ${line}: the quote ${quote} is not closed`);
      }
      text += next();
    }
    this.#at++;
    return text;
  }

  #inDoubleQuotes(): string {
    if (this.#peek() !== '\\' || !/["\\$`\n]/.test(this.#peek(1))) return this.#take();
    this.#at++;
    const next = this.#take();
    return next === '\n' ? '' : next;
  }

  #ansiEscape(): string {
    this.#at++;
    const rest = this.#text.slice(this.#at, this.#at + 10);
    const code = /^(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3}))/.exec(rest);
    if (code !== null) {
      this.#at += code[0].length;
      const [, byte, short, long, octal] = code;
      const point = octal === undefined ? parseInt(byte ?? short ?? long ?? '0', 16) : parseInt(octal, 8);
      return point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
    }
    const next = this.#take();
    return ESCAPES[next] ?? (/[\\'"?]/.test(next) ? next : `\\${next}`);
  }
}
