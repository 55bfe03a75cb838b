import { UsageError } from '../activity/errors.js';
import { LOSSES, type LossCode } from '../translate/loss.js';
import type { LossCount, MigrationPlan } from './plan.js';

/** What a plan loses for good, and nobody has accepted. */
export function lossesToAccept(
  plan: Pick<MigrationPlan, 'losses' | 'acceptedLosses'>,
  accepted: readonly LossCode[] = [],
): readonly LossCount[] {
  return plan.losses.filter(
    ({ code }) =>
      LOSSES[code].severity === 'loss' && !plan.acceptedLosses.includes(code) && !accepted.includes(code),
  );
}

/** @throws UsageError `LOSS_NOT_ACCEPTED` that names each code, and what it means. */
export function checkAccepted(
  plan: Pick<MigrationPlan, 'losses' | 'acceptedLosses'>,
  accepted: readonly LossCode[] = [],
): void {
  const left = lossesToAccept(plan, accepted);
  if (left.length === 0) return;
  const told = left.map(
    ({ code, count }) => `${code} (${LOSSES[code].meaning}; ${count === 1 ? 'once' : `${count} times`})`,
  );
  throw new UsageError(
    'LOSS_NOT_ACCEPTED',
    `the plan loses what nobody has accepted yet: ${told.join(', ')}; where that is right, accept it: ` +
      left.map(({ code }) => `--accept ${code}`).join(' '),
  );
}
