import { dirname } from 'node:path';
import { isSecretReference, type SecretReference } from '../http/secret.js';
import type { PlannedTarget } from './plan.js';
import { fromFolder, isAccountName, plannedPath } from './planning.js';
import { invalidCell, readTable, type TableRow } from './table-file.js';

/** An account that is to be moved: where to, and where from. */
export interface AccountEntry {
  readonly account: string;
  readonly target: PlannedTarget;
  /** Undefined where the account has no credentials for ws. */
  readonly source: SourceAccount | undefined;
}

/** An account of ws, and how to be let in. */
export interface SourceAccount {
  readonly user: string;
  readonly baseUrl?: string | undefined;
  readonly credentials:
    | { readonly scheme: 'basic'; readonly apiKey: SecretReference; readonly password: SecretReference }
    | { readonly scheme: 'bearer'; readonly accessToken: SecretReference };
}

const COLUMNS = [
  'account',
  'user',
  'api_key',
  'access_token',
  'source_api_key',
  'source_password',
  'source_access_token',
  'base_url',
  'source_base_url',
] as const;
type Column = (typeof COLUMNS)[number];
type Row = TableRow<Column>;

/**
 * The accounts of a CSV file with the columns account, api_key and access_token; user (default: the account), base_url,
 * and source_api_key with source_password, or source_access_token, and source_base_url may be there. Credentials stand in
 * it as references, `env:NAME` or `file:PATH`, and never themselves.
 * @param planFolder folder from which the paths of references start in what is given; in the file, they start from its own.
 * @throws UsageError `CONFIG_INVALID`, with file, line and column; no value of a credential is shown.
 */
export async function readAccounts(path: string, planFolder: string): Promise<readonly AccountEntry[]> {
  const rows = await readTable(path, COLUMNS, ['account', 'api_key', 'access_token']);
  const first = new Map<string, number>();
  const tokens = new Map<string, number>();
  return rows.map((row) => {
    const { account, base_url: baseUrl } = row.cells;
    if (!isAccountName(account)) {
      const words = account === '' ? 'is empty' : 'must be letters, digits, and . _ - @, 100 at most';
      throw invalidCell(row.place('account'), `${words}; it is how you call the account`);
    }
    const before = first.get(account.toLowerCase());
    if (before !== undefined)
      throw invalidCell(row.place('account'), `is the account of line ${before} again`);
    first.set(account.toLowerCase(), row.line);
    const reference = (column: Column) => readReference(row, column, path, planFolder);
    checkUrl(row, 'base_url');
    const accessToken = reference('access_token');
    const same = tokens.get(`${accessToken} ${baseUrl}`);
    if (same !== undefined) {
      throw invalidCell(
        row.place('access_token'),
        `is that of line ${same}: a token is of one account alone`,
      );
    }
    tokens.set(`${accessToken} ${baseUrl}`, row.line);
    return {
      account,
      target: { api: 'v2', ...(baseUrl !== '' && { baseUrl }), apiKey: reference('api_key'), accessToken },
      source: readSource(row, reference),
    };
  });
}

function readSource(row: Row, reference: (column: Column) => SecretReference): SourceAccount | undefined {
  const { account, user, source_base_url: baseUrl } = row.cells;
  checkUrl(row, 'source_base_url');
  const common = { user: user === '' ? account : user, ...(baseUrl !== '' && { baseUrl }) };
  if (row.cells.source_access_token !== '') {
    return { ...common, credentials: { scheme: 'bearer', accessToken: reference('source_access_token') } };
  }
  if (row.cells.source_api_key === '' && row.cells.source_password === '') return undefined;
  const [apiKey, password] = [reference('source_api_key'), reference('source_password')];
  return { ...common, credentials: { scheme: 'basic', apiKey, password } };
}

function readReference(row: Row, column: Column, path: string, planFolder: string): SecretReference {
  const text = row.cells[column];
  if (text === '') {
    throw invalidCell(row.place(column), 'is empty; write env:NAME for a variable, or file:PATH for a file');
  }
  if (!isSecretReference(text)) {
    throw invalidCell(
      row.place(column),
      'must be env:NAME or file:PATH, where the secret is to be had. If the secret itself stands there, take it out',
    );
  }
  return rebased(text, dirname(path), planFolder);
}

/** The reference as it is read from another folder. */
export function rebased(reference: SecretReference, from: string, to: string): SecretReference {
  if (!reference.startsWith('file:')) return reference;
  const path = reference.slice('file:'.length);
  return `file:${plannedPath(fromFolder(from, path), to)}`;
}

function checkUrl(row: Row, column: 'base_url' | 'source_base_url'): void {
  const text = row.cells[column];
  if (text === '') return;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalidCell(row.place(column), 'must be a URL such as https://api.example.com, or empty');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw invalidCell(row.place(column), 'must be a URL without any credentials in it');
  }
}
