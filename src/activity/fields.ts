import { UsageError } from './errors.js';
import { shown } from './shown.js';

/**
 * Refuses fields that nobody would read, the misspelled ones among them; those that are undefined do not count.
 * @param what how an error calls the object, such as `contacts`.
 * @throws UsageError `OPTION_INVALID`, with the field that may have been meant.
 */
export function refuseUnknownFields(given: object, fields: readonly string[], what: string): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || fields.includes(name)) continue;
    const similar = similarField(name, fields);
    const hint = similar === undefined ? `there are ${fields.join(', ')}` : `did you mean ${similar}?`;
    throw new UsageError('OPTION_INVALID', `${what}: ${shown(name)} is not a field of it; ${hint}`);
  }
}

/** The field that has the most in common with `name` at its beginning and its end, when little else is between. */
export function similarField(name: string, fields: readonly string[]): string | undefined {
  const key = fieldKey(name);
  let best: { field: string; odd: number } | undefined;
  for (const field of fields) {
    const odd = oddLetters(key, fieldKey(field));
    if (best === undefined || odd < best.odd) best = { field, odd };
  }
  return best !== undefined && best.odd <= Math.max(2, best.field.length / 4) ? best.field : undefined;
}

function fieldKey(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}

/** How many letters of the longer text stand between what both begin with and what both end with. */
function oddLetters(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  let same = 0;
  while (same < shorter && a[same] === b[same]) same++;
  const begin = same;
  while (same < shorter && a.at(begin - same - 1) === b.at(begin - same - 1)) same++;
  return Math.max(a.length, b.length) - same;
}
