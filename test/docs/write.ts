import { writeFile } from 'node:fs/promises';
import { MAPPING_FILE, mappingDocument } from './mapping-document.js';

// `npm run docs:mapping`
await writeFile(MAPPING_FILE, await mappingDocument());
