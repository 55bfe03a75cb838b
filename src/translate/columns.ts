import {
  findColumn,
  findV2Column,
  similarColumn,
  V2_COLUMNS,
  type V2Column,
  type V2Property,
} from '../activity/columns.js';
import { UsageError } from '../activity/errors.js';
import {
  EXPORT_COLUMNS,
  fileHeading,
  UPLOAD_COLUMNS,
  type ExportColumn,
  type UploadColumn,
} from '../v2/columns.js';
import { loss, type Loss, type Translation } from './loss.js';

/** Where the values of columns go that v2 ignores: `{ 'MIDDLE NAME': 'CUSTOM FIELD 15' }`, by names of ws or v2. */
export type ColumnTargets = Readonly<Record<string, string>>;

/** What column names are translated from or to, and for what. */
export type ColumnDirection = {
  /** Of a file that is uploaded (default), of one whose addresses are removed, or of an export. */
  readonly purpose?: 'add' | 'remove' | 'export' | undefined;
} & (
  | { readonly to: 'v2'; readonly into?: ColumnTargets | undefined }
  | { readonly from: 'v2'; readonly into?: undefined }
);

/**
 * The names that the columns have in the other API: those that it has, in their order, each once.
 * @throws UsageError `OPTION_INVALID` for `into` columns that do not exist.
 */
export function translateColumns(
  names: readonly string[],
  direction: ColumnDirection,
): Translation<readonly string[]> {
  const { purpose = 'add' } = direction;
  if ('from' in direction) return fromV2(names, purpose);
  if (purpose === 'export') {
    const { columns, losses } = planExport(names);
    return { counterpart: columns.map(({ v2Export }) => v2Export), losses };
  }
  const { uses, losses } = planUpload(names, { purpose, into: direction.into });
  return { counterpart: uses.map(({ column }) => column.v2Upload), losses };
}

/** A column, the name it gets, and the cells that it is made of. */
export interface ColumnUse {
  readonly column: UploadColumn;
  readonly heading: string;
  /** The first that is not blank counts. */
  readonly sources: readonly number[];
  /** What is put behind it, where it is not blank. */
  readonly appended: readonly { readonly index: number; readonly by: string }[];
}

export interface UploadPlan {
  readonly uses: readonly ColumnUse[];
  /** Cells of the heading. */
  readonly width: number;
  readonly losses: readonly Loss[];
}

interface Draft {
  readonly column: UploadColumn;
  readonly sources: number[];
  readonly appended: { index: number; by: string }[];
}

/** How the cells under a heading of ws become those of v2. */
export function planUpload(
  names: readonly string[],
  { purpose, into = {} }: { readonly purpose: 'add' | 'remove'; readonly into?: ColumnTargets | undefined },
): UploadPlan {
  const targets = readTargets(into);
  const drafts = new Map<V2Property, Draft>();
  const losses: Loss[] = [];
  const draft = (column: UploadColumn) => {
    const known = drafts.get(column.property) ?? { column, sources: [], appended: [] };
    drafts.set(column.property, known);
    return known;
  };
  names.forEach((name, index) => {
    const column = findV2Column(name);
    const place = `heading: ${shownName(name)}`;
    if (purpose === 'remove' && column?.property !== 'emailAddress') {
      if (name.trim() !== '') losses.push(unused(name, place));
      return;
    }
    const target = column === undefined ? undefined : targets.get(column.property);
    if (column !== undefined && target !== undefined) {
      draft(target).appended.push({ index, by: column.property === 'subPostalCode' ? '-' : ' ' });
      losses.push(
        loss('COLUMN_MERGED', place, `its values are put into ${target.v2Upload}, as you asked for`),
      );
    } else if (column?.property === 'stateProvince') {
      // It names a state for certain, so it goes before STATE.
      draft(STATE).sources.unshift(index);
      losses.push(mergedState(place));
    } else {
      const upload = UPLOAD_COLUMNS.find(({ property }) => property === column?.property);
      if (upload === undefined) {
        if (name.trim() !== '') losses.push(leftOut(name, place, column));
        return;
      }
      const { sources } = draft(upload);
      if (sources.length > 0 && names.findIndex((other) => sameColumn(other, upload)) < index) {
        losses.push(loss('COLUMN_TWICE', place, 'the heading has this column twice; of both, one is sent'));
      }
      // Of the same column given twice, ws keeps the first address, and of all else the last value.
      if (upload.property === 'emailAddress' || sources.length === 0) sources.push(index);
      else sources.splice(countMerged(names, sources), 0, index);
      losses.push(...renamed(name, upload.v2Upload, column?.ws, place));
    }
  });
  const uses = [...drafts.values()].map((one) => ({ ...one, heading: fileHeading(one.column) }));
  return { uses, width: names.length, losses };
}

