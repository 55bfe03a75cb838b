import { fstatSync, type BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

/** What is the same for a file under all of its names, links included; undefined where there is no regular file. */
export async function fileIdentity(path: string): Promise<string | undefined> {
  return identityOf(await stat(path, { bigint: true }).catch(() => undefined));
}

/** That of the file a stream reads; undefined where it reads none. */
export function streamIdentity(stream: object): string | undefined {
  if (!('fd' in stream) || typeof stream.fd !== 'number') return undefined;
  try {
    return identityOf(fstatSync(stream.fd, { bigint: true }));
  } catch {
    // It was closed already.
    return undefined;
  }
}

function identityOf(stats: BigIntStats | undefined): string | undefined {
  return stats?.isFile() === true ? `${stats.dev}:${stats.ino}` : undefined;
}
