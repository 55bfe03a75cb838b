// Exports a contact list and saves its file:  npx tsx export-and-download.ts 2 contacts.csv
import { saveDownload, WsClient } from 'ctct-activities';

const [listId = '2', path = 'contacts.csv'] = process.argv.slice(2);
const { CTCT_USER: user = '', CTCT_API_KEY: apiKey = '', CTCT_PASSWORD: password = '' } = process.env;

const client = new WsClient({
  user,
  credentials: { scheme: 'basic', apiKey, user, password },
  baseUrl: process.env.CTCT_BASE_URL,
});
const { id } = await client.exportContacts({ listId, columns: ['First Name', 'Last Name', 'City'] });
const activity = await client.waitForActivity(id);
const { bytes } = await saveDownload(await client.download(activity), path);
console.log(`Saved ${path}: ${bytes} bytes; contacts: ${activity.transactionCount ?? 'not told'}.`);
