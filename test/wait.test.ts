import { expect } from 'chai';
import fc from 'fast-check';
import { isFinished, type Activity } from '../src/activity/activity.js';
import {
  ActivityFailedError,
  DecodeError,
  ServiceError,
  TransportError,
  WaitTimeoutError,
} from '../src/activity/errors.js';
import type { ActivityService } from '../src/activity/service.js';
import type { Clock } from '../src/clock.js';
import { waitForActivity, watchActivity, type WaitOptions } from '../src/wait.js';
import { rejection } from './http/loopback.js';

const ID = 'a07e1ffaxjxffmvj6qd';

function activity(status: string | undefined, facts: Partial<Activity> = {}): Activity {
  return {
    id: ID,
    type: 'ADD_CONTACTS',
    status,
    errors: [],
    errorCount: 0,
    fileName: undefined,
    transactionCount: undefined,
    insertTime: undefined,
    runStartTime: undefined,
    runFinishTime: undefined,
    updated: undefined,
    title: undefined,
    editMedia: undefined,
    ...facts,
  };
}

/** A clock that is moved by those who sleep on it. */
function fakeClock() {
  const start = 1_200_000_000_000;
  let now = start;
  const pauses: number[] = [];
  return {
    pauses,
    now: () => now,
    passed: () => now - start,
    advance: (milliseconds: number) => {
      now += milliseconds;
    },
    sleep: (milliseconds: number) => {
      expect(milliseconds).to.be.at.least(0);
      pauses.push(milliseconds);
      now += milliseconds;
      return Promise.resolve();
    },
  } satisfies Clock & Record<string, unknown>;
}

function only(get: ActivityService['get']): ActivityService {
  const unused = () => expect.fail('only get is needed for waiting');
  return { get, create: unused, list: unused, lists: unused, download: unused };
}

/** A service that gives one answer after the other, and the last one for ever. */
function scripted(...script: (string | undefined | Activity | Error)[]) {
  let reads = 0;
  const service = only((id) => {
    expect(id).to.equal(ID);
    const next = script[Math.min(reads++, script.length - 1)];
    if (next instanceof Error) return Promise.reject(next);
    return Promise.resolve(typeof next === 'object' ? next : activity(next));
  });
  return { service, reads: () => reads };
}

async function collect(watch: AsyncGenerator<Activity, Activity>) {
  const yielded: Activity[] = [];
  let step = await watch.next();
  while (step.done !== true) {
    yielded.push(step.value);
    step = await watch.next();
  }
  return { yielded, returned: step.value };
}

const gone = (sent: 'no' | 'maybe' = 'maybe') =>
  new TransportError('RESPONSE_LOST', 'GET https://x was lost', { sent });
const refused = (status: number, retryAfter?: number) =>
  new ServiceError(status === 403 ? 'RATE_LIMITED' : 'SERVICE_REFUSED', `refused with ${status}`, {
    status,
    detail: '',
    retryAfter,
  });

