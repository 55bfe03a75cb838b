import { closeSync, existsSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { feed, STYLES, type StyleName } from './feeds.js';

/** A file to read. */
export interface Input {
  readonly path: string;
  readonly bytes: number;
}

/** A feed of at least `bytes`, written into the folder unless it is there. */
export function feedFile(folder: string, style: StyleName, bytes: number): Input {
  return file(join(folder, `${style}-${bytes}.xml`), feed({ bytes, ...STYLES[style] }));
}

/** One page of 50 entries, as the service hands them out: some 60 KB, few errors. */
export function pageFile(folder: string): Input {
  return file(join(folder, 'page.xml'), feed({ bytes: Infinity, entries: 50, mostErrors: 2, seed: 3 }));
}

function file(path: string, pieces: Iterable<string>): Input {
  if (!existsSync(path)) {
    const descriptor = openSync(`${path}.part`, 'w');
    let waiting = '';
    for (const piece of pieces) {
      waiting += piece;
      if (waiting.length < 1 << 20) continue;
      writeSync(descriptor, waiting);
      waiting = '';
    }
    writeSync(descriptor, waiting);
    closeSync(descriptor);
    renameSync(`${path}.part`, path);
  }
  return { path, bytes: statSync(path).size };
}
