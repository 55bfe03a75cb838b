import { WsClient } from '../../src/ws/client.js';

/** Adds the contacts of a file to a list, in a process that can be killed: `create-child.ts <base URL> <file> <list>`. */
const [baseUrl = '', file = '', list = ''] = process.argv.slice(2);
const client = new WsClient({
  user: 'joesflowers',
  credentials: { scheme: 'basic', apiKey: 'key', user: 'joesflowers', password: 'password' },
  baseUrl,
});
const { id } = await client.addContacts({ contacts: { file }, lists: [list] });
process.stdout.write(id);
