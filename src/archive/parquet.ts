import type { ParquetWriter, SchemaElement } from 'hyparquet-writer';
import { optional } from '../optional.js';
import type { ArchiveRecord } from './record.js';

/** A row group is written once so many rows, or rows that were so many bytes of the archive, have come together. */
const GROUP_ROWS = 20_000;
const GROUP_BYTES = 8 * 1024 * 1024;

type Repetition = 'REQUIRED' | 'OPTIONAL';

/** A column of the file: its elements of the schema, and what a record has in it. */
interface ParquetColumn {
  readonly schema: readonly SchemaElement[];
  readonly value: (record: ArchiveRecord) => unknown;
}

const COLUMNS: readonly ParquetColumn[] = [
  { schema: text('id', 'REQUIRED'), value: ({ activity }) => activity.id },
  { schema: text('type'), value: ({ activity }) => activity.type },
  { schema: text('status'), value: ({ activity }) => activity.status },
  { schema: integer('errorCount', 'REQUIRED'), value: ({ activity }) => BigInt(activity.errorCount) },
  { schema: integer('transactionCount'), value: ({ activity }) => maybeBigInt(activity.transactionCount) },
  { schema: instant('insertTime'), value: ({ activity }) => activity.insertTime },
  { schema: instant('runStartTime'), value: ({ activity }) => activity.runStartTime },
  { schema: instant('runFinishTime'), value: ({ activity }) => activity.runFinishTime },
  { schema: instant('updated'), value: ({ activity }) => activity.updated },
  { schema: text('fileName'), value: ({ activity }) => activity.fileName },
  { schema: text('title'), value: ({ activity }) => activity.title },
  {
    schema: listOf('errors', [
      ...integer('lineNumber'),
      ...text('emailAddress'),
      ...text('message', 'REQUIRED'),
    ]),
    value: ({ activity }) =>
      activity.errors.map((error) => ({ ...error, lineNumber: maybeBigInt(error.lineNumber) })),
  },
  { schema: text('editMedia'), value: ({ activity }) => activity.editMedia },
  { schema: positionGroup(), value: ({ position }) => positionValue(position) },
  {
    schema: [{ name: 'salvaged', type: 'BOOLEAN', repetition_type: 'REQUIRED' }],
    value: ({ salvaged }) => salvaged,
  },
  {
    schema: listOf('problems', [
      ...text('code', 'REQUIRED'),
      ...text('message', 'REQUIRED'),
      ...positionGroup(),
    ]),
    value: ({ problems }) =>
      problems.map((problem) => ({ ...problem, position: positionValue(problem.position) })),
  },
];

const SCHEMA: readonly SchemaElement[] = [
  { name: 'activities', num_children: COLUMNS.length },
  ...COLUMNS.flatMap(({ schema }) => schema),
];

/**
 * The records as the bytes of one Parquet file, in pieces; the names and the nesting are those of the NDJSON records.
 * A piece is good until the next is asked for. Text is UTF-8, counts are INT64, instants TIMESTAMP_MILLIS in UTC; pages
 * are packed by Snappy. The file is whole when the last piece, its footer, has been written.
 * @throws UsageError `PACKAGE_MISSING` without hyparquet-writer, which is optional; what reading the records throws
 */
export async function* parquetBytes(records: AsyncIterable<ArchiveRecord>): AsyncGenerator<Uint8Array> {
  const { ByteWriter, ParquetWriter } = await optional('hyparquet-writer', () => import('hyparquet-writer'));
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({ writer, schema: [...SCHEMA], createdBy: 'ctct-activities' });
  const written = () => {
    const bytes = writer.getBytes();
    // The writer counts on from here; what it has in hand starts anew.
    writer.index = 0;
    return bytes;
  };

  let group: ArchiveRecord[] = [];
  let bytes = 0;
  for await (const record of records) {
    group.push(record);
    bytes += record.position.length;
    if (group.length < GROUP_ROWS && bytes < GROUP_BYTES) continue;
    await writeGroup(parquet, group);
    yield written();
    group = [];
    bytes = 0;
  }
  if (group.length > 0) await writeGroup(parquet, group);
  await parquet.finish();
  yield written();
}

async function writeGroup(parquet: ParquetWriter, group: readonly ArchiveRecord[]): Promise<void> {
  const columnData = COLUMNS.map(({ schema, value }) => ({
    name: schema[0]?.name ?? '',
    data: group.map(value),
  }));
  await parquet.write({ columnData, rowGroupSize: group.length });
}

function text(name: string, repetition: Repetition = 'OPTIONAL'): SchemaElement[] {
  return [{ name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: repetition }];
}

function integer(name: string, repetition: Repetition = 'OPTIONAL'): SchemaElement[] {
  return [{ name, type: 'INT64', repetition_type: repetition }];
}

function instant(name: string): SchemaElement[] {
  return [{ name, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'OPTIONAL' }];
}

/** The three levels that Parquet makes of a list: the list, its repetition, its element with these fields. */
function listOf(name: string, fields: readonly SchemaElement[]): SchemaElement[] {
  return [
    { name, repetition_type: 'REQUIRED', converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'REQUIRED', num_children: childrenOf(fields) },
    ...fields,
  ];
}

/** How many of the elements, each followed by those in it, stand on the first level. */
function childrenOf(elements: readonly SchemaElement[]): number {
  const inside = elements.reduce((sum, { num_children = 0 }) => sum + num_children, 0);
  return elements.length - inside;
}

function positionGroup(): SchemaElement[] {
  const fields = [
    ...text('source', 'REQUIRED'),
    ...['line', 'column', 'byteOffset', 'length'].flatMap((name) => integer(name, 'REQUIRED')),
  ];
  return [{ name: 'position', repetition_type: 'REQUIRED', num_children: fields.length }, ...fields];
}

function positionValue({ source, line, column, byteOffset, length }: ArchiveRecord['position']) {
  return {
    source,
    line: BigInt(line),
    column: BigInt(column),
    byteOffset: BigInt(byteOffset),
    length: BigInt(length),
  };
}

function maybeBigInt(count: number | undefined): bigint | undefined {
  return count === undefined ? undefined : BigInt(count);
}
