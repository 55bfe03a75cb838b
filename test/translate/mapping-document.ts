import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { mappingPage } from '../../src/translate/mapping-page.js';

/** docs/mapping.md. */
export const MAPPING_FILE = fileURLToPath(new URL('../../docs/mapping.md', import.meta.url));

/** What it should say, in the form of all documents here. */
export async function mappingDocument(): Promise<string> {
  return format(mappingPage(), { ...(await resolveConfig(MAPPING_FILE)), parser: 'markdown' });
}
