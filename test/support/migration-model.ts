import type { AccountSketch, FailedRow, Holdings, RowSketch, WorldSketch } from './migration-world.js';

/** What is no address, whoever looks at it. */
export const BAD_ADDRESSES = ['bad', 'a b@example.com', '@', 'two@@example.com'] as const;
/** Longer than any state may be. */
export const BAD_STATE = 'x'.repeat(51);

export interface ModelOutcome extends Holdings {
  readonly failed: readonly FailedRow[];
}

/**
 * What a migration must come to, computed from the rows of its files with plain maps: each step at its account, in order,
 * of each address the last row of a file alone.
 */
export function modelOutcome(sketch: WorldSketch): ModelOutcome {
  const members: Record<string, Record<string, string[]>> = {};
  const values: Record<string, Record<string, Record<string, string>>> = {};
  const failed: FailedRow[] = [];
  for (const [account, one] of Object.entries(sketch)) {
    const lists = new Map(
      Object.entries(one.members).map(([list, addresses]) => [list, new Set(addresses.map(lower))]),
    );
    const known = new Map<string, Map<string, string>>();
    for (const [index, step] of one.steps.entries()) {
      if (step.do === 'clear') for (const list of step.lists) lists.get(list)?.clear();
      else {
        const id = `${account}/${index + 1}`;
        for (const { row, line } of lastOfEach(step.rows)) {
          const why = whyRefused(row, step.do, one);
          if (why !== undefined) failed.push([account, id, line, row.address || null, why]);
          else apply(step.do, row, step.lists, lists, known);
        }
      }
    }
    members[account] = Object.fromEntries([...lists].map(([list, set]) => [list, [...set].sort()]));
    values[account] = Object.fromEntries(
      [...known].flatMap(([address, own]) =>
        own.size === 0 ? [] : [[address, Object.fromEntries([...own].sort())]],
      ),
    );
  }
  return { members, values, failed };
}

const lower = (text: string) => text.toLowerCase();

function lastOfEach(rows: readonly RowSketch[]): { row: RowSketch; line: number }[] {
  let line = 2;
  const placed = rows.map((row) => {
    const at = line;
    line += [row.address, row.name, row.state].join('').split('\n').length;
    return { row, line: at };
  });
  const last = new Map(placed.map(({ row, line: at }) => [lower(row.address), at]));
  return placed.filter(({ row, line: at }) => {
    if (row.address + row.name + row.state === '') return false;
    return row.address === '' || last.get(lower(row.address)) === at;
  });
}

function whyRefused(
  { address, state }: RowSketch,
  purpose: 'add' | 'remove',
  { optedOut }: AccountSketch,
): string | undefined {
  if (address === '') return 'Missing email address';
  if ((BAD_ADDRESSES as readonly string[]).includes(address)) return 'Invalid email';
  if (purpose === 'remove') return undefined;
  if (state === BAD_STATE) return 'Invalid state';
  return optedOut.includes(lower(address)) ? 'Contact is on the do-not-mail list' : undefined;
}

function apply(
  purpose: 'add' | 'remove',
  { address, name, state }: RowSketch,
  to: readonly string[],
  lists: ReadonlyMap<string, Set<string>>,
  known: Map<string, Map<string, string>>,
): void {
  const key = lower(address);
  for (const list of to) {
    if (purpose === 'add') lists.get(list)?.add(key);
    else lists.get(list)?.delete(key);
  }
  if (purpose === 'remove') return;
  const own = known.get(key) ?? new Map<string, string>();
  known.set(key, own);
  if (name !== '') own.set('FIRST NAME', name);
  if (state !== '') own.set('STATE', state);
}
