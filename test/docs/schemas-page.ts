import { readdirSync, readFileSync } from 'node:fs';

/** What reads or writes the documents of each schema. */
const USED_BY: Readonly<Record<string, string>> = {
  'config.schema.json': 'read by every command; checked at run time',
  'output.schema.json': 'written by every command with `--output json`',
  'output-line.schema.json': 'written by every command with `--output ndjson`',
  'activity.schema.json': 'written by `ctct list`, `show` and `archive read` with `--output ndjson`',
  'translation.schema.json': 'written by `ctct translate --output json`',
  'upload-parts.schema.json': 'written by `ctct translate --split`',
  'archive-statistics.schema.json': 'written by `ctct archive stats --output json`, as data',
  'emulator-seed.schema.json': 'read by `ctct emulator --seed`; checked at run time',
  'emulator-journal.schema.json':
    'written by `ctct emulator --journal` and `ctct gateway --record`; read by `ctct translate` and `ctct migrate guide`',
  'gateway-accounts.schema.json': 'read by `ctct gateway --accounts`; checked at run time',
  'migration-plan.schema.json':
    'written by `ctct migrate plan`; read by `ctct migrate run`, `status` and `report`; checked at run time',
  'migration-report.schema.json': 'written by `ctct migrate report --output json`, as data',
};

const FOLDER = new URL('../../schemas/', import.meta.url);

/** The rows of a table of schemas: its file, what it is of, and what reads or writes that. */
function rows(): string[][] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  const unknown = [
    ...files.filter((name) => !(name in USED_BY)),
    ...Object.keys(USED_BY).filter((name) => !files.includes(name)),
  ];
  if (unknown.length > 0) throw new Error(`test/docs/schemas-page.ts: ${unknown.join(', ')}`);
  return Object.entries(USED_BY).map(([name, use]) => {
    const { title, description = '' } = about(name);
    return [`[${name}](../schemas/${name})`, `${title}. ${description}`.trim(), use];
  });
}

function serviceRows(): string[][] {
  return readdirSync(new URL('v2/', FOLDER)).map((name) => {
    const { title, description = '' } = about(`v2/${name}`);
    return [`[v2/${name}](../schemas/v2/${name})`, `${title}. ${description}`.trim()];
  });
}

function about(name: string): { title: string; description?: string } {
  return JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as { title: string; description?: string };
}

export function schemasPage(
  table: (head: readonly string[], rows: readonly (readonly string[])[]) => string,
): string {
  return `# Schemas

Every document that is read or written here has a JSON Schema (draft 2020-12) in schemas/; from a program,
\`import 'ctct-activities/schemas/output.schema.json' with { type: 'json' }\`. What people write is checked when it is read: an
error has the file, the line and the column, and what was expected. What holds a \`version\` raises it when a property changes
its meaning or goes away. This page is made of the files, by \`npm run docs\`.

${table(['schema', 'of what', 'read or written by'], rows())}

What goes to the service and comes from it is described by these, of v2, and by
[ws/documents.rng](../schemas/ws/documents.rng), RELAX NG for the Atom documents of ws. The tests hold the client, the
emulator and the gateway to them.

${table(['schema', 'of what'], serviceRows())}
`;
}
