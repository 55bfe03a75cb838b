import { ACTIVITY_TYPES } from '../activity/activity.js';
import { monthName } from './report-format.js';
import { errorRate, type MonthReport } from './statistics-report.js';
import { sum } from './sum.js';

/** The parts of a bar: the known types, and all others as one. */
export const SERIES = [...ACTIVITY_TYPES, 'Other types'] as const;

/** One place of a time axis: a month, or a year of a long archive. */
export interface Slot {
  /** `Mar 2011` or `2011`. */
  readonly name: string;
  /** The label under the axis; `narrow` says whether there is room for it on a phone. */
  readonly tick: { readonly label: string; readonly narrow: boolean } | undefined;
  activities: number;
  failed: number;
  processed: number;
  errors: number;
  /** Activities by `SERIES`. */
  readonly counts: number[];
}

export interface TimeAxis {
  readonly unit: 'month' | 'year';
  /** Without gaps, oldest first; at least twelve. */
  readonly slots: readonly Slot[];
}

/** More months than this are drawn as years: their bars would be thinner than a line. */
const MOST_MONTHS = 240;
const FEWEST_SLOTS = 12;
const WIDE_TICKS = 13;
const NARROW_TICKS = 5;
const STEPS = { month: [1, 2, 3, 6, 12, 24, 60, 120], year: [1, 2, 5, 10, 20] } as const;

/** The months of a report on an axis that has a place for the months without activities too. */
export function timeAxis(months: readonly MonthReport[]): TimeAxis {
  const keys = months.map(({ month }) => 12 * Number(month.slice(0, 4)) + Number(month.slice(5)) - 1);
  const [first = 0, last = first] = [keys[0], keys.at(-1)];
  const unit = last - first < MOST_MONTHS ? 'month' : 'year';
  const size = unit === 'month' ? 1 : 12;

  const missing = Math.max(0, FEWEST_SLOTS - (Math.floor(last / size) - Math.floor(first / size) + 1));
  const from = Math.floor(first / size) - Math.floor(missing / 2);
  const to = Math.floor(last / size) + Math.ceil(missing / 2);
  const tick = ticks(unit, to - from + 1);
  const slots = Array.from({ length: to - from + 1 }, (_, at) => newSlot(unit, from + at, tick));

  months.forEach((month, index) => {
    const slot = slots[Math.floor((keys[index] ?? 0) / size) - from];
    if (slot === undefined) return;
    slot.activities += month.activities;
    slot.failed += month.failed;
    slot.processed = sum(slot.processed, month.processed);
    slot.errors = sum(slot.errors, month.errors);
    for (const { type, activities } of month.types) {
      const known = SERIES.findIndex((name) => name === type);
      const series = known === -1 ? SERIES.length - 1 : known;
      slot.counts[series] = (slot.counts[series] ?? 0) + activities;
    }
  });
  return { unit, slots };
}

/** Which of `SERIES` occur on the axis at all. */
export function seriesOf({ slots }: TimeAxis): number[] {
  return SERIES.map((_, series) => series).filter((series) =>
    slots.some(({ counts }) => (counts[series] ?? 0) > 0),
  );
}

export function slotRate({ processed, errors }: Slot): number | null {
  return errorRate(processed, errors);
}

interface Steps {
  readonly wide: number;
  readonly narrow: number;
}

function ticks(unit: TimeAxis['unit'], slots: number): Steps {
  const steps: readonly number[] = STEPS[unit];
  const longest = steps.at(-1) ?? 1;
  const wide = steps.find((step) => slots / step <= WIDE_TICKS) ?? longest;
  const narrow = steps.find((step) => step % wide === 0 && slots / step <= NARROW_TICKS) ?? longest;
  return { wide, narrow };
}

function newSlot(unit: TimeAxis['unit'], key: number, { wide, narrow }: Steps): Slot {
  const whole = unit === 'month' ? Math.floor(key / 12) : key;
  const year = String(whole);
  // Before the year 0, where an axis without months begins, keys are negative.
  const month = unit === 'month' ? monthName(key - 12 * whole) : '';
  return {
    name: unit === 'month' ? `${month} ${year}` : year,
    tick:
      key % wide === 0
        ? { label: unit === 'year' || key % 12 === 0 ? year : month, narrow: key % narrow === 0 }
        : undefined,
    activities: 0,
    failed: 0,
    processed: 0,
    errors: 0,
    counts: SERIES.map(() => 0),
  };
}
