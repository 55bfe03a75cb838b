import { ACTIVITY_TYPES, type Activity, type ActivityError } from '../../src/activity/activity.js';
import type { ArchiveRecord } from '../../src/archive/record.js';
import { seededRandom } from '../../src/emulator/random.js';
import { anActivity } from '../support/stub-service.js';

/** A record of the activity as it would stand in a file. */
export function aRecord(
  activity: Activity,
  facts: Partial<Omit<ArchiveRecord, 'activity'>> & { readonly line?: number } = {},
): ArchiveRecord {
  const { line = 1, ...rest } = facts;
  const position = { source: 'feed.xml', line, column: 3, byteOffset: 100 * line, length: 700 };
  return { activity, position, salvaged: false, problems: [], ...rest };
}

const MESSAGES = [
  'Invalid email',
  'Unknown US/Canadian state/prov "{}"',
  'Invalid birthday',
  'Value "{}" is too long for the field "{}"',
  'Duplicate address',
  'Role address is not allowed',
] as const;

/**
 * Records as an account of `months` months from January 2009 might have left them: a little season, all types, a month now
 * and then in which much goes wrong.
 */
export function* archiveOf(months: number, perMonth: number, seed = 1): Generator<ArchiveRecord> {
  const random = seededRandom(seed);
  const below = (n: number) => Math.floor(random() * n);
  for (let month = 0; month < months; month++) {
    const bad = month % 11 === 7;
    const season = 1 + 0.6 * Math.sin((month / 12) * 2 * Math.PI) + month / 60;
    const count = Math.max(1, Math.round(perMonth * season * (0.7 + 0.6 * random())));
    for (let at = 0; at < count; at++) {
      const start = Date.UTC(2009, month, 1 + Math.floor((28 * at) / count), below(24), below(60), below(60));
      const insertTime = new Date(start);
      const runStartTime = new Date(start + Math.round(1000 * Math.exp(6 * random())));
      const runFinishTime = new Date(runStartTime.getTime() + Math.round(500 * Math.exp(10 * random() ** 2)));
      const type = ACTIVITY_TYPES[Math.floor(ACTIVITY_TYPES.length * random() ** 1.8)]!;
      const rows = Math.round(Math.exp(9 * random()));
      const failed = random() < (bad ? 0.2 : 0.02);
      const wrong = random() < (bad ? 0.7 : 0.25) ? Math.ceil(rows * random() * (bad ? 0.3 : 0.04)) : 0;
      const errors = Array.from({ length: Math.min(wrong, 8) }, (): ActivityError => {
        const message = MESSAGES[Math.floor(MESSAGES.length * random() ** 2)]!;
        return {
          lineNumber: 2 + below(rows),
          emailAddress: `contact${below(9999)}@example.com`,
          message: message.replaceAll('{}', `Test${below(50)}`),
        };
      });
      const id = `a07e1${Array.from({ length: 14 }, () => below(36).toString(36)).join('')}`;
      const activity = anActivity({
        id,
        type,
        status: failed ? 'ERROR' : 'COMPLETE',
        errors,
        errorCount: wrong,
        transactionCount: failed ? 0 : rows - wrong,
        insertTime,
        runStartTime,
        runFinishTime,
        fileName: type.startsWith('ADD') ? `contacts-${2009 + Math.floor(month / 12)}.csv` : '',
      });
      const salvaged = random() < 0.004;
      const line = 1 + 14 * at;
      const source = `feeds/2009-${String(month + 1).padStart(3, '0')}.xml`;
      const position = { source, line, column: 3, byteOffset: 60 * line, length: 640 + 120 * errors.length };
      const problems = salvaged
        ? [{ code: 'XML_NOT_WELL_FORMED' as const, message: 'broken', position }]
        : [];
      yield { activity, position, salvaged, problems };
    }
  }
}
