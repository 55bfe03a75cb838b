import { UsageError } from '../activity/errors.js';
import type { ColumnTargets } from '../translate/columns.js';

/** What `--into FROM=TO` says. @throws UsageError `OPTION_INVALID`. */
export function readInto(texts: readonly string[]): ColumnTargets {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
      throw new UsageError(
        'OPTION_INVALID',
        `--into: must be FROM=TO, such as "MIDDLE NAME=FIRST NAME", got "${text}"`,
      );
    }),
  );
}
