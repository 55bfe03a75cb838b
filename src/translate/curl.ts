import { basename } from 'node:path';
import { UsageError } from '../activity/errors.js';
import { encodeForm } from '../format/form.js';
import { FORM_MEDIA_TYPE } from '../ws/names.js';
import { bodyOf, type CallParameter, type HttpCall } from './http-call.js';

/** Reads a file that a command line names. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

/** What an option does to the request, given its value. */
type Act = (draft: Draft, value: string, read: ReadFile) => void | Promise<void>;

interface Draft {
  method: string | undefined;
  url: string | undefined;
  readonly headers: Map<string, string>;
  readonly data: Buffer[];
  readonly parts: CallParameter[];
  asQuery: boolean;
}

/** The options of curl that take a value and shape the request. */
const OPTIONS: Readonly<Record<string, Act>> = {
  '--request': (draft, value) => void (draft.method = value.toUpperCase()),
  '--url': (draft, value) => void (draft.url = value),
  '--header': putHeader,
  '--user': (draft, value) => {
    draft.headers.set('authorization', `Basic ${Buffer.from(value).toString('base64')}`);
  },
  '--oauth2-bearer': (draft, value) => void draft.headers.set('authorization', `Bearer ${value}`),
  '--user-agent': (draft, value) => void draft.headers.set('user-agent', value),
  '--data': (draft, value, read) => putData(draft, value, read, true),
  '--data-ascii': (draft, value, read) => putData(draft, value, read, true),
  '--data-binary': (draft, value, read) => putData(draft, value, read, false),
  '--data-raw': (draft, value) => void draft.data.push(Buffer.from(value)),
  '--data-urlencode': putEncoded,
  '--form': putPart,
  '--form-string': (draft, value) => {
    const [name, text] = halves(value, '=');
    draft.parts.push({ name, value: text ?? '' });
  },
};

/** Options that take a value and say nothing about the request. */
const PASSED_OVER = new Set(
  [
    '--output',
    '--max-time',
    '--connect-timeout',
    '--retry',
    '--retry-delay',
    '--proxy',
    '--cookie-jar',
    '--cookie',
  ].concat([
    ...['--referer', '--write-out', '--cacert', '--cert', '--key', '--resolve', '--interface', '--config'],
    ...['--dump-header', '--trace', '--trace-ascii', '--stderr', '--limit-rate', '--max-redirs', '--tls-max'],
  ]),
);

/** Options without a value; those not named here are refused, since they might have one. */
const FLAGS = new Set(
  [
    '--silent',
    '--show-error',
    '--include',
    '--verbose',
    '--location',
    '--insecure',
    '--fail',
    '--compressed',
  ].concat([
    ...[
      '--http1.1',
      '--http1.0',
      '--http2',
      '--basic',
      '--digest',
      '--anyauth',
      '--progress-bar',
      '--no-buffer',
    ],
    ...[
      '--ipv4',
      '--ipv6',
      '--globoff',
      '--no-progress-meter',
      '--fail-with-body',
      '--remote-name',
      '--tlsv1.2',
    ],
  ]),
);

const SHORT: Readonly<Record<string, string>> = {
  X: '--request',
  H: '--header',
  u: '--user',
  A: '--user-agent',
  d: '--data',
  F: '--form',
  G: '--get',
  I: '--head',
  o: '--output',
  m: '--max-time',
  x: '--proxy',
  b: '--cookie',
  c: '--cookie-jar',
  e: '--referer',
  w: '--write-out',
  D: '--dump-header',
  E: '--cert',
  K: '--config',
  s: '--silent',
  S: '--show-error',
  i: '--include',
  v: '--verbose',
  L: '--location',
  k: '--insecure',
  f: '--fail',
  g: '--globoff',
  N: '--no-buffer',
  O: '--remote-name',
  4: '--ipv4',
  6: '--ipv6',
  '#': '--progress-bar',
  1: '--tlsv1.2',
  0: '--http1.0',
};

/**
 * The request that a command line of curl sends; `words` are those behind `curl`.
 * @throws UsageError `OPTION_INVALID` for an option that is not known here, or has no value; never with the value in it.
 */
export async function curlCall(words: readonly string[], place: string, read: ReadFile): Promise<HttpCall> {
  const draft: Draft = {
    method: undefined,
    url: undefined,
    headers: new Map(),
    data: [],
    parts: [],
    asQuery: false,
  };
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word.startsWith('--') && word !== '--') await putOption(draft, word, () => rest.shift(), place, read);
    else if (word.startsWith('-') && word.length > 1) await putShort(draft, word, rest, place, read);
    else if (draft.url === undefined) draft.url = word;
    else
      throw wrong(
        place,
        'curl is given more than one URL; put each into a command of its own, and quotes around it',
      );
  }
  if (draft.url === undefined) throw wrong(place, 'curl is given no URL');
  return finish(draft, draft.url, place);
}

