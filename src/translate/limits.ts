import { V2_LIMITS } from '../v2/names.js';

/** What one request may hold at most. */
export interface PartLimits {
  /** Rows below the heading. */
  readonly rows: number;
  /** Bytes of the body are fewer. */
  readonly bytes: number;
}

/**
 * The limits of the APIs, by what is sent. ws documents none, so its uploads are best cut as those of v2.
 * v3 takes as many bytes as v2; what is above its limits it drops without a word, where v2 refuses the whole request.
 */
export const LIMITS = {
  v2Add: { rows: V2_LIMITS.added, bytes: V2_LIMITS.bytes },
  v2Remove: { rows: V2_LIMITS.removed, bytes: V2_LIMITS.bytes },
  /** v3 counts the heading as one of 40,000 rows. */
  v3File: { rows: 39_999, bytes: V2_LIMITS.bytes },
  v3Json: { rows: 40_000, bytes: V2_LIMITS.bytes },
} as const satisfies Record<string, PartLimits>;
