import { UsageError } from '../activity/errors.js';
import { V2_ENCODINGS } from '../v2/encoding.js';
import { ENCODINGS } from '../ws/encoding.js';

/** The dialects of the service that commands speak. */
export const APIS = ['ws', 'v2'] as const;
export type Api = (typeof APIS)[number];

/** How contacts can be sent, by whichever dialect. */
export const CONTACT_ENCODINGS = [...new Set([...ENCODINGS, ...V2_ENCODINGS])];
export type ContactEncoding = (typeof CONTACT_ENCODINGS)[number];

/** The encoding, as one that this dialect has. @throws UsageError `OPTION_INVALID` where it has it not. */
export function encodingOf<E extends string>(
  api: Api,
  encodings: readonly E[],
  encoding: ContactEncoding,
): E {
  const found = encodings.find((candidate) => candidate === encoding);
  if (found !== undefined) return found;
  throw new UsageError(
    'OPTION_INVALID',
    `--encoding: ${api} takes ${encodings.join(', ')}, got "${encoding}"`,
  );
}
