import { expect } from 'chai';
import fc from 'fast-check';
import type { Activity, KnownActivityType } from '../src/activity/activity.js';
import {
  AmbiguousCreateError,
  ServiceError,
  TransportError,
  type CtctError,
} from '../src/activity/errors.js';
import { createOnce, type CreateContext, type CreationAttempt } from '../src/create.js';
import { leapingClock } from './support/leaping-clock.js';
import { anActivity } from './support/stub-service.js';

const HOUR = 3_600_000;
const lost = () => new TransportError('RESPONSE_LOST', 'POST of it got no answer', { sent: 'maybe' });
const answered = (status: number) =>
  new ServiceError('SERVICE_FAILED', `POST: ${status}`, { status, detail: '' });

/** Thrown where a process ends. */
class Killed extends Error {}

interface World {
  readonly clock: ReturnType<typeof leapingClock>;
  readonly kept: { readonly activity: Activity; readonly listed: number }[];
  /** What outlives each process. */
  attempt: CreationAttempt | undefined;
  posts: number;
}

function makeWorld(before: number): World {
  const clock = leapingClock();
  const kept = Array.from({ length: before }, (_, index) => ({
    activity: anActivity({
      id: `old${index}`,
      type: 'ADD_CONTACTS',
      insertTime: new Date(clock.now() - (index + 1) * HOUR),
    }),
    listed: -Infinity,
  }));
  return { clock, kept, attempt: undefined, posts: 0 };
}

/** What becomes of one request: it is taken or not, and the client hears of it, or of an error, or is killed. */
interface Fate {
  readonly taken: boolean;
  readonly heard: 'yes' | 'killed' | CtctError;
}

interface Process {
  readonly fates: readonly Fate[];
  /** The process ends as it writes down the attempt: before, or after. */
  readonly killedAtKeep?: 'before' | 'after' | undefined;
}

interface Setup {
  readonly type: KnownActivityType;
  readonly named: boolean;
  readonly lag: number;
  readonly told: boolean;
  readonly context?: Partial<CreateContext>;
}

/** One process that creates, on a world that others may have been at before. */
async function live(world: World, { fates, killedAtKeep }: Process, setup: Setup): Promise<Activity | Error> {
  const { clock, kept } = world;
  let requests = 0;
  const insert = (id: string, fileName: string | undefined) => {
    const activity = anActivity({ id, type: setup.type, insertTime: new Date(clock.now()), fileName });
    kept.push({ activity, listed: clock.now() + setup.lag });
    return activity;
  };
  return createOnce(
    { activityType: setup.type },
    () => {
      world.posts++;
      const { taken, heard } = fates[Math.min(requests++, fates.length - 1)]!;
      const activity = taken ? insert(`our${world.posts}`, setup.named ? 'ours.csv' : undefined) : undefined;
      if (heard === 'killed') return Promise.reject(new Killed());
      if (heard !== 'yes') return Promise.reject(heard);
      return Promise.resolve(activity ?? expect.fail('it is said to be taken'));
    },
    {
      // eslint-disable-next-line @typescript-eslint/require-await
      async *list() {
        const listed = kept.filter((one) => one.listed <= clock.now()).map(({ activity }) => activity);
        yield* listed.sort((a, b) => b.insertTime!.getTime() - a.insertTime!.getTime());
      },
      clock,
      random: () => 0.5,
      reconcile: { repeatUploads: true },
      serviceNow: () => (setup.told ? clock.now() : undefined),
      recognise: ({ fileName }) =>
        setup.named && fileName !== undefined ? fileName === 'ours.csv' : undefined,
      memory: {
        kept: world.attempt,
        keep: async (attempt) => {
          await Promise.resolve();
          if (killedAtKeep === 'before') throw new Killed();
          world.attempt = JSON.parse(JSON.stringify(attempt)) as CreationAttempt;
          if (killedAtKeep === 'after') throw new Killed();
        },
        forget: () => {
          world.attempt = undefined;
        },
      },
      ...setup.context,
    },
  ).catch((error: unknown) => error as Error);
}

