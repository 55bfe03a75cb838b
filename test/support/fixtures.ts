import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../fixtures/', import.meta.url);

/** One case is one folder: its name, and its files as bytes, text or JSON. */
export interface Fixture {
  readonly name: string;
  bytes(file: string): Buffer;
  json(file: string): unknown;
}

/** The cases below `test/fixtures/<path>`, in order of name. */
export function fixtures(path: string): Fixture[] {
  const folder = new URL(`${path}/`, ROOT);
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const bytes = (file: string) => readFileSync(new URL(`${name}/${file}`, folder));
      return { name, bytes, json: (file) => JSON.parse(bytes(file).toString('utf8')) as unknown };
    });
}

export function fixturePath(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}

/** A value as JSON would carry it: dates as text, undefined left out. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** An HTTP message split at its blank line. */
export function splitMessage(raw: Buffer): {
  startLine: string;
  headers: Record<string, string>;
  body: Buffer;
} {
  const end = raw.indexOf('\r\n\r\n');
  const [startLine = '', ...lines] = raw.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { startLine, headers, body: raw.subarray(end + 4) };
}
