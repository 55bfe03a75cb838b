import { writeFile } from 'node:fs/promises';
import { generatedPages } from './pages.js';

// `npm run docs`
for (const { path, text } of await generatedPages()) await writeFile(path, text);
