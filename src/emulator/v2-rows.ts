import { findV2Column, type V2Property } from '../activity/columns.js';
import { isDayOfMonth, valueProblem } from '../v2/values.js';

/** What v2 says of a value it does not take; `Invalid birthday` are its words, the others are like them. */
const MESSAGES: Partial<Record<V2Property, string>> = {
  birthdayDay: 'Invalid birthday',
  birthdayMonth: 'Invalid birthday',
  anniversary: 'Invalid anniversary',
  state: 'Invalid state',
};

/**
 * Tells of a row why v2 does not take its birthday, anniversary or state, which is free text there. Birthdays and
 * anniversaries are checked and not kept: no export has them.
 * @param now milliseconds since 1970
 */
export function v2RowCheck(
  heading: readonly string[],
  now: number,
): (cells: readonly string[]) => string | undefined {
  const properties = heading.map((name) => findV2Column(name)?.property);
  const [day, month] = [properties.indexOf('birthdayDay'), properties.indexOf('birthdayMonth')];
  return (cells) => {
    for (const [index, property] of properties.entries()) {
      const message = property === undefined ? undefined : MESSAGES[property];
      if (property === undefined || message === undefined) continue;
      if (valueProblem(property, cells[index] ?? '', now) !== undefined) return message;
    }
    return isDayOfMonth(cells[day] ?? '', cells[month] ?? '') ? undefined : MESSAGES.birthdayDay;
  };
}
