import { writeFileSync } from 'node:fs';
import { surfaces } from './entries.js';

writeFileSync(new URL('surface.json', import.meta.url), `${JSON.stringify(surfaces(), undefined, 2)}\n`);
