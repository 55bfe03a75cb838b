import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect } from 'chai';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { ACTIVITY_HEADING, activityRow, ERROR_HEADING, errorRows } from '../../src/archive/record-csv.js';
import { joined, recordDocument, recordLines } from '../../src/archive/record-json.js';
import { Output } from '../../src/cli/output.js';
import { ACTIVITY } from '../../src/cli/views.js';
import { Sink } from '../cli/harness.js';
import { archiveRecord, aRecord, asStream, textOf } from '../support/archive-records.js';

const schema = JSON.parse(
  readFileSync(new URL('../../schemas/activity.schema.json', import.meta.url), 'utf8'),
) as object;
const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true });
formats.default(ajv);
const validate = ajv.compile(schema);

function valid(line: unknown): void {
  expect(validate(line), JSON.stringify(validate.errors)).to.equal(true);
}

type Json = Record<string, unknown>;

describe('a record as JSON', () => {
  it('is a line that the schema describes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(archiveRecord, { maxLength: 4 }), async (records) => {
        const lines = (await textOf(recordLines(asStream(records)))).split('\n');
        expect(lines.pop()).to.equal('');
        expect(lines).to.have.length(records.length);
        for (const line of lines) valid(JSON.parse(line));
      }),
    );
  });

  it('says what the record says', async () => {
    const revive = (value: unknown): unknown => {
      if (value instanceof Date) return value.toISOString();
      if (Array.isArray(value)) return value.map(revive);
      if (typeof value !== 'object' || value === null) return value ?? null;
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, revive(inner)]));
    };
    await fc.assert(
      fc.asyncProperty(archiveRecord, async (record) => {
        const { kind, ...json } = JSON.parse(await textOf(recordLines(asStream([record])))) as Json;
        expect(kind).to.equal('activity');
        const { activity, ...found } = record;
        expect(json).to.deep.equal(revive({ ...activity, ...found }));
      }),
    );
  });

  it('begins as ctct list puts an activity out, and the schema fits that too', async () => {
    await fc.assert(
      fc.asyncProperty(archiveRecord, async (record) => {
        const sink = new Sink();
        await new Output(sink, 'ndjson', (_style, text) => text).records(ACTIVITY, [record.activity]);
        valid(JSON.parse(sink.text));
        const line = await textOf(recordLines(asStream([record])));
        expect(line.startsWith(sink.text.trimEnd().slice(0, -1))).to.equal(true);
      }),
    );
  });

  it('stands in a document with the same records, whatever their number', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(archiveRecord, { maxLength: 3 }), async (records) => {
        const text = await textOf(recordDocument(asStream(records)));
        const { version, kind, data } = JSON.parse(text) as { version: number; kind: string; data: Json[] };
        expect([version, kind]).to.deep.equal([1, 'activities']);
        const lines = (await textOf(recordLines(asStream(records)))).split('\n').slice(0, -1);
        expect(data.map((item) => ({ kind: 'activity', ...item }))).to.deep.equal(
          lines.map((line) => JSON.parse(line) as Json),
        );
      }),
    );
  });

  it('is refused by the schema where something is missing, wrong or too much', async () => {
    const line = JSON.parse(await textOf(recordLines(asStream([aRecord({ id: 'a' })])))) as Json;
    valid(line);
    for (const name of Object.keys(line)) {
      expect(validate({ ...line, [name]: undefined }), `without ${name}`).to.equal(false);
      expect(validate({ ...line, [name]: { wrong: 1 } }), `wrong ${name}`).to.equal(false);
    }
    for (const wrong of [{ more: 1 }, { errorCount: -1 }, { updated: 'yesterday' }, { errors: [{}] }]) {
      expect(validate({ ...line, ...wrong })).to.equal(false);
    }
  });

  it('comes in pieces of some size, and nothing gets lost between them', async () => {
    const texts = Array.from({ length: 500 }, (_, n) => String(n).repeat(n));
    const pieces: string[] = [];
    for await (const piece of joined(asStream(texts), (text) => text)) pieces.push(piece);
    expect(pieces.join('')).to.equal(texts.join(''));
    expect(pieces.length).to.be.within(2, 20);
    expect(await textOf(joined(asStream([]), String))).to.equal('');
  });
});

describe('a record as CSV', () => {
  it('has a cell for each fact of JSON that is one value, equal to it', async () => {
    await fc.assert(
      fc.asyncProperty(archiveRecord, async (record) => {
        const json = JSON.parse(await textOf(recordLines(asStream([record])))) as Json & {
          position: Json;
          problems: unknown[];
        };
        const { kind, errors, position, problems, ...facts } = json;
        expect(kind).to.equal('activity');
        const expected: Json = { ...facts, ...position, problemCount: problems.length };
        const row = activityRow(record);
        expect(row).to.have.length(ACTIVITY_HEADING.length);
        expect([...ACTIVITY_HEADING].sort()).to.deep.equal(Object.keys(expected).sort());
        ACTIVITY_HEADING.forEach((name, index) => {
          const value = expected[name] as string | number | boolean | null;
          expect(row[index], name).to.equal(value === null ? '' : String(value));
        });
        expect(errorRows(record.activity)).to.have.length((errors as unknown[]).length);
      }),
    );
  });

  it('has a row for each error, by the activity it is of', () => {
    const { activity } = aRecord({
      id: 'a07e',
      errors: [
        { lineNumber: 3, emailAddress: 'ann@example.com', message: 'Invalid email' },
        { lineNumber: undefined, emailAddress: undefined, message: '' },
      ],
    });
    expect(ERROR_HEADING).to.deep.equal(['activityId', 'lineNumber', 'emailAddress', 'message']);
    expect(errorRows(activity)).to.deep.equal([
      ['a07e', '3', 'ann@example.com', 'Invalid email'],
      ['a07e', '', '', ''],
    ]);
  });

  it('comes whole where the records end by an error, which comes behind', async () => {
    const failing = (async function* () {
      yield* asStream([aRecord({ id: 'a' }), aRecord({ id: 'b' })]);
      throw new Error('the disk is gone');
    })();
    const texts: string[] = [];
    try {
      for await (const text of recordLines(failing)) texts.push(text);
      expect.fail('expected an error');
    } catch (error) {
      expect((error as Error).message).to.equal('the disk is gone');
    }
    expect(texts.join('').split('\n')).to.have.length(3);
  });
});
