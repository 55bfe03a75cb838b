import { UsageError } from './activity/errors.js';

/** The packages that may be left out when this one is installed, and what each is for. */
export const OPTIONAL_PACKAGES = {
  '@e965/xlsx': { version: '0.20.3', need: 'reading spreadsheets' },
  'hyparquet-writer': { version: '0.17.0', need: 'writing Parquet' },
  libsql: { version: '0.5.29', need: 'a store in a file' },
  pino: { version: '10.4.0', need: 'the log of a gateway' },
  'prom-client': { version: '15.1.3', need: 'counting what a gateway does' },
} as const satisfies Record<string, { version: string; need: string }>;

export type OptionalPackage = keyof typeof OPTIONAL_PACKAGES;

/**
 * What `load` imports.
 * @throws UsageError `PACKAGE_MISSING` that says what to install; else what `load` throws.
 */
export async function optional<T>(name: OptionalPackage, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw isMissing(error, name) ? packageMissing(name, error) : error;
  }
}

/** Whether an import failed since the package is not there. One that is there, and lacks another, is not missing. */
export function isMissing(error: unknown, name: OptionalPackage): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.includes(`'${name}'`)
  );
}

/** @param otherwise what else would do */
export function packageMissing(name: OptionalPackage, cause?: unknown, otherwise?: string): UsageError {
  const { version, need } = OPTIONAL_PACKAGES[name];
  const other = otherwise === undefined ? '' : `, or ${otherwise}`;
  return new UsageError(
    'PACKAGE_MISSING',
    `${need} needs the package ${name}, which is not installed; run: npm install ${name}@${version}${other}`,
    { cause },
  );
}
