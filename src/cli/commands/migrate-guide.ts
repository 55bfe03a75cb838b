import { readdir, stat } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { CtctError, UsageError } from '../../activity/errors.js';
import type { HttpCall } from '../../translate/http-call.js';
import { checkFile } from '../archive-target.js';
import { callsFrom, readBeside, readWhole, sourceOf } from '../call-input.js';
import { command } from '../command.js';
import { OF_RECORDS, OF_SERVICE } from '../global-options.js';
import { PartFile } from '../part-file.js';
import type { Session } from '../session.js';
import { plainText } from '../terminal.js';

export const migrateGuide = command({
  name: 'guide',
  summary: 'write a guide from recorded calls: what becomes of each in v2',
  details:
    'Reads HAR files, folders of raw requests, command lines of curl, and the journal of the emulator. The guide has each ' +
    'distinct call with its v2 counterpart, what is lost, and what the code must do differently, in order of risk. No ' +
    'contacts and no secrets are in it.',
  examples: [
    ['ctct migrate guide calls.har', 'as Markdown, on stdout'],
    ['ctct migrate guide requests/ --out guide.html', 'a page for any browser'],
  ],
  without: [...OF_SERVICE, ...OF_RECORDS],
  arguments: { path: { help: 'file or folder with recorded calls, or - for stdin', several: true } },
  options: {
    out: { kind: 'text', value: 'file', help: 'where it goes: .html is a page, anything else Markdown' },
    format: { kind: 'choice', choices: ['markdown', 'html'], help: 'what it is, whatever --out is called' },
    title: { kind: 'text', value: 'text', help: 'title of the guide' },
    force: { kind: 'flag', help: 'write over a file that is there' },
  },
  async run(session, { path, out, format, title, force }) {
    const { studyCalls } = await import('../../migrate/guide.js');
    const { guideBlocks } = await import('../../migrate/guide-blocks.js');
    const file = out === '-' ? undefined : out;
    if (file !== undefined) {
      if (path.some((name) => resolve(name) === resolve(file))) {
        throw new UsageError('OPTION_INVALID', '--out: is among what is read; name another file');
      }
      await checkFile(file, force);
    }
    const calls: HttpCall[] = [];
    for (const name of path) calls.push(...(await callsIn(session, name)));
    const facts = await studyCalls(calls, { now: session.clock.now(), ...session.abort });
    const sources = path.map(sourceOf);
    if (facts.total === 0) {
      throw new UsageError(
        'OPTION_INVALID',
        `${sources.join(', ')}: none of the requests is to /ws/customers/…`,
      );
    }
    const blocks = guideBlocks(facts, { title, sources });
    const isHtml = format === 'html' || (format === undefined && /^\.html?$/i.test(extname(file ?? '')));
    const text = isHtml
      ? (await import('../../migrate/guide-html.js')).guideHtml(blocks)
      : (await import('../../migrate/guide-markdown.js')).guideMarkdown(blocks);
    await put(session, file, text, force);
    return 'ok';
  },
});

async function put(session: Session, path: string | undefined, text: string, force: boolean): Promise<void> {
  if (path === undefined) {
    await session.output.raw(text);
    return;
  }
  await PartFile.whole(path, force, [text]);
  session.talk.note(`The guide is ${path}`);
}

/** The calls of a file, or of all files in a folder; of those, such as hold no request are told and passed over. */
async function callsIn(session: Session, path: string): Promise<HttpCall[]> {
  const found = path === '-' ? undefined : await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return callsFrom(session, path);
  const { readCalls } = await import('../../translate/read-calls.js');
  const names = (await readdir(path, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const calls: HttpCall[] = [];
  for (const name of names) {
    try {
      calls.push(
        ...(await readCalls(await readWhole(name), { source: name, readFile: readBeside(dirname(name)) })),
      );
    } catch (error) {
      if (!(error instanceof CtctError)) throw error;
      session.talk.note(`passed over: ${plainText(error.message)}`);
    }
  }
  return calls;
}
