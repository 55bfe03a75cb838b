import { expect } from 'chai';
import fc from 'fast-check';
import type { Activity, KnownActivityType } from '../src/activity/activity.js';
import type { CtctError } from '../src/activity/errors.js';
import {
  AmbiguousCreateError,
  DecodeError,
  ServiceError,
  TransportError,
  UsageError,
} from '../src/activity/errors.js';
import type { ActivityRequest, Warning } from '../src/activity/request.js';
import {
  checkReconcile,
  createOnce,
  CreateTurns,
  whyMaybeCreated,
  type CreateContext,
  type ReconcileOptions,
} from '../src/create.js';
import { leapingClock } from './support/leaping-clock.js';
import { anActivity } from './support/stub-service.js';

type Asked = ActivityRequest['activityType'];

const lost = () => new TransportError('RESPONSE_LOST', 'POST of it got no answer', { sent: 'maybe' });
const refused = (status: number) =>
  new ServiceError('SERVICE_FAILED', `POST: ${status}`, { status, detail: '' });
const saidYes = () => new AmbiguousCreateError('the service answered 201, but not which', []);

/** How the service keeps what was asked for. */
const STORED: Readonly<Record<Asked, readonly KnownActivityType[]>> = {
  SV_ADD: ['ADD_CONTACTS', 'ADD_CONTACT_DETAIL'],
  ADD_CONTACTS: ['ADD_CONTACTS', 'ADD_CONTACT_DETAIL'],
  ADD_CONTACT_DETAIL: ['ADD_CONTACTS', 'ADD_CONTACT_DETAIL'],
  REMOVE_CONTACTS_FROM_LISTS: ['REMOVE_CONTACTS_FROM_LISTS'],
  CLEAR_CONTACTS_FROM_LISTS: ['CLEAR_CONTACTS_FROM_LISTS'],
  EXPORT_CONTACTS: ['EXPORT_CONTACTS'],
};
const ASKED = Object.keys(STORED) as Asked[];

/** What becomes of one attempt. */
interface Fate {
  /** Milliseconds after the attempt that the activity is inserted; undefined: never. */
  readonly inserted?: number | undefined;
  /** What the client gets: the activity, where this is missing. */
  readonly error?: CtctError | undefined;
}

interface Setup extends Partial<CreateContext> {
  readonly type?: Asked;
  readonly fates: readonly Fate[];
  /** Activities that are there before, of any type, the newest last. */
  readonly before?: readonly Activity[];
  /** Activities of others, inserted so many milliseconds after the first attempt. */
  readonly others?: readonly {
    readonly type: string | undefined;
    readonly at: number;
    readonly untimed?: boolean;
  }[];
  /** Milliseconds that the service's clock is ahead, and whether it tells the time. */
  readonly ahead?: number;
  readonly told?: boolean;
  /** Milliseconds until an inserted activity is listed. */
  readonly lag?: number;
  readonly scrambled?: boolean;
  readonly stored?: number;
}

const HOUR = 3_600_000;

