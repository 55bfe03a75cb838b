import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { surfaces } from './entries.js';

const path = fileURLToPath(new URL('surface.json', import.meta.url));
const text = JSON.stringify(surfaces(), undefined, 2);
writeFileSync(path, await format(text, { ...(await resolveConfig(path)), parser: 'json' }));
