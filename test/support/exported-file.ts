import type { ActivityService, Download, DownloadOptions } from '../../src/activity/service.js';
import { anActivity, stubService } from './stub-service.js';

export const EXPORT_ID = 'a07e1gpfcd3fhysynnp';

/** A finished export, as activities tell of it. */
export const EXPORTED = anActivity({
  id: EXPORT_ID,
  type: 'EXPORT_CONTACTS',
  status: 'COMPLETE',
  fileName: `${EXPORT_ID}.csv`,
});

/** A file at a service, and how often it was asked for and let go of. */
export interface ExportedFile {
  opened: number;
  cancelled: number;
  /** Changes the chunk that begins at this byte on its way; may throw. */
  pass: (chunk: Uint8Array, at: number) => Uint8Array | Promise<Uint8Array>;
  readonly service: ActivityService;
}

/** A service whose one activity is an export; `resumes` when it can go on within its file. */
export function exportedFile(
  bytes: Uint8Array,
  { resumes = true, ...facts }: Partial<Download> & { readonly resumes?: boolean } = {},
): ExportedFile {
  const download = (_: unknown, options?: DownloadOptions): Promise<Download> => {
    file.opened++;
    const resume = resumes && options?.resume?.validator === '"v1"' ? options.resume : undefined;
    const offset = resume?.offset ?? 0;
    const body = (async function* () {
      for (let at = offset; at < bytes.length; at += 1000) {
        await Promise.resolve();
        yield await file.pass(bytes.subarray(at, at + 1000), at);
      }
    })();
    const cancel = () => {
      file.cancelled++;
      return Promise.resolve();
    };
    return Promise.resolve({
      fileName: `${EXPORT_ID}.csv`,
      contentType: 'text/csv',
      length: bytes.length,
      offset,
      validator: '"v1"',
      body,
      cancel,
      ...facts,
    });
  };
  const file: ExportedFile = {
    opened: 0,
    cancelled: 0,
    pass: (chunk) => chunk,
    service: stubService([EXPORTED], [], { download }),
  };
  return file;
}

/** Bytes that look alike nowhere. */
export function manyBytes(count: number): Uint8Array<ArrayBuffer> {
  let state = 7;
  return Uint8Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 24;
  });
}
