import { WsClient } from '../../src/ws/client.js';
import { BASIC } from '../http/loopback.js';

/** Saves the file of an export, in a process that can be killed: `save-child.ts <base URL> <id> <path>`. */
const [baseUrl = '', id = '', file = ''] = process.argv.slice(2);
const client = new WsClient({ user: 'joesflowers', credentials: BASIC, baseUrl });
const saved = await client.saveDownload(id, file);
process.stdout.write(JSON.stringify(saved));
