import { createHash } from 'node:crypto';
import type { MigrationPlan } from './plan.js';

/** What the id of a plan has to be: of all its content but the id itself and the losses that somebody accepted. */
export function planId(plan: Omit<MigrationPlan, 'id'>): string {
  const content: Record<string, unknown> = { ...plan };
  delete content.id;
  delete content.acceptedLosses;
  return createHash('sha256').update(canonical(content)).digest('hex').slice(0, 16);
}

/** The plan as its file has it. */
export function planText(plan: MigrationPlan): string {
  return `${JSON.stringify(plan, undefined, 2)}\n`;
}

/** JSON in which the keys of every object are in order, so that the order in a file does not count. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