/** A service that inserts, lists and loses answers as it is told, and a creation on it. */
async function creation(setup: Setup) {
  const { type = 'SV_ADD', fates, ahead = 0, lag = 0, told = true, others = [] } = setup;
  const clock = leapingClock();
  const serviceTime = () => clock.now() + ahead;
  const kept: { activity: Activity; listed: number; ours: boolean }[] = [];
  const warnings: Warning[] = [];
  let attempts = 0;
  let lists = 0;
  for (const activity of setup.before ?? []) kept.push({ activity, listed: -Infinity, ours: false });

  function insert(activityType: string | undefined, after: number, ours: boolean, untimed = false): Activity {
    const insertTime = untimed ? undefined : new Date(serviceTime() + after);
    const activity = anActivity({
      id: `${ours ? 'our' : 'other'}${kept.length}`,
      type: activityType,
      insertTime,
    });
    kept.push({ activity, listed: clock.now() + after + lag, ours });
    return activity;
  }
  const at = (entry: { activity: Activity; listed: number }) =>
    entry.activity.insertTime?.getTime() ?? entry.listed + ahead;

  const context: CreateContext = {
    // eslint-disable-next-line @typescript-eslint/require-await
    async *list() {
      lists++;
      const visible = kept.filter(({ listed }) => listed <= clock.now());
      visible.sort((a, b) =>
        setup.scrambled === true ? (a.activity.id < b.activity.id ? -1 : 1) : at(b) - at(a),
      );
      for (const { activity } of visible) yield activity;
    },
    clock,
    random: () => 0.5,
    serviceNow: () => (told ? serviceTime() : undefined),
    onWarning: (warning) => warnings.push(warning),
    ...setup,
  };
  const attempt = () => {
    const fate = fates[Math.min(attempts++, fates.length - 1)]!;
    if (attempts === 1) for (const other of others) insert(other.type, other.at, false, other.untimed);
    const activity =
      fate.inserted === undefined
        ? undefined
        : insert(STORED[type][(setup.stored ?? 0) % STORED[type].length], fate.inserted, true);
    if (fate.error !== undefined) return Promise.reject(fate.error);
    return Promise.resolve(activity ?? expect.fail('neither activity nor error'));
  };
  const started = clock.now();
  const outcome = await createOnce({ activityType: type }, attempt, context).then(
    (activity) => activity,
    (error: unknown) => error as Error,
  );
  const mine = kept.filter(({ ours }) => ours).map(({ activity }) => activity);
  return { outcome, attempts, lists, mine, warnings, took: clock.now() - started, kept };
}

const reconcile = (options: ReconcileOptions): ReconcileOptions => options;

