import { UsageError } from '../activity/errors.js';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Milliseconds of a time span, which is given as such or as `500ms`, `30s`, `5m`, `2h`, `1d`.
 * @param what the call or field that took it, for the error.
 * @throws UsageError `OPTION_INVALID` when it is negative or no time span.
 */
export function timeSpan(time: number | string, what: string): number {
  const text = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/.exec(String(time));
  const milliseconds =
    typeof time === 'number' ? time : Number(text?.[1]) * UNITS[text?.[2] as keyof typeof UNITS];
  if (milliseconds >= 0 && Number.isFinite(milliseconds)) return milliseconds;
  throw new UsageError(
    'OPTION_INVALID',
    `${what}: ${JSON.stringify(time)} is no time to go on by; give milliseconds, or a text such as 500ms, 30s, 5m, 2h, 1d`,
  );
}
