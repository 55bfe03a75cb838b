import { exportTime } from '../format/export-time.js';
import { parseInstant } from '../format/instant.js';

/** Hours behind UTC, by what stands behind a time in an export. */
const HOURS: Readonly<Record<string, number>> = {
  UTC: 0,
  GMT: 0,
  EDT: 4,
  EST: 5,
  CDT: 5,
  CST: 6,
  MDT: 6,
  MST: 7,
  PDT: 7,
  PST: 8,
  AKDT: 8,
  AKST: 9,
  HST: 10,
};

/** `01/04/2012 04:11 PM EST` */
const WRITTEN = /^(\d{2})\/(\d{2})\/(\d{4}) (\d{2}):(\d{2}) (AM|PM) ([A-Z]{3,4})$/i;

/**
 * Rewrites the times of an export of v2 as ws had them. Both write `01/04/2012 04:11 PM EST`; an ISO time becomes one of
 * those. What is no time that is understood stays as it is.
 * @param timeZone by its IANA name. Default: times as v2 wrote them, ISO times as on the service's own east coast.
 */
export function exportDates(timeZone?: string): (text: string) => string {
  const write = exportTime(timeZone);
  return (text) => {
    const iso = /^\d{4}-\d{2}-\d{2}T/.test(text) ? parseInstant(text)?.getTime() : undefined;
    const time = iso ?? (timeZone === undefined ? undefined : writtenTime(text));
    return time === undefined ? text : write(time);
  };
}

function writtenTime(text: string): number | undefined {
  const [, month, day, year, hour, minute, half = '', zone = ''] = WRITTEN.exec(text) ?? [];
  const behind = HOURS[zone.toUpperCase()];
  if (behind === undefined) return undefined;
  const hours = (Number(hour) % 12) + (half.toUpperCase() === 'PM' ? 12 : 0);
  return Date.UTC(Number(year), Number(month) - 1, Number(day), hours + behind, Number(minute));
}
