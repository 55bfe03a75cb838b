// Adds the contacts of a file, and writes the rows that were refused:  npx tsx add-with-error-report.ts contacts.csv 2 refused.csv
import { WsClient } from 'ctct-activities';
import { writeFile } from 'node:fs/promises';

const [file = 'contacts.csv', list = '2', report = 'refused.csv'] = process.argv.slice(2);
const { CTCT_USER: user = '', CTCT_API_KEY: apiKey = '', CTCT_PASSWORD: password = '' } = process.env;

const client = new WsClient({
  user,
  credentials: { scheme: 'basic', apiKey, user, password },
  baseUrl: process.env.CTCT_BASE_URL,
  onWarning: ({ message }) => console.error(message),
});
const { id } = await client.addContacts({ contacts: { file }, lists: [list] });
const { errors, errorCount, transactionCount } = await client.waitForActivity(id);

const quoted = (cell: string | number | undefined) => `"${String(cell ?? '').replaceAll('"', '""')}"`;
const rows = errors.map((error) =>
  [error.lineNumber, error.emailAddress, error.message].map(quoted).join(','),
);
await writeFile(report, ['Line,Address,Message', ...rows, ''].join('\n'));
console.log(`${transactionCount ?? 0} contacts were taken, ${errorCount} rows were refused: ${report}`);