describe('createOnce with a memory', () => {
  const type = fc.constantFrom<KnownActivityType[]>(
    'ADD_CONTACTS',
    'REMOVE_CONTACTS_FROM_LISTS',
    'CLEAR_CONTACTS_FROM_LISTS',
    'EXPORT_CONTACTS',
  );
  const setups = fc.record({
    type,
    named: fc.boolean(),
    lag: fc.integer({ min: 0, max: 60_000 }),
    told: fc.boolean(),
  });
  const first: fc.Arbitrary<Process> = fc.oneof(
    fc.constantFrom<Process>({ fates: [], killedAtKeep: 'before' }, { fates: [], killedAtKeep: 'after' }),
    fc.boolean().map((taken): Process => ({ fates: [{ taken, heard: 'killed' }] })),
    fc.boolean().map((taken): Process => ({
      fates: [
        { taken: false, heard: lost() },
        { taken, heard: 'killed' },
      ],
    })),
  );

  it('makes one, wherever a process ends, and finds it in the next', async () => {
    await fc.assert(
      fc.asyncProperty(first, setups, fc.nat(70), fc.nat(3 * HOUR), async (process, setup, before, pause) => {
        const world = makeWorld(before);
        const dead = await live(world, process, setup);
        const clear = setup.type === 'CLEAR_CONTACTS_FROM_LISTS';
        // A clear whose answer was lost is not sent again, and so the process was not killed then.
        if (clear && process.fates.length === 2) expect(dead).to.be.instanceOf(AmbiguousCreateError);
        else expect(dead).to.be.instanceOf(Killed);
        const sent = world.posts;
        const taken = world.kept.length - before;
        const knew = world.attempt !== undefined;
        world.clock.pass(pause);
        const outcome = await live(world, { fates: [{ taken: true, heard: 'yes' }] }, setup);
        const ours = world.kept.slice(before).map(({ activity }) => activity);
        if (taken === 0 && clear && knew) {
          expect(outcome).to.be.instanceOf(AmbiguousCreateError).and.deep.include({ candidates: [] });
          expect(world.posts).to.equal(sent);
          return;
        }
        expect(ours, 'one, and no more').to.have.length(1);
        expect(outcome).to.equal(ours[0]);
        expect(world.posts).to.equal(sent + (taken === 1 ? 0 : 1));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps before it sends, each time, and what it keeps says what there was before the first', async () => {
    const world = makeWorld(3);
    const setup = { type: 'ADD_CONTACTS', named: false, lag: 0, told: true } as const;
    const log: string[] = [];
    const attempts: CreationAttempt[] = [];
    const memory = {
      kept: undefined,
      keep: (attempt: CreationAttempt) => {
        log.push(`keep after ${world.posts}`);
        attempts.push(attempt);
        return Promise.resolve();
      },
    };
    const fates: Fate[] = [
      { taken: false, heard: lost() },
      { taken: true, heard: 'yes' },
    ];
    const start = world.clock.now();
    const outcome = await live(world, { fates }, { ...setup, context: { memory } });
    expect((outcome as Activity).id).to.equal('our2');
    expect(log).to.deep.equal(['keep after 0', 'keep after 1']);
    expect(attempts[0]).to.deep.equal({
      noted: ['old0', 'old1', 'old2'],
      newest: start - HOUR,
      all: true,
      sorted: true,
      from: start,
    });
    expect(attempts[1]).to.deep.equal(attempts[0]);
    const unknown = makeWorld(0);
    await live(unknown, { fates: [{ taken: true, heard: 'yes' }] }, { ...setup, told: false });
    expect(unknown.attempt).to.deep.equal({ noted: [], newest: null, all: true, sorted: false, from: null });
  });

  it('knows its own among several that are new, and passes over those of others', async () => {
    const setup = { type: 'ADD_CONTACTS', named: true, lag: 0, told: true } as const;
    for (const names of [
      ['theirs.csv', 'ours.csv', undefined],
      ['ours.csv', 'ours.csv'],
    ]) {
      const world = makeWorld(2);
      await live(world, { fates: [], killedAtKeep: 'after' }, setup);
      for (const [index, fileName] of names.entries()) {
        world.clock.pass(1000);
        const insertTime = new Date(world.clock.now());
        const activity = anActivity({ id: `new${index}`, type: 'ADD_CONTACTS', insertTime, fileName });
        world.kept.push({ activity, listed: 0 });
      }
      const outcome = await live(world, { fates: [] }, setup);
      expect((outcome as Activity).id, 'the newest of ours').to.equal('new1');
    }
    const world = makeWorld(0);
    await live(world, { fates: [], killedAtKeep: 'after' }, setup);
    world.kept.push({
      activity: anActivity({
        id: 'theirs',
        type: 'ADD_CONTACTS',
        fileName: 'theirs.csv',
        insertTime: new Date(world.clock.now()),
      }),
      listed: 0,
    });
    const outcome = await live(world, { fates: [{ taken: true, heard: 'yes' }] }, setup);
    expect((outcome as Activity).id).to.equal('our1');
  });

  it('forgets what was refused, so that nobody looks for it', async () => {
    for (const error of [
      answered(400),
      answered(429),
      answered(503),
      new TransportError('REQUEST_NOT_SENT', 'x', { sent: 'no' }),
    ]) {
      const world = makeWorld(0);
      const setup = { type: 'CLEAR_CONTACTS_FROM_LISTS', named: false, lag: 0, told: true } as const;
      expect(await live(world, { fates: [{ taken: false, heard: error }] }, setup)).to.equal(error);
      expect(world.attempt).to.equal(undefined);
      const { sleeps } = world.clock;
      await live(world, { fates: [{ taken: true, heard: 'yes' }] }, setup);
      expect(sleeps).to.deep.equal([]);
    }
    // Without anybody to be told.
    const memory = { kept: undefined, keep: () => Promise.resolve() };
    const world = makeWorld(0);
    const setup = { type: 'ADD_CONTACTS', named: false, lag: 0, told: true, context: { memory } } as const;
    const error = answered(400);
    expect(await live(world, { fates: [{ taken: false, heard: error }] }, setup)).to.equal(error);
  });

  it('sends nothing where something that is there already speaks against it', async () => {
    const world = makeWorld(60);
    const asked: string[] = [];
    const objection = ({ id }: Activity) => {
      asked.push(id);
      return id === 'old3' ? 'old3 was it' : undefined;
    };
    const setup = { type: 'CLEAR_CONTACTS_FROM_LISTS', named: false, lag: 0, told: true } as const;
    const fates = [{ taken: true, heard: 'killed' }] as const;
    const refused = await live(world, { fates }, { ...setup, context: { objection } });
    expect(refused).to.be.instanceOf(AmbiguousCreateError);
    expect(refused).to.include({ message: 'nothing was sent: old3 was it' });
    expect((refused as AmbiguousCreateError).candidates).to.deep.equal(['old3']);
    expect([world.posts, world.attempt]).to.deep.equal([0, undefined]);
    // What was sent once is looked for, whatever else there is.
    await live(world, { fates }, setup);
    asked.length = 0;
    const found = await live(world, { fates: [] }, { ...setup, context: { objection } });
    expect([(found as Activity).id, asked]).to.deep.equal(['our1', []]);
  });

  it('tells what kept it from looking, or from sending once more, and can be called again', async () => {
    const down = answered(503);
    const setup = { type: 'ADD_CONTACTS', named: false, lag: 0, told: true } as const;
    const world = makeWorld(0);
    await live(world, { fates: [{ taken: true, heard: 'killed' }] }, setup);
    const list = () => {
      throw down;
    };
    expect(await live(world, { fates: [] }, { ...setup, context: { list } })).to.equal(down);
    expect(world.attempt).not.to.equal(undefined);
    expect(((await live(world, { fates: [] }, setup)) as Activity).id).to.equal('our1');

    const other = makeWorld(0);
    await live(other, { fates: [{ taken: false, heard: 'killed' }] }, setup);
    expect(await live(other, { fates: [{ taken: false, heard: down }] }, setup)).to.equal(down);
    expect(other.attempt, 'the first may still come').not.to.equal(undefined);
    const refused = await live(other, { fates: [{ taken: false, heard: answered(400) }] }, setup);
    expect(refused).to.be.instanceOf(AmbiguousCreateError);
    expect(refused).to.have.property('message').that.includes('sending it once more failed: POST: 400');
    expect(((await live(other, { fates: [{ taken: true, heard: 'yes' }] }, setup)) as Activity).id).to.equal(
      'our4',
    );
  });

  it('sends nothing that could not be kept', async () => {
    const world = makeWorld(0);
    const full = new TransportError('ABORTED', 'stopped', { sent: 'no' });
    const memory = { kept: undefined, keep: () => Promise.reject(full) };
    const setup = { type: 'ADD_CONTACTS', named: false, lag: 0, told: true, context: { memory } } as const;
    expect(await live(world, { fates: [{ taken: true, heard: 'yes' }] }, setup)).to.equal(full);
    expect(world.posts).to.equal(0);
  });

  it('is not asked where nothing is reconciled', async () => {
    const world = makeWorld(0);
    const setup = {
      type: 'ADD_CONTACTS',
      named: false,
      lag: 0,
      told: true,
      context: { reconcile: false },
    } as const;
    const outcome = await live(world, { fates: [{ taken: true, heard: 'yes' }] }, setup);
    expect((outcome as Activity).id).to.equal('our1');
    expect(world.attempt).to.equal(undefined);
  });
});
