import { expect } from 'chai';
import fc from 'fast-check';
import Papa from 'papaparse';
import type { Activity } from '../../src/activity/activity.js';
import { Output, OutputClosed, type OutputFormat, type View } from '../../src/cli/output.js';
import { displayWidth } from '../../src/cli/terminal.js';
import { ACTIVITY, ACTIVITY_ERROR, LIST } from '../../src/cli/views.js';
import { anActivity, aList } from '../support/stub-service.js';
import { Sink } from './harness.js';

interface Thing {
  readonly name: string;
  readonly size: number | undefined;
  readonly born: Date | undefined;
  readonly good: boolean;
}

const THING: View<Thing> = {
  kind: ['thing', 'things'],
  none: 'No things.',
  fields: [
    { name: 'name', heading: 'Name', value: (thing) => thing.name },
    { name: 'size', heading: 'Size', align: 'right', value: (thing) => thing.size },
    { name: 'born', heading: 'Born', spare: 1, value: (thing) => thing.born },
    { name: 'good', heading: 'Good', spare: 2, value: (thing) => thing.good },
    { name: 'hidden', heading: undefined, value: () => 'hidden' },
  ],
  more: () => ({ extra: [1] }),
};

const thing = fc.record({
  name: fc.string({ unit: 'grapheme' }),
  size: fc.option(fc.nat(), { nil: undefined }),
  born: fc.option(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }), {
    nil: undefined,
  }),
  good: fc.boolean(),
});

const plain = (_style: unknown, text: string) => text;

async function put(format: OutputFormat, things: readonly Thing[], sink = new Sink()): Promise<Sink> {
  await new Output(sink, format, plain).records(THING, things);
  return sink;
}

function asJson(given: Thing): object {
  const { name, size = null, born, good } = given;
  return { name, size, born: born?.toISOString() ?? null, good, hidden: 'hidden', extra: [1] };
}

describe('output', () => {
  it('as JSON is one document, an envelope with every field of every record', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(thing, { maxLength: 5 }), async (things) => {
        const { text } = await put('json', things);
        expect(JSON.parse(text)).to.deep.equal({ version: 1, kind: 'things', data: things.map(asJson) });
      }),
    );
  });

  it('as NDJSON is a record a line, each with its kind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(thing, { maxLength: 5 }), async (things) => {
        const { lines } = await put('ndjson', things);
        expect(lines.map((line): unknown => JSON.parse(line))).to.deep.equal(
          things.map((one) => ({ kind: 'thing', ...asJson(one) })),
        );
      }),
    );
  });

  it('as CSV is read back by another reader', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(thing, { minLength: 1, maxLength: 5 }), async (things) => {
        const { text } = await put('csv', things);
        const { data } = Papa.parse<string[]>(text.replace(/\r?\n$/, ''), { delimiter: ',' });
        expect(data).to.deep.equal([
          ['name', 'size', 'born', 'good', 'hidden'],
          ...things.map(({ name, size, born, good }) => [
            name,
            String(size ?? ''),
            born?.toISOString() ?? '',
            String(good),
            'hidden',
          ]),
        ]);
      }),
    );
  });

  it('as a table is a line a record, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(thing, { minLength: 1, maxLength: 5 }), async (things) => {
        const { lines } = await put('table', things);
        expect(lines).to.have.length(things.length + 1);
        expect(lines[0]).to.match(/^Name +Size +Born +Good$/);
        // "yes" and "no" stand below "Good".
        const at = displayWidth(lines[0]!.slice(0, -'Good'.length));
        things.forEach(({ good }, index) => {
          expect(displayWidth(lines[index + 1]!)).to.equal(at + (good ? 3 : 2));
        });
      }),
    );
  });

  it('drops the spare columns of a table that a terminal has no room for', async () => {
    const things = [{ name: 'a name', size: 1234, born: new Date(0), good: true }];
    const heading = async (columns: number) =>
      (await put('table', things, new Sink({ columns }))).lines[0]!.split(/ +/);
    expect(await heading(80)).to.deep.equal(['Name', 'Size', 'Born', 'Good']);
    expect(await heading(38)).to.deep.equal(['Name', 'Size', 'Born']);
    expect(await heading(20)).to.deep.equal(['Name', 'Size']);
    expect(await heading(5)).to.deep.equal(['Name', 'Size']);
    expect((await put('table', things)).lines[1]).to.equal('a name  1,234  1970-01-01 00:00:00  yes');
  });

  it('says that there is nothing, or is empty', async () => {
    expect((await put('table', [])).text).to.equal('No things.\n');
    expect((await put('ndjson', [])).text).to.equal('');
    expect((await put('csv', [])).text.trim()).to.equal('name,size,born,good,hidden');
  });

  it('of one record is its facts, a line each, in a table', async () => {
    const sink = new Sink();
    await new Output(sink, 'table', plain).record(THING, {
      name: 'x',
      size: undefined,
      born: undefined,
      good: false,
    });
    expect(sink.lines).to.deep.equal(['Name  x', 'Good  no']);
  });

  it('of one record is an envelope with that record in JSON, a line in the others', async () => {
    const one = { name: 'x', size: 1, born: undefined, good: true };
    const text = async (format: OutputFormat) => {
      const sink = new Sink();
      await new Output(sink, format, plain).record(THING, one);
      await new Output(sink, format, plain).tableLine('only in tables');
      return sink.text;
    };
    expect(JSON.parse(await text('json'))).to.deep.equal({ version: 1, kind: 'thing', data: asJson(one) });
    expect(JSON.parse(await text('ndjson'))).to.deep.include({ kind: 'thing', name: 'x' });
    expect((await text('csv')).split(/\r?\n/)[1]).to.equal('x,1,,true,hidden');
    expect(await text('table')).to.contain('only in tables\n');
  });

  it('ends when nobody reads it any more, and passes other failures on', async () => {
    for (const [code, type] of [
      ['EPIPE', OutputClosed],
      ['ERR_STREAM_DESTROYED', OutputClosed],
      ['ENOSPC', Error],
    ] as const) {
      const sink = new Sink();
      sink.failure = Object.assign(new Error(code), { code });
      const error: unknown = await put(
        'ndjson',
        [{ name: 'x', size: 1, born: undefined, good: true }],
        sink,
      ).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(type);
      expect((error as Error).name === 'OutputClosed').to.equal(type === OutputClosed);
    }
  });
});

