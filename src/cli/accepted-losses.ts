import { UsageError } from '../activity/errors.js';
import { similarField } from '../activity/fields.js';
import { LOSSES, type LossCode } from '../translate/loss.js';

/** The losses that `--accept` names, in any case. @throws UsageError `OPTION_INVALID` for what is none. */
export function readAccepted(names: readonly string[]): readonly LossCode[] {
  const known = Object.keys(LOSSES).filter((code) => isLossCode(code) && LOSSES[code].severity === 'loss');
  return names.map((name) => {
    const code = name.toUpperCase().replaceAll('-', '_');
    if (isLossCode(code) && known.includes(code)) return code;
    const similar = similarField(code, known);
    const hint = similar === undefined ? `there are ${known.join(', ')}` : `did you mean ${similar}?`;
    throw new UsageError('OPTION_INVALID', `--accept: ${JSON.stringify(name)} is no loss; ${hint}`);
  });
}

function isLossCode(code: string): code is LossCode {
  return Object.hasOwn(LOSSES, code);
}
