import { ACTIVITY_STATUSES, type Activity } from '../activity/activity.js';
import type {
  InspectedAccount,
  InspectedActivity,
  InspectedFault,
  InspectorState,
} from '../inspect/inspector-state.js';
import type { JournalEntry } from '../inspect/journal-entry.js';
import type { EmulatedAccount } from './account.js';
import type { Emulator } from './emulator.js';
import { FAULT_PRESETS } from './fault-presets.js';
import type { ActiveFault } from './faults.js';
import { steerable } from './steering.js';

/** How much of each the page shows. */
const MOST = { accounts: 50, lists: 200, activities: 25, errors: 20, requests: 50, text: 2_000 } as const;

/** What the page of an emulator shows. */
export async function inspectorState(emulator: Emulator): Promise<InspectorState> {
  const steering = steerable(emulator.clock);
  const accounts = emulator.accounts().slice(0, MOST.accounts);
  return {
    title: 'Emulator',
    clock: {
      now: new Date(emulator.clock.now()).toISOString(),
      ...(steering !== undefined && { steering: { frozen: !steering.running } }),
    },
    accounts: await Promise.all(accounts.map(inspectAccount)),
    requests: emulator.requests.matching().slice(-MOST.requests).reverse().map(abridged),
    requestCount: emulator.requests.count,
    faults: {
      active: emulator.faults.list().map(inspectFault),
      presets: Object.entries(FAULT_PRESETS).map(([name, { what }]) => ({ name, what })),
    },
  };
}

/** Without the lengths that bodies may have when they are recorded. */
function abridged({ parameters, body, ...entry }: JournalEntry): JournalEntry {
  return {
    ...entry,
    ...(parameters !== undefined && {
      parameters: parameters.map((one) => ({ ...one, value: one.value.slice(0, MOST.text) })),
    }),
    ...(body !== undefined && { body: body.slice(0, MOST.text) }),
  };
}

async function inspectAccount(account: EmulatedAccount): Promise<InspectedAccount> {
  const lists = [];
  for await (const { id, name, contactCount } of account.lists()) {
    lists.push({ id, name, ...(contactCount !== undefined && { contactCount }) });
    if (lists.length === MOST.lists) break;
  }
  const activities: InspectedActivity[] = [];
  for await (const activity of account.list()) {
    activities.push(inspectActivity(activity));
    if (activities.length === MOST.activities) break;
  }
  return { user: account.user, lists, activities };
}

function inspectActivity(activity: Activity): InspectedActivity {
  const { id, type = '', status = '', insertTime, transactionCount, errorCount, errors } = activity;
  return {
    id,
    type,
    status,
    insertTime: insertTime?.toISOString() ?? '',
    ...(transactionCount !== undefined && { transactionCount }),
    errorCount,
    errors: errors.slice(0, MOST.errors).map(({ lineNumber, emailAddress, message }) => ({
      ...(lineNumber !== undefined && { lineNumber }),
      ...(emailAddress !== undefined && { emailAddress }),
      message,
    })),
    moves: movesFrom(status),
  };
}

/** The statuses that come after this one; none after the end. */
function movesFrom(status: string): string[] {
  if (status === 'COMPLETE' || status === 'ERROR') return [];
  const at = ACTIVITY_STATUSES.findIndex((known) => known === status);
  return ACTIVITY_STATUSES.slice(at + 1);
}

function inspectFault({ id, match = {}, times, probability, action, done }: ActiveFault): InspectedFault {
  const { method, path, user, activityType, nth } = match;
  const detail = 'status' in action ? ` ${action.status}` : '';
  const target = [method, path, activityType, user === undefined ? undefined : `of ${user}`]
    .filter((part) => part !== undefined)
    .join(' ');
  const parts = [
    `${action.type}${detail}`,
    target === '' ? 'all requests' : target,
    nth === undefined ? undefined : `request number ${nth}`,
    times === undefined ? undefined : times === 1 ? 'once' : `${times} times`,
    probability === undefined ? undefined : `${Math.round(probability * 100)} %`,
  ];
  return { id, text: parts.filter((part) => part !== undefined).join(', '), done };
}
