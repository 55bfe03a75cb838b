import { expect } from 'chai';
import fc from 'fast-check';
import { ServiceError, UsageError } from '../../src/activity/errors.js';
import { activityAt, transitionsAt, type Job } from '../../src/emulator/job.js';
import { JobQueue, type JobOrder } from '../../src/emulator/jobs.js';
import type { Latency } from '../../src/emulator/latency.js';
import type { JobOutcome } from '../../src/emulator/outcomes.js';
import { seededRandom } from '../../src/emulator/random.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import type { Work } from '../../src/emulator/work.js';

const COURSE = ['UNCONFIRMED', 'PENDING', 'QUEUED', 'RUNNING', 'COMPLETE', 'ERROR'] as const;
const LINE = ['PENDING', 'QUEUED', 'RUNNING', 'COMPLETE'];

const clear = (...lists: string[]): Work => ({ kind: 'clear', lists });
const add = (...lists: string[]): Work => ({
  kind: 'add',
  lists,
  upload: { hasDetails: false, rows: [], errors: [], broken: undefined },
});

function queue(latency?: Latency, { seed = 1, order }: { seed?: number; order?: JobOrder } = {}) {
  const clock = createVirtualClock();
  const performed: { id: string; time: number }[] = [];
  const jobs = new JobQueue({
    clock,
    random: seededRandom(seed),
    latency,
    order,
    perform: ({ id, runFinishTime }) => {
      performed.push({ id, time: runFinishTime });
      return { status: 'COMPLETE', transactionCount: 1, errors: [] };
    },
  });
  const insert = (planned?: JobOutcome, work = clear('1')) =>
    jobs.insert(work.kind === 'add' ? 'ADD_CONTACTS' : 'CLEAR_CONTACTS_FROM_LISTS', work, planned);
  const status = (job: Job) => activityAt(job, jobs.settle()).status;
  return { clock, jobs, performed, insert, status };
}