describe('views', () => {
  async function table<T>(view: View<T>, records: readonly T[], paint = plain): Promise<string[]> {
    const sink = new Sink();
    await new Output(sink, 'table', paint).records(view, records);
    return sink.lines;
  }

  it('show an activity of which little is told', async () => {
    expect(await table(ACTIVITY, [anActivity({ id: 'a07e1' })])).to.deep.equal([
      'Activity  Type  Status    Errors  Contacts  Created (UTC)  Started  Finished  File',
      'a07e1           not told       0',
    ]);
  });

  it('paint a status by what it means', async () => {
    const painted = async (facts: Partial<Activity>) =>
      (
        await table(ACTIVITY, [anActivity({ id: 'a', ...facts })], (style, text) =>
          style === 'bold' ? text : `<${String(style)}>`,
        )
      )[1]
        ?.trim()
        .split(/ +/)[1];
    expect(await painted({ status: 'COMPLETE' })).to.equal('<green>');
    expect(await painted({ status: 'COMPLETE', errorCount: 2 })).to.equal('<yellow>');
    expect(await painted({ status: 'ERROR' })).to.equal('<red>');
    expect(await painted({ status: 'PAUSED' })).to.equal('<cyan>');
  });

  it('let no text of the service act on a terminal', async () => {
    const lines = await table(ACTIVITY_ERROR, [
      { lineNumber: 3, emailAddress: 'a\u001b[2J@example.com', message: 'one\ntwo' },
    ]);
    expect(lines[1]).to.equal('   3  a·[2J@example.com  one⏎two');
  });

  it('show the members of a list, where they are counted', async () => {
    const lists = [
      { ...aList('active', 'Active'), system: true },
      { ...aList('2', 'Spring'), contactCount: 12_345 },
    ];
    expect(await table(LIST, lists)).to.deep.equal([
      'List    Name    Members  System',
      'active  Active        –  yes',
      '2       Spring   12,345  no',
    ]);
  });
});
