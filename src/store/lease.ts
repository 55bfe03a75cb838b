import { UsageError } from '../activity/errors.js';

/** The error for a token whose lease is no more. */
export function leaseLost(token: number): UsageError {
  const remedy = 'leave the job alone: another has it, or it has ended';
  return new UsageError('LEASE_LOST', `the lease ${token} is not held any more; ${remedy}`);
}