async function putShort(
  draft: Draft,
  word: string,
  rest: string[],
  place: string,
  read: ReadFile,
): Promise<void> {
  for (let at = 1; at < word.length; at++) {
    const long = SHORT[word.charAt(at)];
    if (long === undefined)
      throw wrong(place, `-${word.charAt(at)} is an option that is not known here; leave it out`);
    const takesValue = Object.hasOwn(OPTIONS, long) || PASSED_OVER.has(long);
    const joined = word.slice(at + 1);
    const value = () => (joined === '' ? rest.shift() : joined);
    await putOption(draft, long, value, place, read);
    if (takesValue) return;
  }
}

async function putOption(
  draft: Draft,
  name: string,
  value: () => string | undefined,
  place: string,
  read: ReadFile,
): Promise<void> {
  if (FLAGS.has(name)) return;
  if (name === '--get') draft.asQuery = true;
  else if (name === '--head') draft.method ??= 'HEAD';
  else if (name === '--json') {
    for (const header of ['content-type', 'accept']) draft.headers.set(header, 'application/json');
    draft.data.push(Buffer.from(valueOf(name, value, place)));
  } else if (PASSED_OVER.has(name)) valueOf(name, value, place);
  else if (Object.hasOwn(OPTIONS, name)) await OPTIONS[name]?.(draft, valueOf(name, value, place), read);
  else throw wrong(place, `${name.replace(/=.*/s, '')} is an option that is not known here; leave it out`);
}

function valueOf(name: string, value: () => string | undefined, place: string): string {
  const given = value();
  if (given === undefined) throw wrong(place, `${name} has no value`);
  return given;
}

function putHeader(draft: Draft, value: string): void {
  const [name, text] = halves(value, ':');
  const key = name.trim().toLowerCase();
  // Without a value, curl leaves the header out.
  if (text === undefined || text.trim() === '') draft.headers.delete(key);
  else draft.headers.set(key, text.trim());
}

/** `@file` is the file; without its line breaks, unless it is taken as it is. */
async function putData(draft: Draft, value: string, read: ReadFile, lines: boolean): Promise<void> {
  if (!value.startsWith('@')) {
    draft.data.push(Buffer.from(value));
    return;
  }
  const bytes = Buffer.from(await read(value.slice(1)));
  draft.data.push(lines ? Buffer.from(bytes.filter((byte) => byte !== 0x0a && byte !== 0x0d)) : bytes);
}

/** `text`, `=text`, `name=text`, `@file`, `name@file`. */
async function putEncoded(draft: Draft, value: string, read: ReadFile): Promise<void> {
  const separator = /[=@]/.exec(value);
  const name = separator === null ? '' : value.slice(0, separator.index);
  const rest = separator === null ? value : value.slice(separator.index + 1);
  const bytes = separator?.[0] === '@' ? await read(rest) : Buffer.from(rest);
  const text = encodeForm([['', Buffer.from(bytes).toString()]]).slice(1);
  draft.data.push(Buffer.from(name === '' ? text : `${name}=${text}`));
}

/** `name=text`, `name=@file`, `name=<file`, and behind a file `;type=…;filename=…`. */
async function putPart(draft: Draft, value: string, read: ReadFile): Promise<void> {
  const [name, content = ''] = halves(value, '=');
  if (!/^[@<]/.test(content)) {
    draft.parts.push({ name, value: content.replace(/^"(.*)"$/s, '$1').replace(/;type=[^;]*$/, '') });
    return;
  }
  const [path = '', ...settings] = content.slice(1).split(';');
  const setting = (key: string) =>
    settings
      .find((text) => text.trim().startsWith(`${key}=`))
      ?.trim()
      .slice(key.length + 1)
      .replace(/^"(.*)"$/, '$1');
  const bytes = await read(path.replace(/^"(.*)"$/, '$1'));
  if (content.startsWith('<')) draft.parts.push({ name, value: bytes });
  else {
    const fileName = setting('filename') ?? basename(path);
    draft.parts.push({
      name,
      value: bytes,
      fileName,
      contentType: setting('type') ?? 'application/octet-stream',
    });
  }
}

async function finish(draft: Draft, url: string, place: string): Promise<HttpCall> {
  const { headers, data, parts, asQuery } = draft;
  const joined = Buffer.concat(
    data.flatMap((piece, index) => (index === 0 ? [piece] : [Buffer.from('&'), piece])),
  );
  if (asQuery) {
    const query = joined.toString();
    const target = query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`;
    return { place, method: draft.method ?? 'GET', url: target, headers, body: Buffer.alloc(0) };
  }
  const hasBody = data.length > 0 || parts.length > 0;
  const method = draft.method ?? (hasBody ? 'POST' : 'GET');
  if (parts.length > 0) {
    const { contentType, body } = await bodyOf('multipart/form-data', parts);
    headers.set('content-type', contentType);
    return { place, method, url, headers, body };
  }
  if (hasBody && !headers.has('content-type')) headers.set('content-type', FORM_MEDIA_TYPE);
  return { place, method, url, headers, body: joined };
}

function halves(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function wrong(place: string, message: string): UsageError {
  return new UsageError('OPTION_INVALID', `${place}: ${message}`);
}