function sameColumn(name: string, { property }: UploadColumn): boolean {
  return findV2Column(name)?.property === property;
}

/** How many of the sources come of STATE/PROVINCE. */
function countMerged(names: readonly string[], sources: readonly number[]): number {
  return sources.filter((index) => findColumn(names[index] ?? '')?.property === 'stateProvince').length;
}

const isState = (column: UploadColumn) => column.property === 'state';
const [STATE] = UPLOAD_COLUMNS.filter(isState) as [UploadColumn];

function mergedState(place: string): Loss {
  return loss(
    'COLUMN_MERGED',
    place,
    'v2 ignores it under its own name, so it is sent as STATE, which is free text of 50 characters: nobody checks any ' +
      'more that it is a state or province',
  );
}

function unused(name: string, place: string): Loss {
  return loss('COLUMN_UNUSED', place, `${shownName(name)} is left out: a removal looks at addresses only`);
}

/** What to do about a column that v2 ignores. */
const REMEDIES: Partial<Record<V2Property, string>> = {
  middleName: 'to keep it, put it into FIRST NAME or a custom field (into, --into)',
  subPostalCode: 'to keep it, put it behind POSTAL CODE, as in 02451-1234 (into, --into)',
};

function leftOut(name: string, place: string, column: V2Column | undefined): Loss {
  const remedy = column && REMEDIES[column.property];
  if (column?.v2Ignored !== undefined && remedy !== undefined) {
    return loss('COLUMN_IGNORED', place, `v2 takes this column and ignores it, so it is left out; ${remedy}`);
  }
  const similar = similarColumn(name);
  return loss(
    'COLUMN_UNKNOWN',
    place,
    `v2 has no such column, so it is left out${similar === undefined ? '' : `; did you mean ${similar}?`}`,
  );
}

function renamed(name: string, to: string, ws: string | undefined, place: string): Loss[] {
  if (ws === undefined) {
    return [loss('COLUMN_NEW', place, 'ws passes over this column, and v2 takes it: from now on it counts')];
  }
  if (name.trim().toUpperCase() === to) return [];
  const inFile = ws === 'EMAIL ADDRESS' ? ', and Email address in a file' : '';
  return [loss('COLUMN_RENAMED', place, `is called ${to} in v2${inFile}`)];
}

/** The columns that `into` names, by the one whose values go there. @throws UsageError `OPTION_INVALID` for one that does not exist. */
export function readTargets(into: ColumnTargets): ReadonlyMap<V2Property, UploadColumn> {
  return new Map(
    Object.entries(into).map(([from, to]) => {
      const source = findV2Column(from);
      const target = UPLOAD_COLUMNS.find(({ property }) => property === findV2Column(to)?.property);
      if (source === undefined || source.property === 'emailAddress') throw noColumn(from, 'has no');
      if (target === undefined || target.property === 'emailAddress') throw noColumn(to, 'takes no');
      return [source.property, target];
    }),
  );
}

function noColumn(name: string, verb: string): UsageError {
  const example = '{ "MIDDLE NAME": "CUSTOM FIELD 15" }';
  return new UsageError(
    'OPTION_INVALID',
    `into: v2 ${verb} column "${shownName(name)}" for that; give names such as in ${example}`,
  );
}