describe('JobQueue', () => {
  it('runs jobs one after another in order of insertion, each status in its time', async () => {
    const span = fc.tuple(fc.nat(3000), fc.nat(3000)).map(([a, b]): [number, number] => [a, a + b]);
    await fc.assert(
      fc.asyncProperty(
        fc.record({ pending: span, queued: span, running: span }),
        fc.array(fc.nat(4000), { minLength: 1, maxLength: 12 }),
        async (latency, advances) => {
          const { clock, jobs, performed, insert } = queue(latency);
          const inserted: Job[] = [];
          for (const time of advances) {
            inserted.push(insert());
            await clock.advance(time);
            const now = jobs.settle();
            for (const job of inserted) {
              const activity = activityAt(job, now);
              const at = [job.queuedTime, job.runStartTime, job.runFinishTime].filter((t) => t <= now).length;
              expect(activity.status).to.equal(LINE[at]);
              expect(activity.runStartTime?.getTime()).to.equal(at >= 2 ? job.runStartTime : undefined);
              expect(activity.runFinishTime?.getTime()).to.equal(at === 3 ? job.runFinishTime : undefined);
              expect(activity.transactionCount).to.equal(at === 3 ? 1 : undefined);
              expect(activity.fileName).to.equal(at === 3 ? '' : undefined);
              const times = [job.insertTime, job.queuedTime, job.runStartTime, job.runFinishTime];
              expect(activity.updated?.getTime()).to.equal(times[at]);
              expect(transitionsAt(job, now).map(({ status, at }) => [status, at.getTime()])).to.deep.equal(
                LINE.slice(0, at + 1).map((status, index) => [status, times[index]]),
              );
            }
          }
          const ended = inserted.filter(({ runFinishTime }) => runFinishTime <= jobs.now());
          expect(performed).to.deep.equal(ended.map(({ id, runFinishTime: time }) => ({ id, time })));
          inserted.forEach((job, index) => {
            const within = (from: number, to: number, [least, most]: [number, number], slack = 0) => {
              expect(to - from).to.be.within(least, Math.max(most, slack));
            };
            const free = inserted[index - 1]?.runFinishTime ?? 0;
            expect(job.runStartTime).to.be.at.least(free);
            within(job.insertTime, job.queuedTime, latency.pending);
            within(job.queuedTime, job.runStartTime, latency.queued, free - job.queuedTime);
            within(job.runStartTime, job.runFinishTime, latency.running);
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  it('keeps to the course whatever is held, released, forced or ended, and does each work once', async () => {
    const held = fc.constantFrom<JobOutcome | undefined>(
      undefined,
      'complete',
      'error',
      'unconfirmed',
      { stuckIn: 'PENDING' },
      { stuckIn: 'QUEUED' },
      { stuckIn: 'RUNNING' },
    );
    const step = fc.oneof(
      fc.record({ do: fc.constant('insert' as const), planned: held, adds: fc.boolean() }),
      fc.record({ do: fc.constant('advance' as const), time: fc.nat(15_000) }),
      fc.record({ do: fc.constant('bring' as const), which: fc.nat(), to: fc.constantFrom(...COURSE) }),
    );
    const order = fc.constantFrom<JobOrder>('loose', 'strict');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.integer(), order, async (steps, seed, order) => {
        const { clock, jobs, performed, insert } = queue(undefined, { seed, order });
        const inserted: Job[] = [];
        const forced = new Set<Job>();
        const seen = new Map<Job, readonly { status: string; at: Date }[]>();
        let last: { version: number; records: unknown[] } = { version: -1, records: [] };

        const look = () => {
          const now = jobs.settle();
          const running = inserted.filter(
            (job) => activityAt(job, now).status === 'RUNNING' && !forced.has(job),
          );
          expect(running.length).to.be.at.most(1);
          const version = jobs.version();
          const records = inserted.map((job) => activityAt(job, now));
          // What is of the same version is the same, down to the objects.
          if (version === last.version) {
            expect(records).to.have.length(last.records.length);
            records.forEach((record, index) => expect(record).to.equal(last.records[index]));
          }
          expect(jobs.version()).to.equal(version);
          last = { version, records };
          for (const job of inserted) {
            const passed = transitionsAt(job, now);
            const ranks = passed.map(({ status }) => COURSE.indexOf(status as never));
            expect(ranks).to.deep.equal([...new Set(ranks)].sort((a, b) => a - b));
            expect(passed.at(-1)?.status).to.equal(activityAt(job, now).status);
            // What was is not rewritten, and nothing happens before it does.
            const before = seen.get(job) ?? [];
            expect(passed.slice(0, before.length)).to.deep.equal(before);
            for (const [index, { at }] of passed.entries()) {
              expect(at.getTime()).to.be.within((passed[index - 1]?.at ?? new Date(0)).getTime(), now);
            }
            seen.set(job, passed);
          }
        };

        for (const one of steps) {
          if (one.do === 'insert') inserted.push(insert(one.planned, one.adds ? add('1') : clear('1')));
          else if (one.do === 'advance') await clock.advance(one.time);
          else if (inserted.length > 0) {
            const job = inserted[one.which % inserted.length]!;
            const status = activityAt(job, jobs.settle()).status;
            const ended = status === 'COMPLETE' || status === 'ERROR';
            const back = COURSE.indexOf(one.to) < COURSE.indexOf(status as never);
            if (ended || back) {
              expect(() => jobs.transition(job.id, one.to)).to.throw(UsageError, job.id);
            } else {
              if (one.to === 'RUNNING') forced.add(job);
              jobs.transition(job.id, one.to);
              expect(activityAt(job, jobs.now()).status).to.equal(one.to);
            }
          }
          look();
        }
        // Released from where they are, all come to their end.
        for (const job of inserted) {
          if ('record' in job.state) continue;
          jobs.transition(job.id, activityAt(job, jobs.settle()).status as never);
          // Once more for who was UNCONFIRMED, and is so still.
          if (job.pendingTime === Infinity) jobs.transition(job.id, 'PENDING');
        }
        await clock.advance('1h');
        look();
        const complete = inserted.filter((job) => activityAt(job, jobs.now()).status === 'COMPLETE');
        const failed = inserted.filter((job) => activityAt(job, jobs.now()).status === 'ERROR');
        expect(complete.length + failed.length).to.equal(inserted.length);
        expect(performed.map(({ id }) => id).sort()).to.deep.equal(complete.map(({ id }) => id).sort());
        const times = performed.map(({ time }) => time);
        expect(times).to.deep.equal([...times].sort((a, b) => a - b));
      }),
      { numRuns: 150 },
    );
  });

  it('takes as long by default as the document’s samples show', () => {
    for (let seed = 0; seed < 50; seed++) {
      const job = queue(undefined, { seed }).insert();
      expect(job.runStartTime - job.insertTime).to.be.within(2000, 24_000);
      expect(job.runFinishTime - job.runStartTime).to.be.within(600, 2000);
    }
  });

  it('is done at once when it is told to be instant', () => {
    const { insert, status, performed } = queue('instant');
    const job = insert();
    expect(performed).to.deep.equal([]);
    expect(status(job)).to.equal('COMPLETE');
    expect(status(insert())).to.equal('COMPLETE');
  });

  it('works when someone looks, once, at the time it was due', async () => {
    const { clock, jobs, insert, performed } = queue({ pending: 10, queued: '20ms', running: [30, '30ms'] });
    const job = insert();
    await clock.advance('1h');
    expect(performed).to.deep.equal([]);
    jobs.settle();
    jobs.settle();
    expect(performed).to.deep.equal([{ id: job.id, time: job.insertTime + 60 }]);
  });

  it('gives the newest first, behind any of them, those inserted meanwhile left out', () => {
    const { jobs, insert } = queue();
    const [first, second, third] = [insert(), insert(), insert()];
    const read: Job[] = [];
    for (const job of jobs.newestFirst()) {
      read.push(job);
      insert();
    }
    expect(read).to.deep.equal([third, second, first]);
    expect([...jobs.newestFirst(third)]).to.deep.equal([second, first]);
    expect([...jobs.newestFirst(first)]).to.deep.equal([]);
    expect(jobs.size).to.equal(6);
    expect(jobs.get('a07e1')).to.equal(undefined);
  });

  it('does not run backwards when the clock does', async () => {
    const { clock, jobs, insert, status } = queue({ pending: 0, queued: 0, running: 100 });
    const first = insert();
    await clock.advance(200);
    const { insertTime } = first;
    jobs.settle();
    await clock.set(5);
    expect(status(first)).to.equal('COMPLETE');
    expect(insert().insertTime).to.equal(insertTime + 200);
  });

  it('refuses latencies that are none', () => {
    for (const latency of [
      { pending: -1 },
      { queued: NaN },
      { running: Infinity },
      { running: [2, 1] as const },
      { running: ['2s', '1s'] as const },
      { running: [-2, 1] as const },
      { running: 'fast' },
    ]) {
      expect(() => queue(latency), JSON.stringify(latency)).to.throw(UsageError, /latency\.\w+/);
    }
  });

  describe('holds', () => {
    const quick = { pending: 10, queued: 10, running: 10 };

    it('a job UNCONFIRMED until it is confirmed, and lets others by', async () => {
      const { clock, jobs, insert, status } = queue(quick);
      const [held, other] = [insert('unconfirmed'), insert()];
      expect(activityAt(held, -Infinity).status).to.equal('UNCONFIRMED');
      await clock.advance('1h');
      expect([status(held), status(other)]).to.deep.equal(['UNCONFIRMED', 'COMPLETE']);
      jobs.transition(held.id, 'PENDING');
      expect(status(held)).to.equal('PENDING');
      await clock.advance(30);
      expect(status(held)).to.equal('COMPLETE');
      expect(transitionsAt(held, jobs.now()).map(({ status }) => status)).to.deep.equal([
        'UNCONFIRMED',
        'PENDING',
        'QUEUED',
        'RUNNING',
        'COMPLETE',
      ]);
    });

    it('a job in PENDING or QUEUED, and lets others by', async () => {
      for (const stuckIn of ['PENDING', 'QUEUED'] as const) {
        const { clock, jobs, insert, status } = queue(quick);
        const [held, other] = [insert({ stuckIn }), insert()];
        await clock.advance('1h');
        expect([status(held), status(other)]).to.deep.equal([stuckIn, 'COMPLETE']);
        jobs.transition(held.id, stuckIn);
        await clock.advance(30);
        expect(status(held)).to.equal('COMPLETE');
      }
    });

    it('a job RUNNING, and nobody else runs until it ends', async () => {
      for (const to of ['RUNNING', 'COMPLETE', 'ERROR'] as const) {
        const { clock, jobs, insert, status } = queue(quick);
        const [held, other] = [insert({ stuckIn: 'RUNNING' }), insert()];
        await clock.advance('1h');
        expect([status(held), status(other)]).to.deep.equal(['RUNNING', 'QUEUED']);
        jobs.transition(held.id, to);
        expect(status(held)).to.equal(to);
        await clock.advance(20);
        expect([status(held), status(other)]).to.deep.equal([
          to === 'ERROR' ? 'ERROR' : 'COMPLETE',
          'COMPLETE',
        ]);
      }
    });

    it('refuses unknown jobs and statuses', () => {
      const { jobs, insert } = queue();
      expect(() => jobs.transition('a07e1', 'COMPLETE'))
        .to.throw(ServiceError, 'a07e1')
        .with.property('code', 'NOT_FOUND');
      expect(() => jobs.transition(insert().id, 'DONE' as never)).to.throw(UsageError, '"DONE" is no status');
    });
  });

  describe('a list being cleared', () => {
    const slow = { pending: 100, queued: 100, running: 10 };

    it('is cleared after uploads into it that came before the clear was ready', async () => {
      const { clock, jobs, insert, performed } = queue(slow);
      const [cleared, other, added] = [
        insert(undefined, clear('1', '2')),
        insert(undefined, add('3')),
        insert(undefined, add('2')),
      ];
      await clock.advance('1h');
      jobs.settle();
      expect(performed.map(({ id }) => id)).to.deep.equal([other.id, added.id, cleared.id]);
    });

    it('is not, when the upload comes later, is for another list, or jobs are strict', async () => {
      for (const [wait, list, order] of [
        [200, '1', 'loose'],
        [0, '2', 'loose'],
        [0, '1', 'strict'],
      ] as const) {
        const { clock, jobs, insert, performed } = queue(slow, { order });
        const cleared = insert(undefined, clear('1'));
        await clock.advance(wait);
        const added = insert(undefined, add(list));
        await clock.advance('1h');
        jobs.settle();
        expect(performed.map(({ id }) => id)).to.deep.equal([cleared.id, added.id]);
      }
    });

    it('comes to its turn however many uploads follow each other', async () => {
      const { clock, insert, status } = queue({ pending: 50, queued: 500, running: 100 });
      const cleared = insert(undefined, clear('1'));
      for (let uploads = 0; uploads < 50; uploads++) {
        insert(undefined, add('1'));
        await clock.advance(50);
      }
      expect(status(cleared)).to.equal('COMPLETE');
    });
  });
});
