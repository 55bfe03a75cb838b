import type { Activity, ActivityError } from '../activity/activity.js';
import type { ContactList } from '../activity/list.js';
import type { View } from './output.js';
import { showBytes } from './progress.js';
import { programName, shellWord, type Session } from './session.js';
import { cutTo, displayWidth, padTo, painter, plainText, widthOf, type Paint } from './terminal.js';

/** What the demo did, for those who read it as JSON. */
export interface DemoSummary {
  readonly upload: Activity;
  readonly export: Activity;
  /** Rows of the uploaded file. */
  readonly rows: number;
  /** Rows the service took, and contacts they are, since an address may come twice. */
  readonly accepted: number;
  readonly contacts: number;
  readonly path: string;
  readonly bytes: number;
  /** What the saved file has otherwise than was accepted; none when all is well. */
  readonly differences: readonly string[];
}

export const DEMO: View<DemoSummary> = {
  kind: ['demo', 'demos'],
  none: 'Nothing was done.',
  fields: [
    { name: 'rows', heading: 'Rows', value: (demo) => demo.rows },
    { name: 'accepted', heading: 'Accepted', value: (demo) => demo.accepted },
    { name: 'refused', heading: 'Refused', value: (demo) => demo.upload.errorCount },
    { name: 'contacts', heading: 'Contacts', value: (demo) => demo.contacts },
    { name: 'path', heading: 'Saved to', value: (demo) => demo.path },
    { name: 'bytes', heading: 'Bytes', value: (demo) => demo.bytes },
    { name: 'verified', heading: 'Verified', value: (demo) => demo.differences.length === 0 },
    { name: 'uploadId', heading: 'Upload', value: (demo) => demo.upload.id },
    { name: 'exportId', heading: 'Export', value: (demo) => demo.export.id },
  ],
  details: ['errors', 'editMedia', 'differences'],
  more: (demo) => ({
    errors: demo.upload.errors,
    editMedia: demo.export.editMedia,
    differences: demo.differences,
  }),
};

/** The demo as a person reads it on a terminal; nothing in the other formats. */
export class DemoStory {
  readonly #session: Session;
  readonly #paint: Paint;
  readonly #width: number;
  #chapter = 0;

  constructor(session: Session) {
    this.#session = session;
    this.#paint = painter(session.io.stdout, session.io.env);
    this.#width = widthOf(session.io.stdout) ?? Infinity;
  }

  async begins(user: string, url: string): Promise<void> {
    await this.#line(`An emulated account, ${user}, is served at ${url}`);
    await this.#line('Nothing leaves this machine.');
  }

  async chapter(title: string): Promise<void> {
    await this.#line('');
    await this.#line(this.#paint('bold', `${++this.#chapter}  ${title}`));
  }

  /** A line of a chapter: its name, and what there is to say. */
  async fact(name: string, text: string): Promise<void> {
    await this.#line(`   ${this.#paint('dim', padTo(name, 9))}${text}`);
  }

  async lists(lists: AsyncIterable<ContactList>): Promise<void> {
    const all = [];
    for await (const list of lists) all.push(list);
    const ids = widest(all.map(({ id }) => id));
    const names = widest(all.map(({ name }) => name));
    for (const { id, name, contactCount } of all) {
      const members = contactCount === undefined ? 'kept by the service' : `${contactCount} members`;
      await this.#line(`   ${padTo(id, ids)}  ${padTo(name, names)}  ${this.#paint('dim', members)}`);
    }
  }

  /** How an activity went, from the statuses seen and the milliseconds it took. */
  async activity(activity: Activity, statuses: readonly string[], took: number): Promise<void> {
    await this.fact('activity', activity.id);
    const done = this.#paint(activity.status === 'COMPLETE' ? 'green' : 'red', statuses.at(-1) ?? '');
    const way = [...statuses.slice(0, -1), done].join(' → ');
    await this.fact('status', `${way}  ${this.#paint('dim', `${(took / 1000).toFixed(1)} s`)}`);
  }

  /** The rows the service refused: why, and what stood there. */
  async refused(errors: readonly ActivityError[], lines: readonly string[]): Promise<void> {
    const addresses = widest(errors.map(({ emailAddress }) => emailAddress ?? ''));
    for (const { lineNumber, emailAddress, message } of errors) {
      const line = padTo(`line ${lineNumber ?? '?'}`, 9);
      const address = padTo(plainText(emailAddress ?? ''), addresses);
      await this.#line(`   ${line}${address}  ${this.#paint('yellow', plainText(message))}`);
      const content = plainText(lines[(lineNumber ?? 0) - 1] ?? '');
      await this.#line(`            ${this.#paint('dim', cutTo(content, this.#width - 12))}`);
    }
  }

  /** @param temporary nobody said where the file is to be. */
  async saved(summary: DemoSummary, temporary: boolean): Promise<void> {
    const { path, bytes, contacts, rows, accepted, differences } = summary;
    await this.fact('file', `${path} (${showBytes(bytes)})`);
    if (temporary) {
      await this.fact('', this.#paint('dim', 'yours to look at, and to delete; --out puts it elsewhere'));
    }
    if (differences.length > 0) {
      await this.fact('checked', this.#paint('red', 'it is not what was accepted:'));
      for (const difference of differences) await this.fact('', plainText(difference));
      return;
    }
    const twice = accepted - contacts;
    const why = [
      `${rows - accepted} refused`,
      ...(twice === 0 ? [] : [`${twice} for an address that came twice`]),
    ];
    await this.fact(
      'checked',
      this.#paint('green', `it holds exactly the ${contacts} contacts that were accepted`),
    );
    await this.fact('', this.#paint('dim', `${rows} rows, less ${why.join(', less ')}`));
  }

  async ends(contactsFile: string): Promise<void> {
    const ctct = programName(this.#session.io.env);
    const steps = [
      [`${ctct} emulator --fast`, 'serves an account to try; set what it prints in another terminal'],
      [
        `${ctct} add ${shellWord(contactsFile)} --list 2 --wait`,
        'adds the same contacts, and waits for the end',
      ],
      [`${ctct} --help`, 'tells the rest, and how to use it with your own account'],
    ] as const;
    await this.#line('');
    await this.#line(this.#paint('bold', 'Next'));
    for (const [line, does] of steps) {
      await this.#line(`   ${this.#paint('cyan', line)}`);
      await this.#line(`      ${this.#paint('dim', does)}`);
    }
  }

  #line(text: string): Promise<void> {
    return this.#session.output.tableLine(text);
  }
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(displayWidth));
}
