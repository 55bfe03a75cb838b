import { expect } from 'chai';
import fc from 'fast-check';
import { UsageError } from '../../src/activity/errors.js';
import { activityAt, JobQueue, type Job, type Latency, type Work } from '../../src/emulator/jobs.js';
import { seededRandom } from '../../src/emulator/random.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';

const done: Work = () => ({ status: 'COMPLETE', transactionCount: 1, errors: [] });
const ORDER = ['PENDING', 'QUEUED', 'RUNNING', 'COMPLETE'];

function queue(latency?: Latency, seed = 1) {
  const clock = createVirtualClock();
  return { clock, jobs: new JobQueue({ clock, random: seededRandom(seed), latency }) };
}

describe('JobQueue', () => {
  it('runs jobs one after another in order of insertion, each status in its time', async () => {
    const span = fc.tuple(fc.nat(3000), fc.nat(3000)).map(([a, b]): [number, number] => [a, a + b]);
    await fc.assert(
      fc.asyncProperty(
        fc.record({ pending: span, queued: span, running: span }),
        fc.array(fc.nat(4000), { minLength: 1, maxLength: 12 }),
        async (latency, advances) => {
          const { clock, jobs } = queue(latency);
          const ran: number[] = [];
          const inserted: Job[] = [];
          for (const [index, time] of advances.entries()) {
            inserted.push(
              jobs.insert('ADD_CONTACTS', (at) => {
                ran.push(index);
                return done(at);
              }),
            );
            await clock.advance(time);
            const now = jobs.settle();
            for (const job of inserted) {
              const activity = activityAt(job, now);
              const at = [job.queuedTime, job.runStartTime, job.runFinishTime].filter((t) => t <= now).length;
              expect(activity.status).to.equal(ORDER[at]);
              expect(activity.runStartTime?.getTime()).to.equal(at >= 2 ? job.runStartTime : undefined);
              expect(activity.runFinishTime?.getTime()).to.equal(at === 3 ? job.runFinishTime : undefined);
              expect(activity.transactionCount).to.equal(at === 3 ? 1 : undefined);
              expect(activity.fileName).to.equal(at === 3 ? '' : undefined);
              expect(activity.updated?.getTime()).to.equal(
                [job.insertTime, job.queuedTime, job.runStartTime, job.runFinishTime][at],
              );
            }
          }
          expect(ran).to.deep.equal([...ran.keys()]);
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

  it('takes as long by default as the document’s samples show', () => {
    const { jobs } = queue();
    for (let count = 0; count < 50; count++) {
      const job = queue(undefined, count).jobs.insert('ADD_CONTACTS', done);
      expect(job.runStartTime - job.insertTime).to.be.within(2000, 24_000);
      expect(job.runFinishTime - job.runStartTime).to.be.within(600, 2000);
    }
    expect(jobs.get('a07e1')).to.equal(undefined);
  });

  it('works when someone looks, once, at the time it was due', async () => {
    const { clock, jobs } = queue({ pending: 10, queued: 20, running: 30 });
    const times: number[] = [];
    const job = jobs.insert('ADD_CONTACTS', (time) => {
      times.push(time);
      return done(time);
    });
    await clock.advance('1h');
    expect(times).to.deep.equal([]);
    jobs.settle();
    jobs.settle();
    expect(times).to.deep.equal([job.insertTime + 60]);
  });

  it('gives the newest first, those inserted meanwhile left out', () => {
    const { jobs } = queue();
    const ids = [1, 2, 3].map(() => jobs.insert('ADD_CONTACTS', done).id);
    const read: string[] = [];
    for (const { id } of jobs.newestFirst()) {
      read.push(id);
      jobs.insert('ADD_CONTACTS', done);
    }
    expect(read).to.deep.equal(ids.reverse());
  });

  it('does not run backwards when the clock does', () => {
    let time = 10_000;
    const clock = { now: () => time, sleep: () => Promise.resolve() };
    const jobs = new JobQueue({
      clock,
      random: seededRandom(1),
      latency: { pending: 0, queued: 0, running: 100 },
    });
    const first = jobs.insert('ADD_CONTACTS', done);
    time = 10_200;
    jobs.settle();
    time = 5;
    expect(activityAt(first, jobs.settle()).status).to.equal('COMPLETE');
    expect(jobs.insert('ADD_CONTACTS', done).insertTime).to.equal(10_200);
  });

  it('refuses latencies that are none', () => {
    for (const latency of [
      { pending: -1 },
      { queued: NaN },
      { running: Infinity },
      { running: [2, 1] as const },
      { running: [-2, 1] as const },
      { running: 'fast' as unknown as number },
    ]) {
      expect(() => queue(latency), JSON.stringify(latency)).to.throw(UsageError, /latency\.\w+/);
    }
  });
});
