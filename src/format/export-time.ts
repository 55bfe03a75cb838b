const FORM = {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  hour12: true,
  timeZoneName: 'short',
} as const satisfies Intl.DateTimeFormatOptions;

/** `MM/dd/yyyy hh:mm aa zzz`, as parts and what stands between them. */
const PATTERN = [
  'month',
  '/',
  'day',
  '/',
  'year',
  ' ',
  'hour',
  ':',
  'minute',
  ' ',
  'dayPeriod',
  ' ',
  'timeZoneName',
] as const;

/** The service wrote the time of its own east coast. */
const EASTERN = 'America/New_York';

/**
 * Writes times, in milliseconds since 1970, as exports have them: `01/04/2012 04:11 PM EST`.
 * @param timeZone by its IANA name, which must exist
 */
export function exportTime(timeZone = EASTERN): (milliseconds: number) => string {
  const format = new Intl.DateTimeFormat('en-US', { ...FORM, timeZone });
  let last: { readonly minute: number; readonly text: string } | undefined;
  return (milliseconds) => {
    // Intl takes microseconds a call, and neighbours in an export were mostly added in the same minute.
    const minute = Math.floor(milliseconds / 60_000);
    if (last?.minute !== minute) {
      const parts = new Map<string, string>(
        format.formatToParts(milliseconds).map(({ type, value }) => [type, value]),
      );
      last = { minute, text: PATTERN.map((part) => parts.get(part) ?? part).join('') };
    }
    return last.text;
  };
}