describe('waiting', () => {
  it('returns what is finished exactly when it finishes before the last read, with a bounded number of reads', async () => {
    const delays = fc.record({
      minDelay: fc.integer({ min: 1, max: 5_000 }),
      factor: fc.integer({ min: 1, max: 100 }),
      timeout: fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 0, max: 100_000 })),
    });
    const status = fc.constantFrom('UNCONFIRMED', 'PENDING', 'QUEUED', 'RUNNING', 'NEW_ONE', undefined);
    const stages = fc.array(fc.record({ at: fc.nat(100_000), status }), { maxLength: 6 });
    const finish = fc.option(
      fc.record({ at: fc.nat(120_000), status: fc.constantFrom('COMPLETE', 'ERROR') }),
      { nil: undefined },
    );
    const rolls = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }));
    await fc.assert(
      fc.asyncProperty(
        delays,
        stages,
        finish,
        rolls,
        async ({ minDelay, factor, timeout }, script, end, dice) => {
          const clock = fakeClock();
          const reads: number[] = [];
          const at = (time: number) => {
            if (end !== undefined && time >= end.at) return end.status;
            return (
              script.filter((stage) => stage.at <= time).sort((a, b) => b.at - a.at)[0]?.status ?? 'PENDING'
            );
          };
          const service = only(() => {
            reads.push(clock.passed());
            return Promise.resolve(activity(at(clock.passed())));
          });
          const maxDelay = minDelay * factor;
          const random = () => dice.next().value as number;
          const outcome = await collect(
            watchActivity(service, ID, { minDelay, maxDelay, timeout, clock, random }),
          ).catch((error: unknown) => error);

          const lastRead = timeout - Math.min(500, Math.floor(timeout / 20));
          if (end !== undefined && end.at <= lastRead) {
            expect(outcome).to.have.nested.property('returned.status', end.status);
            expect(outcome)
              .to.have.property('yielded')
              .that.satisfies((all: Activity[]) => isFinished(all.at(-1)!));
          } else {
            expect(outcome).to.be.instanceOf(WaitTimeoutError);
            expect(outcome).to.include({ lastStatus: at(lastRead), waited: lastRead, activityId: ID });
            expect(reads.at(-1)).to.equal(lastRead);
          }
          expect(reads[0]).to.equal(0);
          expect(reads.length).to.be.at.most(2 + lastRead / minDelay);
          for (const [index, pause] of clock.pauses.entries()) {
            const last = reads[index]! + pause === lastRead;
            expect(pause).to.be.at.most(Math.min(maxDelay, minDelay * 2 ** index));
            if (!last) expect(pause).to.be.at.least(minDelay);
          }
        },
      ),
      { numRuns: 80 },
    );
  });

  it('survives passing failures until the time is over, never reads twice at once, and tells the truth', async () => {
    const step = fc.record({
      takes: fc.nat(3_000),
      outcome: fc.constantFrom('PENDING', 'RUNNING', 'COMPLETE', 'lost', '503', '429', '403'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (script) => {
        const clock = fakeClock();
        let reads = 0;
        let under = 0;
        let seen: string | undefined;
        const end = { completed: false };
        const service = only(async () => {
          expect(++under).to.equal(1);
          const { takes, outcome } = script[Math.min(reads++, script.length - 1)]!;
          await Promise.resolve();
          clock.advance(takes);
          under--;
          if (outcome === 'lost') throw gone();
          if (/^\d/.test(outcome)) throw refused(Number(outcome));
          seen = outcome;
          end.completed = outcome === 'COMPLETE';
          return activity(outcome);
        });
        const timeout = 20_000;
        const outcome: unknown = await waitForActivity(service, ID, { clock, timeout }).catch(
          (error: unknown) => error,
        );
        if (end.completed) expect(outcome).to.have.property('status', 'COMPLETE');
        else {
          expect(outcome).to.be.instanceOf(WaitTimeoutError);
          expect(outcome).to.include({ lastStatus: seen });
          expect(clock.passed()).to.be.at.least(timeout - 500);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('yields what has changed, and nothing twice', async () => {
    const errors = [{ lineNumber: 3, emailAddress: 'a@example.com', message: 'Unknown state' }];
    const done = activity('COMPLETE', { errors, errorCount: 1, transactionCount: 60 });
    const { service, reads } = scripted(
      'PENDING',
      'PENDING',
      activity('PENDING', { insertTime: new Date(0) }),
      gone(),
      activity('PENDING', { insertTime: new Date(0) }),
      'RUNNING',
      done,
    );
    const statuses: (string | undefined)[] = [];
    const { yielded, returned } = await collect(
      watchActivity(service, ID, { clock: fakeClock(), onStatus: (seen) => statuses.push(seen.status) }),
    );
    expect(yielded.map((seen) => seen.status)).to.deep.equal(['PENDING', 'PENDING', 'RUNNING', 'COMPLETE']);
    expect(statuses).to.deep.equal(['PENDING', 'PENDING', 'RUNNING', 'COMPLETE']);
    expect(returned).to.equal(done);
    expect(reads()).to.equal(7);
  });

  it('takes COMPLETE with errors for success, and ERROR for failure', async () => {
    const errors = [1, 2, 3, 4].map((line) => ({
      lineNumber: line === 2 ? undefined : line,
      emailAddress: line === 3 ? undefined : `${line}@example.com`,
      message: line === 4 ? 'never shown' : `m${line}`,
    }));
    const complete = activity('COMPLETE', { errors, errorCount: 9 });
    expect(await waitForActivity(scripted(complete).service, ID)).to.equal(complete);

    const failed = activity('ERROR', { errors, errorCount: 9 });
    expect((await collect(watchActivity(scripted(failed).service, ID))).returned).to.equal(failed);
    const error = await rejection(waitForActivity(scripted(failed).service, ID));
    expect(error).to.be.instanceOf(ActivityFailedError);
    expect(error).to.include({ activityId: ID, code: 'ACTIVITY_FAILED' });
    expect(error.message).to.equal(
      `activity ${ID} ended with status ERROR: line 1, 1@example.com, m1; 2@example.com, m2; line 3, m3; and 6 more`,
    );
    const silent = await rejection(waitForActivity(scripted('ERROR').service, ID));
    expect(silent.message).to.include('the service gave no reason');
  });

  it('keeps waiting for statuses it does not know, and reports them', async () => {
    const unknown: (string | undefined)[] = [];
    const { service } = scripted('UNCONFIRMED', undefined, 'HALF_DONE', 'HALF_DONE', 'complete', 'COMPLETE');
    const finished = await waitForActivity(service, ID, {
      clock: fakeClock(),
      onUnknownStatus: (seen) => unknown.push(seen.status),
    });
    expect(finished.status).to.equal('COMPLETE');
    expect(unknown).to.deep.equal([undefined, 'HALF_DONE', 'complete']);
  });

  it('waits for an hour unless told otherwise, and then says how to go on', async () => {
    const clock = fakeClock();
    const { service, reads } = scripted('RUNNING');
    const error = await rejection(waitForActivity(service, ID, { clock }));
    expect(error).to.be.instanceOf(WaitTimeoutError);
    expect(error).to.include({
      code: 'WAIT_EXPIRED',
      activityId: ID,
      lastStatus: 'RUNNING',
      waited: 3_599_500,
    });
    expect(error.message).to.equal(
      `activity ${ID} has not finished after 3599.5 s; its status is RUNNING. It goes on: wait for it again by its id`,
    );
    expect(reads()).to.be.within(120, 3600);
  });

  it('does not give up long before the time is over, and tells the time it took', async () => {
    for (const [timeout, waited, words] of [
      [1_000, 950, 'after 1 s'],
      [2_000, 1_900, 'after 1.9 s'],
      [10_000, 9_500, 'after 9.5 s'],
      [20, 19, 'after 0 s'],
      [19, 19, 'after 0 s'],
    ] as const) {
      const { service, reads } = scripted('RUNNING');
      const clock = fakeClock();
      const error = await rejection(waitForActivity(service, ID, { timeout, clock }));
      expect(error).to.include({ waited });
      expect(error.message).to.include(words);
      expect(clock.passed()).to.equal(waited);
      expect(reads()).to.be.at.least(2);
    }
  });

  it('tells what it never learned', async () => {
    const absent = await rejection(waitForActivity(scripted(undefined).service, ID, { timeout: 0 }));
    expect(absent.message).to.include('its status is not told');
    const lost = scripted(gone());
    const error = await rejection(waitForActivity(lost.service, ID, { timeout: 300, clock: fakeClock() }));
    expect(error).to.include({ lastStatus: undefined, waited: 285 });
    expect(error.message).to.include('it could not be read (the last read failed: GET https://x was lost)');
    expect(lost.reads()).to.equal(2);
  });

  it('waits as long as the service asks, up to the last read', async () => {
    const clock = fakeClock();
    const { service } = scripted(refused(429, 77), refused(503, 1), refused(403), 'COMPLETE');
    await waitForActivity(service, ID, { clock, minDelay: 2_000, maxDelay: 2_000 });
    expect(clock.pauses).to.deep.equal([77_000, 2_000, 2_000]);

    const bounded = fakeClock();
    await waitForActivity(scripted(refused(503, 9_999), 'COMPLETE').service, ID, {
      clock: bounded,
      timeout: 60_000,
    });
    expect(bounded.pauses).to.deep.equal([59_500]);

    const patient = fakeClock();
    const forever = scripted(refused(503, 1e12), 'COMPLETE');
    await waitForActivity(forever.service, ID, { clock: patient, timeout: Infinity });
    expect(patient.pauses).to.deep.equal([2_147_483_647]);
  });

  it('ends with errors that another read would meet again', async () => {
    for (const error of [
      refused(401),
      refused(404),
      refused(400),
      new DecodeError('XML_TRUNCATED', 'the document ends early'),
      new TransportError('RESPONSE_TOO_LARGE', 'too large', { sent: 'maybe' }),
      new TransportError('ABORTED', 'aborted', { sent: 'maybe' }),
    ]) {
      const { service, reads } = scripted('PENDING', error, 'COMPLETE');
      expect(await rejection(waitForActivity(service, ID, { clock: fakeClock() }))).to.equal(error);
      expect(reads()).to.equal(2);
    }
    const bug = new RangeError('a bug');
    const outcome: unknown = await waitForActivity(scripted(bug).service, ID).catch(
      (error: unknown) => error,
    );
    expect(outcome).to.equal(bug);
  });

  it('passes an exception of a listener on', async () => {
    const error = refused(503);
    const onStatus = () => {
      throw error;
    };
    const { service, reads } = scripted('PENDING');
    expect(await rejection(waitForActivity(service, ID, { clock: fakeClock(), onStatus }))).to.equal(error);
    expect(reads()).to.equal(1);
  });

  describe('aborted', () => {
    const never = () => new Promise<never>(() => undefined);

    it('before it began, reads nothing', async () => {
      const { service, reads } = scripted('PENDING');
      const error = await rejection(waitForActivity(service, ID, { signal: AbortSignal.abort() }));
      expect(error.code).to.equal('ABORTED');
      expect(error.message).to.include(ID);
      expect(reads()).to.equal(0);
    });

    it('in a pause ends at once, even on a clock that heeds no signal', async () => {
      for (const sleep of [never, undefined]) {
        const controller = new AbortController();
        const options: WaitOptions = { signal: controller.signal };
        const clock = sleep === undefined ? {} : { clock: { now: () => 0, sleep } };
        const { service } = scripted('PENDING');
        const watch = watchActivity(service, ID, { ...options, ...clock });
        await watch.next();
        const next = rejection(watch.next());
        await Promise.resolve();
        controller.abort();
        expect((await next).code).to.equal('ABORTED');
      }
    });

    it('in a read ends at once, and hands the signal to the read', async () => {
      const controller = new AbortController();
      let handed: AbortSignal | undefined;
      const service = only((_, options) => {
        handed = options?.signal;
        return never();
      });
      const waiting = rejection(waitForActivity(service, ID, { signal: controller.signal }));
      await Promise.resolve();
      controller.abort();
      expect((await waiting).code).to.equal('ABORTED');
      expect(handed).to.equal(controller.signal);
    });
  });

  it('ends in time though the clock is set back meanwhile, and again', async () => {
    for (const back of [3_600_000, 86_400_000, 40_000]) {
      const clock = fakeClock();
      let reads = 0;
      const service = only(() => {
        if (++reads % 2 === 0) clock.advance(-back);
        return Promise.resolve(activity('RUNNING'));
      });
      const error = await rejection(waitForActivity(service, ID, { clock, timeout: 600_000 }));
      expect(error).to.be.instanceOf(WaitTimeoutError).and.include({ waited: 599_500 });
      expect(clock.pauses.reduce((sum, pause) => sum + pause)).to.equal(599_500);
    }
  });

  it('stops when its watcher does', async () => {
    const { service, reads } = scripted('PENDING', 'RUNNING', 'COMPLETE');
    for await (const seen of watchActivity(service, ID, { clock: fakeClock() })) {
      if (seen.status === 'RUNNING') break;
    }
    expect(reads()).to.equal(2);
  });

  it('refuses delays that make no sense', async () => {
    for (const options of [
      { minDelay: 0 },
      { minDelay: NaN },
      { minDelay: 2 ** 31 },
      { minDelay: 10, maxDelay: 9 },
      { maxDelay: Infinity },
      { timeout: -1 },
      { timeout: NaN },
    ]) {
      const { service, reads } = scripted('COMPLETE');
      expect((await rejection(waitForActivity(service, ID, options))).code).to.equal('OPTION_INVALID');
      expect(reads()).to.equal(0);
    }
  });
});