describe('createOnce', () => {
  const fate: fc.Arbitrary<Fate> = fc.record({
    inserted: fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: undefined }),
    error: fc.constantFrom(lost(), refused(500), refused(502), refused(504), saidYes()),
  });
  const before = fc.array(
    fc.record({
      type: fc.constantFrom(...Object.values(STORED).flat()),
      hours: fc.integer({ min: 1, max: 400 }),
    }),
    { maxLength: 70 },
  );
  const setups = fc.record({
    type: fc.constantFrom(...ASKED),
    fates: fc.array(fate, { minLength: 1, maxLength: 2 }),
    before: before.map((list) =>
      list.map(({ type, hours }, index) =>
        anActivity({
          id: `old${index}`,
          type,
          insertTime: new Date(Date.UTC(2008, 3, 29, 19, 30) - hours * HOUR),
        }),
      ),
    ),
    ahead: fc.constantFrom(0, -700, 90_000, -HOUR / 2),
    told: fc.boolean(),
    lag: fc.integer({ min: 0, max: 60_000 }),
    stored: fc.nat(1),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }).map((value) => () => value),
    reconcile: fc.record({ repeatUploads: fc.boolean(), quietPeriod: fc.constant(120_000) }),
  });

  it('without other writers: never two, never another’s, and found whenever it is there', async () => {
    await fc.assert(
      fc.asyncProperty(setups, async (setup) => {
        const { outcome, attempts, mine, took } = await creation(setup);
        const kind = setup.type;
        const first = setup.fates[0]!;
        const repeats =
          (kind === 'EXPORT_CONTACTS' ||
            (setup.reconcile.repeatUploads && kind !== 'CLEAR_CONTACTS_FROM_LISTS')) &&
          !(first.error instanceof AmbiguousCreateError);
        expect(attempts).to.equal(first.inserted === undefined && repeats ? 2 : 1);
        expect(mine.length).to.be.at.most(1);
        if (mine.length === 1) expect(outcome).to.equal(mine[0]);
        else expect(outcome).to.be.instanceOf(AmbiguousCreateError).and.deep.include({ candidates: [] });
        expect(took).to.be.at.most(2 * 120_000);
      }),
      { numRuns: 300 },
    );
  });

  it('with other writers: what it returns is its own, or it says that it cannot tell', async () => {
    const others = fc.array(
      fc.record({
        type: fc.constantFrom(...Object.values(STORED).flat(), undefined, 'SOMETHING_NEW'),
        at: fc.integer({ min: 0, max: 100_000 }),
        untimed: fc.boolean(),
      }),
      { maxLength: 3 },
    );
    await fc.assert(
      fc.asyncProperty(setups, others, async (setup, foreign) => {
        const { outcome, mine, kept, attempts } = await creation({ ...setup, others: foreign });
        const mayBeOurs = (type: string | undefined) =>
          type === undefined ||
          type === 'SOMETHING_NEW' ||
          STORED[setup.type].some((stored) => stored === type);
        if (mine.length > 0 && !foreign.some(({ type }) => mayBeOurs(type)))
          expect(outcome).to.equal(mine[0]);
        if (!(outcome instanceof Error)) {
          const { type, id } = outcome;
          expect(STORED[setup.type]).to.include(type);
          // Another's is taken for ours only while ours is not there, or not to be seen.
          const rivals = kept.filter(({ activity }) => activity.id === id);
          if (rivals[0]?.ours !== true) expect(foreign.map((other) => other.type)).to.include(type);
        } else if (outcome instanceof AmbiguousCreateError) {
          for (const id of outcome.candidates) expect(id).to.match(/^(our|other)/);
          if (outcome.candidates.length > 0) expect(attempts).to.be.at.most(2);
        } else throw outcome;
        expect(mine.length).to.be.at.most(2);
      }),
      { numRuns: 300 },
    );
  });

  it('takes an answer at its word, after one listing', async () => {
    for (const type of ASKED) {
      const { outcome, attempts, lists, mine, warnings } = await creation({ type, fates: [{ inserted: 0 }] });
      expect(outcome).to.equal(mine[0]);
      expect([attempts, lists, warnings]).to.deep.equal([1, 1, []]);
    }
  });

  it('passes a plain no on, without looking', async () => {
    for (const error of [
      refused(400),
      refused(401),
      refused(429),
      refused(503),
      new TransportError('REQUEST_NOT_SENT', 'refused', { sent: 'no' }),
      new UsageError('FILE_CHANGED', 'the file changed'),
    ]) {
      const { outcome, lists } = await creation({ fates: [{ error }] });
      expect(outcome).to.equal(error);
      expect(lists).to.equal(1);
    }
  });

  it('passes on what is no error of the family', async () => {
    const error = new RangeError('a defect') as unknown as CtctError;
    expect((await creation({ fates: [{ error }] })).outcome).to.equal(error);
    const list = () => {
      throw error;
    };
    expect((await creation({ fates: [{ inserted: 0 }], list })).outcome).to.equal(error);
  });

  it('looks at once, then ever less often, the last time when the quiet period ends', async () => {
    const { lists, took, attempts, outcome, warnings } = await creation({ fates: [{ error: lost() }] });
    expect(took).to.equal(120_000);
    expect(attempts).to.equal(1);
    expect(lists).to.be.within(10, 20);
    expect((outcome as Error).message).to.equal(
      'POST of it got no answer; the activities were listed for 120 s, and no new one showed, so that most likely none was ' +
        'created. Look once more before you send it again',
    );
    expect(warnings.map(({ message }) => message)).to.deep.equal([
      'POST of it got no answer; looking whether the activity is there all the same',
    ]);
    const hasty = await creation({ fates: [{ error: lost() }], reconcile: reconcile({ quietPeriod: 0 }) });
    expect([hasty.lists, hasty.took]).to.deep.equal([2, 0]);
  });

  it('looks no longer for a clock that is set back meanwhile', async () => {
    const clock = leapingClock();
    const list = async function* () {
      await Promise.resolve();
      clock.pass(-3_600_000);
      yield* [];
    };
    const { outcome } = await creation({ fates: [{ error: lost() }], clock, list });
    expect(outcome).to.be.instanceOf(AmbiguousCreateError);
    expect(clock.sleeps.reduce((sum, pause) => sum + pause)).to.equal(120_000);
  });

  it('tells when it was found', async () => {
    const { outcome, warnings, took } = await creation({ fates: [{ inserted: 0, error: lost() }] });
    expect([(outcome as Activity).id, took]).to.deep.equal(['our0', 0]);
    expect(warnings.at(-1)?.message).to.equal('found it: activity our0 was created');
  });

  it('names the candidates when several may be it', async () => {
    const { outcome, attempts } = await creation({
      type: 'EXPORT_CONTACTS',
      fates: [{ inserted: 0, error: lost() }],
      others: [{ type: 'EXPORT_CONTACTS', at: 0 }],
    });
    expect(outcome).to.be.instanceOf(AmbiguousCreateError);
    expect((outcome as AmbiguousCreateError).candidates).to.have.members(['our1', 'other0']);
    expect((outcome as Error).message).to.match(
      /each of 2 new activities may be .*: (our1, other0|other0, our1)\. Look at them/,
    );
    expect(attempts).to.equal(1);
  });

  it('does not take what is of another time, or of no known type, for the answer', async () => {
    for (const other of [
      { type: 'ADD_CONTACTS', at: 60_000 },
      { type: 'SOMETHING_NEW', at: 0 },
      { type: undefined, at: 0 },
    ]) {
      const { outcome } = await creation({ fates: [{ error: lost() }], others: [other] });
      expect(outcome, JSON.stringify(other))
        .to.be.instanceOf(AmbiguousCreateError)
        .and.deep.include({ candidates: ['other0'] });
      expect((outcome as Error).message).to.include(
        'a new activity may be what was created, or not: other0. Look at it',
      );
    }
    // Begun by another before, but listed only now.
    const older = { type: 'ADD_CONTACTS', at: -60_000 };
    const { outcome } = await creation({ fates: [{ error: lost() }], others: [older] });
    expect((outcome as AmbiguousCreateError).candidates).to.deep.equal(['other0']);
    // Where the service's clock is not known, the newest before is the measure.
    const before = [anActivity({ id: 'old', type: 'ADD_CONTACTS', insertTime: new Date(0) })];
    const unknown = await creation({ fates: [{ error: lost() }], others: [older], told: false, before });
    expect((unknown.outcome as Activity).id).to.equal('other1');
  });

  it('takes nothing for the answer while there is another of which it is doubtful', async () => {
    for (const type of [undefined, 'SOMETHING_NEW']) {
      const { outcome } = await creation({
        fates: [{ inserted: 0, error: lost() }],
        others: [{ type, at: 0 }],
      });
      expect(outcome).to.be.instanceOf(AmbiguousCreateError);
      expect((outcome as AmbiguousCreateError).candidates).to.have.members(['our1', 'other0']);
    }
  });

  it('allows for a clock of the service that is told to the second, and late', async () => {
    for (const [off, found] of [
      [4_999, true],
      [5_001, false],
      [-29_999, true],
      [-30_001, false],
    ] as const) {
      const start = leapingClock().now();
      const { outcome, mine } = await creation({
        fates: [{ inserted: 0, error: lost() }],
        serviceNow: () => start + off,
      });
      if (found) expect(outcome, String(off)).to.equal(mine[0]);
      else expect(outcome, String(off)).to.deep.include({ candidates: ['our0'] });
    }
  });

  it('does not take an old one for new that comes into sight as others go', async () => {
    const old = Array.from({ length: 60 }, (_, index) =>
      anActivity({
        id: `old${index}`,
        type: 'ADD_CONTACTS',
        insertTime: new Date(Date.UTC(2008, 3, 1) - index * HOUR),
      }),
    );
    let gone = 0;
    const list = async function* () {
      await Promise.resolve();
      yield* old.slice(gone++);
    };
    const { outcome, lists } = await creation({ fates: [{ error: lost() }], list });
    expect(outcome).to.be.instanceOf(AmbiguousCreateError).and.deep.include({ candidates: [] });
    expect([lists, gone > 9]).to.deep.equal([0, true]);
  });

  it('is not led astray by a list in any other order', async () => {
    const before = Array.from({ length: 300 }, (_, index) =>
      anActivity({
        id: `id${(index * 7919) % 1000}`,
        type: 'ADD_CONTACTS',
        insertTime: new Date(Date.UTC(2008, 3, 1) + index * HOUR),
      }),
    );
    const { outcome, mine } = await creation({
      fates: [{ inserted: 0, error: lost() }],
      before,
      scrambled: true,
    });
    expect(outcome).to.equal(mine[0]);
    const none = await creation({ fates: [{ error: lost() }], before, scrambled: true });
    expect(none.outcome).to.be.instanceOf(AmbiguousCreateError).and.deep.include({ candidates: [] });
  });

  it('takes no list for searched that is longer than it reads and in no known order', async () => {
    const oldest = (index: number) => new Date(Date.UTC(2008, 3, 1) + index * 60_000);
    for (const insertTime of [
      oldest,
      () => undefined,
      (index: number) => (index === 3 ? oldest(3) : undefined),
    ]) {
      let read = 0;
      const list = async function* () {
        for (let index = 0; index < 600; index++) {
          await Promise.resolve();
          read++;
          yield anActivity({ id: `old${index}`, type: 'ADD_CONTACTS', insertTime: insertTime(index) });
        }
      };
      const { outcome, attempts } = await creation({
        type: 'EXPORT_CONTACTS',
        fates: [{ error: lost() }],
        list,
        reconcile: reconcile({ quietPeriod: 0 }),
      });
      expect(attempts, 'it may be there').to.equal(1);
      expect(outcome).to.be.instanceOf(AmbiguousCreateError);
      expect((outcome as Error).message).to.include('more than 500, not the newest first');
      expect(read).to.equal(1000);
    }
  });

  it('reads no more pages than it needs', async () => {
    let read = 0;
    const list = async function* () {
      for (let index = 0; index < 100_000; index++) {
        await Promise.resolve();
        read++;
        yield anActivity({ id: `old${index}`, type: 'ADD_CONTACTS', insertTime: new Date(0) });
      }
    };
    await creation({ fates: [{ inserted: 0 }], list });
    expect(read).to.equal(50);
    read = 0;
    await creation({ fates: [{ error: lost() }], list, reconcile: reconcile({ quietPeriod: 0 }) });
    expect(read).to.equal(100);
  });

  it('repeats an export once and no more; an upload when asked, and never when its data are gone; a clear never', async () => {
    const twice = reconcile({ repeatUploads: true });
    const table: readonly (readonly [Asked, Partial<Setup>, attempts: number])[] = [
      ['EXPORT_CONTACTS', {}, 2],
      ['SV_ADD', {}, 1],
      ['REMOVE_CONTACTS_FROM_LISTS', {}, 1],
      ['CLEAR_CONTACTS_FROM_LISTS', {}, 1],
      ['EXPORT_CONTACTS', { reconcile: twice }, 2],
      ['SV_ADD', { reconcile: twice }, 2],
      ['REMOVE_CONTACTS_FROM_LISTS', { reconcile: twice }, 2],
      ['CLEAR_CONTACTS_FROM_LISTS', { reconcile: twice }, 1],
      ['SV_ADD', { reconcile: twice, repeatable: false }, 1],
    ];
    for (const [type, more, attempts] of table) {
      const ran = await creation({ type, fates: [{ error: lost() }], ...more });
      expect(ran.attempts, type).to.equal(attempts);
      expect(ran.outcome).to.be.instanceOf(AmbiguousCreateError);
    }
  });

  it('says what a second try came to', async () => {
    const type = 'EXPORT_CONTACTS';
    const well = await creation({ type, fates: [{ error: lost() }, { inserted: 0 }] });
    expect(well.outcome).to.equal(well.mine[0]);
    expect(well.warnings.map(({ message }) => message)).to.deep.equal([
      'POST of it got no answer; looking whether the activity is there all the same',
      'POST of it got no answer; no new activity was listed, and so the creation is sent once more',
    ]);
    const badly = await creation({ type, fates: [{ error: lost() }, { error: refused(400) }] });
    expect(badly.outcome).to.be.instanceOf(AmbiguousCreateError);
    expect((badly.outcome as Error).message).to.include('sending it once more failed: POST: 400');
    const found = await creation({ type, fates: [{ error: lost() }, { inserted: 0, error: lost() }] });
    expect(found.outcome).to.equal(found.mine[0]);
    const defect = new RangeError('a defect') as unknown as CtctError;
    expect((await creation({ type, fates: [{ error: lost() }, { error: defect }] })).outcome).to.equal(
      defect,
    );
  });

  it('does not repeat what the service said yes to', async () => {
    const { outcome, attempts } = await creation({ type: 'EXPORT_CONTACTS', fates: [{ error: saidYes() }] });
    expect(attempts).to.equal(1);
    expect((outcome as Error).message).to.include('although the service said yes');
  });

  it('sends nothing when the activities cannot be noted', async () => {
    const cases: readonly (readonly [CtctError, object])[] = [
      [refused(401), { status: 401 }],
      [refused(500), { code: 'REQUEST_NOT_SENT', sent: 'no' }],
      [lost(), { code: 'RESPONSE_LOST', sent: 'no' }],
      [new TransportError('ABORTED', 'x', { sent: 'maybe' }), { code: 'ABORTED', sent: 'no' }],
      [new DecodeError('DOCUMENT_UNEXPECTED', 'a login page'), { code: 'DOCUMENT_UNEXPECTED' }],
    ];
    for (const [error, expected] of cases) {
      const list = () => {
        throw error;
      };
      const { outcome, attempts } = await creation({ fates: [{ inserted: 0 }], list });
      expect(outcome).to.include(expected);
      expect(whyMaybeCreated(outcome)).to.equal(undefined);
      expect(attempts).to.equal(0);
    }
  });

  it('goes on looking when a listing fails, and never takes that for an empty one', async () => {
    let calls = 0;
    const failing = (from: number, to: number, activity?: Activity) => {
      calls = 0;
      // eslint-disable-next-line @typescript-eslint/require-await
      return async function* () {
        calls++;
        if (calls >= from && calls <= to) throw refused(503);
        if (calls > 1 && activity !== undefined) yield activity;
      };
    };
    const ours = anActivity({ id: 'ours', type: 'ADD_CONTACTS' });
    const found = await creation({ fates: [{ error: lost() }], list: failing(2, 4, ours) });
    expect(found.outcome).to.equal(ours);
    expect(calls).to.equal(5);
    const blind = await creation({
      type: 'EXPORT_CONTACTS',
      fates: [{ error: lost() }],
      list: failing(2, Infinity),
    });
    expect(blind.outcome).to.be.instanceOf(AmbiguousCreateError);
    expect((blind.outcome as Error).message).to.include('could not be listed to look for it (POST: 503)');
    expect(blind.attempts).to.equal(1);
  });

  it('without it is just the attempt', async () => {
    const error = lost();
    const { outcome, lists } = await creation({ fates: [{ error }], reconcile: false });
    expect([outcome, lists]).to.deep.equal([error, 0]);
  });

  it('ends at once when it is aborted, in the attempt or while looking', async () => {
    const controller = new AbortController();
    const aborted = new TransportError('ABORTED', 'aborted', { sent: 'maybe' });
    expect((await creation({ fates: [{ inserted: 0, error: aborted }] })).outcome).to.equal(aborted);
    const clock = { now: () => 0, sleep: () => new Promise<void>(() => undefined) };
    const looking = creation({ fates: [{ error: lost() }], clock, signal: controller.signal });
    await new Promise(setImmediate);
    controller.abort();
    expect((await looking).outcome).to.include({ code: 'ABORTED', sent: 'maybe' });
    let calls = 0;
    const list = async function* (): AsyncGenerator<Activity> {
      await Promise.resolve();
      yield* [];
      if (++calls > 1) throw aborted;
    };
    const listing = await creation({ fates: [{ error: lost() }], list });
    expect(listing.outcome).to.include({ code: 'ABORTED', sent: 'maybe' });
  });

  it('refuses a quiet period that is none', async () => {
    for (const quietPeriod of [-1, NaN, Infinity]) {
      const { outcome, attempts } = await creation({ fates: [{ inserted: 0 }], reconcile: { quietPeriod } });
      expect(outcome).to.be.instanceOf(UsageError);
      expect(attempts).to.equal(0);
      expect(() => {
        checkReconcile({ quietPeriod });
      }).to.throw(UsageError, /reconcile\.quietPeriod/);
    }
    for (const fine of [false, undefined, {}, { quietPeriod: 0 }] as const) checkReconcile(fine);
  });
});

