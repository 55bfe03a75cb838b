import { UsageError } from '../activity/errors.js';
import { decodeBytes } from '../format/charset.js';
import { FORM_MEDIA_TYPE } from '../ws/names.js';
import { curlCall, type ReadFile } from './curl.js';
import type { HttpCall } from './http-call.js';
import { looksLikeHttp, rawCall } from './raw-http.js';
import { harCalls, journalCalls } from './recorded-calls.js';
import { shellCommands } from './shell-words.js';

export interface ReadCallsOptions {
  /** What places and errors call it. */
  readonly source: string;
  /** Reads the files that command lines of curl name. Default: they cannot be read. */
  readonly readFile?: ReadFile | undefined;
}

/**
 * The HTTP requests that a text holds, in whatever form people have them: a form body, an HTTP message, command lines of
 * curl, a HAR file, or the journal of the emulator (as NDJSON, an array, or one entry).
 * @throws UsageError `OPTION_INVALID` for anything else, naming what can be read.
 */
export async function readCalls(bytes: Uint8Array, options: ReadCallsOptions): Promise<HttpCall[]> {
  const { source, readFile = unreadable } = options;
  const plain = bytes.subarray(leadingBlanks(bytes));
  const begin = decodeBytes(plain);
  if (/^[[{]/.test(begin)) return recorded(begin, source);
  if (looksLikeHttp(begin)) return [rawCall(plain, source)];
  if (/^https?:\/\/\S+\s*$/i.test(begin)) {
    return [{ place: source, method: 'GET', url: begin.trim(), headers: new Map(), body: Buffer.alloc(0) }];
  }
  if (CURL.test(begin)) return fromScript(begin, source, readFile);
  const boundary = /^--([!-~]{1,200})\r?\nContent-Disposition:/i.exec(begin)?.[1];
  if (boundary !== undefined) return [creation(plain, `multipart/form-data; boundary="${boundary}"`, source)];
  if (/(?:^|&)\s*activityType\s*=/.test(begin)) return [creation(plain, FORM_MEDIA_TYPE, source)];
  throw new UsageError(
    'OPTION_INVALID',
    `${source}: holds no request that can be read; give a form body (activityType=…), an HTTP message (POST /ws/… ` +
      'HTTP/1.1), command lines of curl, a HAR file, or the journal of the emulator',
  );
}

/** Bytes before the text: a byte order mark, blanks, empty lines. */
function leadingBlanks(bytes: Uint8Array): number {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while ([0x20, 0x09, 0x0a, 0x0d].includes(bytes[at] ?? 0)) at++;
  return at;
}

function unreadable(path: string): Promise<never> {
  return Promise.reject(new UsageError('FILE_UNREADABLE', `${path}: files cannot be read here`));
}

/** The body alone: it can only be meant for the one place that takes such bodies. */
function creation(body: Uint8Array, contentType: string, place: string): HttpCall {
  const headers = new Map([['content-type', contentType]]);
  return { place, method: 'POST', url: '/ws/customers/user/activities', headers, body };
}

/** A line that calls curl, alone, behind a prompt, by another program, or for its output. */
const CURL =
  /^[ \t]*(?:\$[ \t]+)?(?:(?:sudo|time|exec|\w+="?\$\(|\w+=`)[ \t]*)*(?:[^\s'"=&]*\/)?curl(?:\.exe)?(?:[ \t]+(?:-|["'^$]|\S*:\/\/)|[ \t]+[\\^`]?\r?\n)/im;

async function fromScript(text: string, source: string, readFile: ReadFile): Promise<HttpCall[]> {
  const script = posixScript(text).replace(/^[ \t]*\$[ \t]+/gm, '');
  const commands = shellCommands(script).flatMap((words, index) => {
    if (words[0]?.startsWith('-') === true) {
      // What it has to say about the request before it would be dropped in silence.
      throw new UsageError(
        'OPTION_INVALID',
        `${source}: command ${index + 1} begins with an option of the one before it; let the lines before end with a backslash`,
      );
    }
    const at = words.findIndex((word) => !/^(?:sudo|time|exec|\w+=.*)$/s.test(word));
    return /(?:^|\/)curl(?:\.exe)?$/i.test(words[at] ?? '') ? [words.slice(at)] : [];
  });
  const calls: HttpCall[] = [];
  for (const [index, [, ...words]] of commands.entries()) {
    const place = commands.length === 1 ? source : `${source}, command ${index + 1}`;
    calls.push(await curlCall(words, place, readFile));
  }
  return calls;
}

/** A command line as it is written for cmd or PowerShell, as a shell of Unix has it; any other is left alone. */
function posixScript(text: string): string {
  if (/\\\r?\n/.test(text)) return text;
  // In cmd, ^ takes its meaning from what follows, a line end too.
  if (/\^(?:["%]|[ \t]*\r?\n)/.test(text)) {
    return text.replace(/\^(?:[ \t]*\r?\n|(.))/g, (_, kept: string | undefined) => kept ?? '');
  }
  return text.replace(/[ \t]`\r?\n/g, ' ');
}

async function recorded(text: string, source: string): Promise<HttpCall[]> {
  const whole = parsed(text);
  if (Array.isArray(whole)) return journalCalls(whole, source);
  if (typeof whole === 'object' && whole !== null) {
    const { log, requests } = whole as { readonly log?: unknown; readonly requests?: unknown };
    if (log !== undefined) return harCalls({ log }, source);
    return journalCalls(Array.isArray(requests) ? requests : [whole], source);
  }
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const entries = lines.map((line, index) => {
    const entry = parsed(line);
    if (entry !== undefined) return entry;
    throw new UsageError('OPTION_INVALID', `${source}: line ${index + 1} is not JSON`);
  });
  return journalCalls(entries, source);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
