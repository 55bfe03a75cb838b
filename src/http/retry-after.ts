/**
 * Milliseconds that an answer asks to wait for, by its Retry-After header; undefined where it has none that can be read.
 * A date is measured by the answer's own Date, so that a wrong clock on this machine does not matter.
 * @param now milliseconds since 1970, used where the answer has no Date
 * @see RFC 9110 section 10.2.3
 */
export function retryAfterOf(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (value === undefined) return undefined;
  // More than one where proxies add theirs; the longest keeps to all of them.
  const asked = value.split(/\s*,\s*/);
  if (asked.every((seconds) => /^[0-9]+(?:\.[0-9]+)?$/.test(seconds))) {
    return Math.min(LONGEST, Math.ceil(Math.max(...asked.map(Number)) * 1000));
  }
  const at = Date.parse(value);
  if (Number.isNaN(at) || !/[a-z]/i.test(value)) return undefined;
  return Math.max(0, at - (dateOf(headers) ?? now));
}

/** A hundred years: "never" in digits is no date that could be told. */
const LONGEST = 36_525 * 24 * 60 * 60 * 1000;

/** What the service's clock said when it answered, in milliseconds since 1970, to the second. */
export function dateOf(headers: Headers): number | undefined {
  const date = Date.parse(headers.get('date') ?? '');
  return Number.isNaN(date) ? undefined : date;
}
