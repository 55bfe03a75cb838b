const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** `12,345`. */
export function showNumber(value: number): string {
  return WHOLE.format(value);
}

/** `1 activity`, `2 activities`. */
export function showCount(value: number, one: string, many: string): string {
  return `${showNumber(value)} ${value === 1 ? one : many}`;
}

/** A share of 1 as `3.4 %`, `0.02 %`; `–` for none. */
export function showRate(rate: number | null): string {
  if (rate === null) return '–';
  const percent = rate * 100;
  const digits = percent === 0 || percent >= 10 ? 0 : percent >= 0.1 ? 1 : 2;
  return percent > 0 && percent < 0.01 ? '< 0.01 %' : `${percent.toFixed(digits).replace(/\.0+$/, '')} %`;
}

/** Milliseconds as `850 ms`, `4.2 s`, `2 min 05 s`, `1 h 10 min`, `3 d 04 h`; `–` for none. */
export function showDuration(milliseconds: number | null | undefined): string {
  if (milliseconds === null || milliseconds === undefined) return '–';
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 9_950) return `${(milliseconds / 1000).toFixed(1).replace('.0', '')} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return twoUnits(seconds, 60, 'min', 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return twoUnits(minutes, 60, 'h', 'min');
  return twoUnits(Math.round(minutes / 60), 24, 'd', 'h');
}

function twoUnits(small: number, ratio: number, large: string, rest: string): string {
  const whole = showNumber(Math.floor(small / ratio));
  return small % ratio === 0
    ? `${whole} ${large}`
    : `${whole} ${large} ${String(small % ratio).padStart(2, '0')} ${rest}`;
}

/** Bytes as `640 B`, `1.4 MB`, counted in thousands. */
export function showBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${power > 0 && value < 10 ? value.toFixed(1) : showNumber(value)} ${units[power] ?? ''}`;
}

/** `2011-03-14 09:26`, in UTC. */
export function showMinute(date: Date): string {
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/:\d\d\.\d+Z$/, '');
}

/** `2011-03-14 09:26:53`, in UTC. */
export function showSecond(date: Date): string {
  return date
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '');
}

/** `Mar`, of a month from 0. */
export function monthName(month: number): string {
  return MONTHS[month] ?? '';
}