describe('the creations of one client', () => {
  /** An attempt that ends when it is told to. */
  function held(id: string, log: string[]) {
    let end: (error?: Error) => void = () => undefined;
    const attempt = () =>
      new Promise<Activity>((resolve, reject) => {
        log.push(`begun ${id}`);
        end = (error) => {
          log.push(`ended ${id}`);
          if (error === undefined) resolve(anActivity({ id, type: 'ADD_CONTACTS' }));
          else reject(error);
        };
      });
    return {
      attempt,
      end: (error?: Error) => {
        end(error);
      },
    };
  }
  const context = (turns: CreateTurns, more: Partial<CreateContext> = {}): CreateContext => ({
    // eslint-disable-next-line @typescript-eslint/require-await
    list: async function* () {
      yield* [];
    },
    clock: leapingClock(),
    turns,
    ...more,
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('go one after another where they are of a kind, side by side where not', async () => {
    const turns = new CreateTurns();
    const log: string[] = [];
    const [first, second, other] = [held('1', log), held('2', log), held('x', log)];
    const all = [
      createOnce({ activityType: 'SV_ADD' }, first.attempt, context(turns)),
      createOnce({ activityType: 'ADD_CONTACT_DETAIL' }, second.attempt, context(turns)),
      createOnce({ activityType: 'EXPORT_CONTACTS' }, other.attempt, context(turns)),
    ];
    await turn();
    expect(log).to.deep.equal(['begun 1', 'begun x']);
    first.end();
    await turn();
    second.end();
    other.end();
    await Promise.all(all);
    expect(log).to.deep.equal(['begun 1', 'begun x', 'ended 1', 'begun 2', 'ended 2', 'ended x']);
  });

  it('wait for one that fails no longer than it takes, and can be aborted before their turn', async () => {
    const turns = new CreateTurns();
    const log: string[] = [];
    const [first, second, third] = [held('1', log), held('2', log), held('3', log)];
    const controller = new AbortController();
    const failing = createOnce({ activityType: 'SV_ADD' }, first.attempt, context(turns));
    const leaving = createOnce(
      { activityType: 'SV_ADD' },
      second.attempt,
      context(turns, { signal: controller.signal }),
    );
    const staying = createOnce({ activityType: 'SV_ADD' }, third.attempt, context(turns));
    await turn();
    controller.abort();
    expect(await leaving.catch((error: unknown) => error)).to.include({ code: 'ABORTED', sent: 'no' });
    await turn();
    expect(log, 'the third still waits for the first').to.deep.equal(['begun 1']);
    first.end(refused(400));
    expect(await failing.catch((error: unknown) => error)).to.include({ status: 400 });
    await turn();
    third.end();
    expect((await staying).id).to.equal('3');
  });

  it('are never taken for each other’s answer', async () => {
    const turns = new CreateTurns();
    const earlier = anActivity({ id: 'earlier', type: 'ADD_CONTACTS' });
    let calls = 0;
    // A list that lags behind: the activity shows only after the next creation has begun.
    const list = async function* () {
      await Promise.resolve();
      if (++calls > 2) yield earlier;
    };
    await createOnce({ activityType: 'SV_ADD' }, () => Promise.resolve(earlier), context(turns, { list }));
    const second = await createOnce(
      { activityType: 'SV_ADD' },
      () => Promise.reject(lost()),
      context(turns, { list }),
    ).catch((error: unknown) => error);
    expect(second).to.be.instanceOf(AmbiguousCreateError).and.deep.include({ candidates: [] });
  });

  it('are remembered to a number', () => {
    const turns = new CreateTurns();
    for (let index = 0; index <= 1000; index++) turns.made(anActivity({ id: String(index) }));
    expect([turns.has('0'), turns.has('1'), turns.has('1000')]).to.deep.equal([false, true, true]);
  });
});
