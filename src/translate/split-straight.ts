import { isUtf8 } from 'node:buffer';
import type { V2Property } from '../activity/columns.js';
import { isChecked, valueProblem } from '../v2/values.js';
import type { UploadPlan } from './columns.js';
import { isBlank, type Dialect, type RawRow } from './split-rows.js';

const COMMA = 0x2c;
const QUOTE = 0x22;
const SEMICOLON = 0x3b;

/**
 * Tells of rows whether v2 is sent the very bytes that stand in the file, which is so of most rows of most files: the
 * heading has the columns that v2 has, each once, and nothing is to be said of a value. False also where nobody can tell
 * at once. Undefined where it is so of no row.
 */
export function straightRows(
  { uses, width }: UploadPlan,
  { encoding }: Dialect,
  now: number,
): ((row: RawRow) => boolean) | undefined {
  const inPlace = uses.every(
    ({ sources, appended }, index) => sources.length === 1 && sources[0] === index && appended.length === 0,
  );
  if (uses.length !== width || !inPlace) return undefined;
  const isText = encoding === 'auto' || encoding === 'UTF-8';
  const checked = uses.flatMap(({ column: { property } }, index) =>
    property !== 'emailAddress' && isChecked(property) ? [{ index, property }] : [],
  );
  return (row) =>
    row.tidy &&
    row.cells === width &&
    (row.ascii || (isText && isUtf8(row.bytes))) &&
    isOneAddress(row) &&
    (checked.length === 0 || !hasProblem(row, checked, now));
}

/**
 * Takes of rows the address that is all that v2 is sent of them for a removal; undefined where nobody can tell it at once.
 */
export function straightAddress({ uses, width }: UploadPlan): (row: RawRow) => string | undefined {
  const inPlace = uses.length === 1 && uses[0]?.sources.length === 1;
  return (row) => {
    const { piece, cellStart, cellEnd, ascii, cells } = row;
    const known = inPlace && ascii && cells <= width;
    return known && isOneAddress(row) ? piece.toString('latin1', cellStart, cellEnd) : undefined;
  };
}

/** Whether there certainly is an address, and not several: those have something between them. */
function isOneAddress({ piece, cellStart, cellEnd }: RawRow): boolean {
  if (cellStart === cellEnd || piece[cellStart] === QUOTE) return false;
  for (let at = cellStart; at < cellEnd; at++) {
    const byte = piece[at] ?? 0;
    if (byte === COMMA || byte === SEMICOLON || byte >= 0x80 || isBlank(byte)) return false;
  }
  return true;
}

interface CheckedCell {
  readonly index: number;
  readonly property: V2Property;
}

/** Whether one of the cells, which come in their order, has a value that v2 does not take. */
function hasProblem({ piece, start, end }: RawRow, checked: readonly CheckedCell[], now: number): boolean {
  let at = start;
  let cell = 0;
  for (const { index, property } of checked) {
    for (; cell < index; cell++) at = cellEndAt(piece, at, end) + 1;
    const cellEnd = cellEndAt(piece, at, end);
    if (cellEnd === at) continue;
    // In quotes there is more than meets the eye.
    if (piece[at] === QUOTE) return true;
    if (valueProblem(property, piece.toString('utf8', at, cellEnd), now) !== undefined) return true;
  }
  return false;
}

/** Where the cell at `start` of a tidy row ends. */
function cellEndAt(piece: Buffer, start: number, end: number): number {
  let at = start;
  if (piece[at] === QUOTE) {
    for (at++; piece[at] !== QUOTE || piece[at + 1] === QUOTE; at++) if (piece[at] === QUOTE) at++;
    return at + 1;
  }
  while (at < end - 1 && piece[at] !== COMMA) at++;
  return at;
}