/** The cells of a row, as v2 has them; `onConflict` is told of columns that two different values were given for. */
export function translateRow(
  { uses }: UploadPlan,
  cells: readonly string[],
  onConflict: (column: UploadColumn) => void,
): string[] {
  return uses.map(({ column, sources, appended }) => {
    if (sources.length === 1 && appended.length === 0) return cells[sources[0] ?? 0] ?? '';
    const values = sources.map((index) => cells[index] ?? '').filter((cell) => cell !== '');
    const [first = ''] = values;
    if (values.some((value) => value !== first)) onConflict(column);
    return appended.reduce((text, { index, by }) => {
      const more = cells[index] ?? '';
      return text === '' || more === '' ? text + more : `${text}${by}${more}`;
    }, first);
  });
}

export interface ExportPlan {
  readonly columns: readonly ExportColumn[];
  readonly losses: readonly Loss[];
}

/** The columns of an export, the address among them. */
export function planExport(names: readonly string[]): ExportPlan {
  const columns: ExportColumn[] = [];
  const losses: Loss[] = [];
  for (const name of names) {
    const column = findV2Column(name);
    const place = `columns: ${shownName(name)}`;
    const merged = column?.property === 'stateProvince';
    const found = EXPORT_COLUMNS.find(({ property }) => property === (merged ? 'state' : column?.property));
    if (merged) losses.push(loss('COLUMN_MERGED', place, 'v2 exports one column for both, called State'));
    else if (found === undefined) losses.push(leftOutOfExport(name, place, column));
    else if (column !== undefined) losses.push(...renamedInExport(name, found, place));
    if (found !== undefined && !columns.includes(found)) columns.push(found);
  }
  if (columns.some(({ property }) => property === 'emailAddress')) return { columns, losses };
  const address = EXPORT_COLUMNS.filter(({ property }) => property === 'emailAddress');
  const told = loss(
    'COLUMN_ADDED',
    'columns',
    'ws exports the address always, v2 only when asked for: Email',
  );
  return { columns: [...address, ...columns], losses: [told, ...losses] };
}

function leftOutOfExport(name: string, place: string, column: V2Column | undefined): Loss {
  if (column?.v2Ignored === undefined) return leftOut(name, place, column);
  return loss('COLUMN_IGNORED', place, 'v2 does not export this column; take it out of what reads the file');
}

function renamedInExport(name: string, { v2Export }: ExportColumn, place: string): Loss[] {
  if (name.trim().toUpperCase() === v2Export.toUpperCase()) return [];
  return [loss('COLUMN_RENAMED', place, `is asked for as ${v2Export} in v2`)];
}

function fromV2(
  names: readonly string[],
  purpose: 'add' | 'remove' | 'export',
): Translation<readonly string[]> {
  const losses: Loss[] = [];
  const counterpart = names.flatMap((name): string[] => {
    const place = `${purpose === 'export' ? 'columns' : 'heading'}: ${shownName(name)}`;
    const column = V2_COLUMNS.find(({ property }) => property === findV2Column(name)?.property);
    if (column?.v2Ignored !== undefined) {
      losses.push(loss('COLUMN_IGNORED', place, 'v2 ignores this column, so it is left out here too'));
      return [];
    }
    if (column?.ws === undefined) {
      losses.push(loss('COLUMN_UNKNOWN', place, 'ws has no such column, so it is left out'));
      return [];
    }
    if (name.trim().toUpperCase() !== column.ws) {
      losses.push(loss('COLUMN_RENAMED', place, `is called ${column.ws} in ws`));
    }
    return [column.ws];
  });
  return { counterpart: [...new Set(counterpart)], losses };
}

/** How the cells under a heading of v2 become those of ws: of a column given twice, v2 takes the first. */
export function planFromV2(names: readonly string[]): UploadPlan {
  const { losses } = fromV2(names, 'add');
  const uses: ColumnUse[] = [];
  const twice: Loss[] = [];
  names.forEach((name, index) => {
    const column = UPLOAD_COLUMNS.find((one) => sameColumn(name, one));
    if (column?.ws === undefined) return;
    if (uses.some((use) => use.column === column)) {
      twice.push(loss('COLUMN_TWICE', `heading: ${shownName(name)}`, 'is there twice; the first is sent'));
    } else uses.push({ column, heading: column.ws, sources: [index], appended: [] });
  });
  return { uses, width: names.length, losses: [...losses, ...twice] };
}

function shownName(name: string): string {
  return name.trim().slice(0, 100);
}
