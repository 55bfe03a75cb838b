import { expect } from 'chai';
import fc from 'fast-check';
import { isFinished, type Activity } from '../src/activity/activity.js';
import { DecodeError, ServiceError, TransportError, WaitTimeoutError } from '../src/activity/errors.js';
import type { ActivityService } from '../src/activity/service.js';
import type { Clock } from '../src/clock.js';
import {
  waitForActivities,
  waitForActivity,
  watchActivities,
  watchActivity,
  type WaitOptions,
} from '../src/wait.js';
import { WsClient } from '../src/ws/client.js';
import { wsServer } from '../src/ws/server.js';
import { BASIC, rejection } from './http/loopback.js';
import { anActivity, stubService } from './support/stub-service.js';

/** A clock that is moved by those who sleep on it. */
function fakeClock() {
  const start = 1_200_000_000_000;
  let now = start;
  const pauses: number[] = [];
  return {
    pauses,
    now: () => now,
    passed: () => now - start,
    sleep: (milliseconds: number) => {
      pauses.push(milliseconds);
      now += milliseconds;
      return Promise.resolve();
    },
  } satisfies Clock & Record<string, unknown>;
}

const missing = (id: string) =>
  new ServiceError('NOT_FOUND', `no activity ${id}`, { status: 404, detail: '' });
const lost = () => new TransportError('RESPONSE_LOST', 'GET https://x was lost', { sent: 'maybe' });
const tooMany = () =>
  new ServiceError('RATE_LIMITED', 'GET https://x: too many calls', { status: 403, detail: '' });

/** A service whose activities pass through statuses by the clock, and the calls that were made of it. */
function timed(clock: ReturnType<typeof fakeClock>, ends: Readonly<Record<string, number>>) {
  const calls = { list: 0, get: [] as string[] };
  /** The newest first: the last id is the newest. */
  const ids = Object.keys(ends).reverse();
  const at = (id: string, whole: boolean): Activity => {
    const end = ends[id] ?? Infinity;
    const finished = clock.passed() >= end;
    const errors = [{ lineNumber: 3, emailAddress: undefined, message: 'Unknown state' }];
    return anActivity({
      id,
      status: finished ? 'COMPLETE' : clock.passed() * 2 >= end ? 'RUNNING' : 'PENDING',
      errors: finished && whole ? errors : [],
      errorCount: finished ? 1 : 0,
    });
  };
  const service = stubService([], [], {
    get: (id) => {
      calls.get.push(id);
      return ids.includes(id) ? Promise.resolve(at(id, true)) : Promise.reject(missing(id));
    },
    // eslint-disable-next-line @typescript-eslint/require-await
    async *list() {
      calls.list++;
      for (const id of ids) yield at(id, false);
    },
  });
  return { service, calls, ids };
}

async function collect<T>(watch: AsyncGenerator<Activity, T>) {
  const yielded: Activity[] = [];
  let step = await watch.next();
  while (step.done !== true) {
    yielded.push(step.value);
    step = await watch.next();
  }
  return { yielded, returned: step.value };
}

function scripted(...script: (string | Error)[]) {
  let reads = 0;
  const service = stubService([], [], {
    get: (id) => {
      const next = script[Math.min(reads++, script.length - 1)]!;
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(anActivity({ id, status: next }));
    },
  });
  return { service, reads: () => reads };
}

const random = () => 0;

describe('waiting for an activity that was only just created', () => {
  it('takes a 404 for half a minute, unless told otherwise, or the activity was seen', async () => {
    for (const [script, options, reads] of [
      [[missing('a'), missing('a'), 'PENDING', 'COMPLETE'], {}, 4],
      [[missing('a')], { minDelay: 10_000, maxDelay: 10_000 }, 4],
      [[missing('a')], { minDelay: 10_000, maxDelay: 10_000, notFoundGrace: 10_000 }, 2],
      [[missing('a')], { notFoundGrace: 0 }, 1],
      [[missing('a')], { timeout: 0 }, 1],
      [[missing('a')], { timeout: 2_000, minDelay: 1_000 }, 3],
      [['PENDING', missing('a')], {}, 2],
    ] as [(string | Error)[], WaitOptions, number][]) {
      const { service, reads: made } = scripted(...script);
      const outcome: unknown = await waitForActivity(service, 'a', {
        clock: fakeClock(),
        random,
        ...options,
      }).catch((error: unknown) => error);
      if (script.at(-1) === 'COMPLETE') expect(outcome).to.have.property('status', 'COMPLETE');
      else expect(outcome).to.have.property('code', 'NOT_FOUND');
      expect(made(), JSON.stringify(options)).to.equal(reads);
    }
  });
});

describe('waiting for a confirmation', () => {
  it('has a limit of its own, from when the activity was first seen UNCONFIRMED', async () => {
    for (const [script, options, waited] of [
      [['UNCONFIRMED'], {}, 600_000],
      [['UNCONFIRMED'], { unconfirmedTimeout: 90_000 }, 90_000],
      [
        ['PENDING', 'UNCONFIRMED'],
        { unconfirmedTimeout: 90_000, minDelay: 20_000, maxDelay: 20_000 },
        110_000,
      ],
      [['UNCONFIRMED'], { unconfirmedTimeout: 0 }, 0],
    ] as [string[], WaitOptions, number][]) {
      const clock = fakeClock();
      const error = await rejection(
        waitForActivity(scripted(...script).service, 'a', { clock, random, ...options }),
      );
      expect(error).to.be.instanceOf(WaitTimeoutError).and.to.include({ waited, lastStatus: 'UNCONFIRMED' });
      expect(clock.passed()).to.equal(waited);
      expect(error.message).to.match(
        /^activity a has not been confirmed after [\d.]+ s: it waits for a person. Confirm it, .* by its id$/,
      );
    }
  });

  it('does not end the wait for one that is confirmed in time, nor where there is no limit', async () => {
    const confirmed = scripted('UNCONFIRMED', 'UNCONFIRMED', 'PENDING', 'UNCONFIRMED', 'COMPLETE');
    const options = { clock: fakeClock(), random, minDelay: 40_000, maxDelay: 40_000 };
    const done = await waitForActivity(confirmed.service, 'a', { ...options, unconfirmedTimeout: 90_000 });
    expect(done.status).to.equal('COMPLETE');
    const error = await rejection(
      waitForActivity(scripted('UNCONFIRMED').service, 'a', {
        clock: fakeClock(),
        unconfirmedTimeout: Infinity,
        timeout: 3_000_000,
      }),
    );
    expect(error.message).to.include('has not finished after 2999.5 s; its status is UNCONFIRMED');
  });

  it('goes on for others that need none', async () => {
    const clock = fakeClock();
    const statuses: Record<string, string> = { a: 'UNCONFIRMED', b: 'RUNNING' };
    const service = stubService([], [], {
      get: (id) => Promise.resolve(anActivity({ id, status: statuses[id] })),
      // eslint-disable-next-line @typescript-eslint/require-await
      async *list() {
        if (clock.passed() >= 60_000) statuses.b = 'COMPLETE';
        for (const [id, status] of Object.entries(statuses)) yield anActivity({ id, status });
      },
    });
    const error = await rejection(
      waitForActivities(service, ['a', 'b'], { clock, random, unconfirmedTimeout: 30_000 }),
    );
    expect(error).to.deep.include({ activityIds: ['a'], code: 'WAIT_EXPIRED' });
    expect(clock.passed()).to.be.at.least(60_000);
    expect(error.message).to.match(/^1 of 2 activities has not been confirmed/);
  });
});

describe('a wait whose time is over', () => {
  it('carries what is needed to go on', async () => {
    const { service } = scripted(missing('a'), lost(), 'PENDING', 'RUNNING');
    const error = await rejection(
      waitForActivity(service, 'a', { clock: fakeClock(), random, timeout: 10_000 }),
    );
    expect(error).to.be.instanceOf(WaitTimeoutError);
    const timeout = error as WaitTimeoutError;
    expect(timeout.tally).to.deep.include({ NOT_FOUND: 1, RESPONSE_LOST: 1, PENDING: 1 });
    expect(Object.keys(timeout.tally)).to.have.members(['NOT_FOUND', 'RESPONSE_LOST', 'PENDING', 'RUNNING']);
    expect(timeout).to.deep.include({ activityId: 'a', activityIds: ['a'], lastStatus: 'RUNNING' });
    expect(timeout.lastActivity).to.deep.equal(anActivity({ id: 'a', status: 'RUNNING' }));
    expect(timeout.hint).to.equal('It goes on: wait for it again by its id');
    expect(timeout.message).to.include(timeout.hint);
    expect(JSON.parse(JSON.stringify(timeout))).not.to.have.any.keys('lastActivity', 'lastActivities');
  });

  it('names those of several that have not finished', async () => {
    const clock = fakeClock();
    const ends = { a: 1_000, b: Infinity, c: 2_000, d: Infinity, e: Infinity, f: Infinity };
    const { service } = timed(clock, ends);
    const options = { clock, random, timeout: 10_000 };
    const ids = Object.keys(ends);
    const error = (await rejection(waitForActivities(service, ids, options))) as WaitTimeoutError;
    expect(error.activityIds).to.deep.equal(['b', 'd', 'e', 'f']);
    expect(error.lastActivities.map(({ id }) => id)).to.deep.equal(['b', 'd', 'e', 'f']);
    expect(error).to.include({ activityId: 'b', lastStatus: 'PENDING' });
    expect(error.message).to.equal(
      '4 of 6 activities have not finished after 9.5 s; b PENDING, d PENDING, e PENDING, and 1 more. ' +
        'They go on: wait for them again by their ids',
    );
    // One that nobody knows is told as such, though its grace is longer than the wait.
    expect((await rejection(waitForActivities(service, [...ids, 'g'], options))).code).to.equal('NOT_FOUND');
  });

  it('warns once of each run of refusals, and tells of every trouble', async () => {
    const warnings: string[] = [];
    const troubles: string[] = [];
    const { service } = scripted(
      ...[tooMany(), tooMany(), lost(), tooMany(), tooMany(), tooMany(), tooMany(), 'RUNNING'],
      ...[tooMany(), tooMany(), tooMany(), 'COMPLETE'],
    );
    await waitForActivity(service, 'a', {
      clock: fakeClock(),
      onWarning: ({ code, message }) => warnings.push(`${code} ${message}`),
      onTrouble: ({ code }) => troubles.push(code),
    });
    const warning =
      'READS_REFUSED the service has refused 3 reads in a row: GET https://x: too many calls; waiting on';
    expect(warnings).to.deep.equal([warning, warning]);
    expect(troubles).to.have.length(10);
  });

  it('pauses until the time at which the service said that calls are to be had again', async () => {
    const clock = fakeClock();
    const retryAt = new Date(clock.now() + 45_000);
    const none = new ServiceError('RATE_LIMITED', 'no calls left', { status: 403, detail: '', retryAt });
    await waitForActivity(scripted(none, 'COMPLETE').service, 'a', { clock, random });
    expect(clock.pauses).to.deep.equal([45_000]);
  });
});

describe('waiting for several activities', () => {
  it('yields what each becomes, ends with all, and calls once a round', async () => {
    const ends = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(ends, async (times) => {
        const clock = fakeClock();
        const byId = Object.fromEntries(times.map((end, index) => [`a${index}`, end]));
        const { service, calls } = timed(clock, byId);
        const ids = Object.keys(byId);
        const { yielded, returned } = await collect(watchActivities(service, ids, { clock, random }));
        expect(returned.map(({ id }) => id)).to.deep.equal(ids);
        for (const id of ids) {
          const seen = yielded.filter((activity) => activity.id === id);
          expect(seen.map(({ status }) => status)).to.deep.equal(
            ['PENDING', 'RUNNING', 'COMPLETE'].filter((status) => seen.some((one) => one.status === status)),
          );
          expect(seen.filter(isFinished)).to.have.length(1);
          // Of a finished one all is told, though the list leaves out its errors.
          expect(seen.at(-1)!.errors).to.have.length(1);
        }
        const rounds = clock.pauses.length + 1;
        expect(calls.list).to.be.at.most(rounds);
        // Beside the lists: one read of each that ends, and of the last one left.
        expect(calls.list + calls.get.length).to.be.at.most(rounds + ids.length);
      }),
      { numRuns: 100 },
    );
  });

  it('reads by themselves those that are not among the newest', async () => {
    const clock = fakeClock();
    const others = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`x${index}`, 0]));
    const { service, calls } = timed(clock, {
      old1: 5_000,
      old2: 5_000,
      ...others,
      new1: 5_000,
      new2: 5_000,
    });
    let listed = 0;
    const list = service.list.bind(service);
    const counting: ActivityService = {
      ...service,
      async *list(options) {
        for await (const activity of list(options)) {
          listed++;
          yield activity;
        }
      },
    };
    const ids = ['old1', 'new1', 'old2', 'new2', 'old1'];
    const done = await waitForActivities(counting, ids, { clock, random });
    expect(done.map(({ id }) => id)).to.deep.equal(['old1', 'new1', 'old2', 'new2']);
    const rounds = clock.pauses.length + 1;
    expect(calls.list).to.equal(rounds);
    // Page one has two of them, so that page two is read too, and no more.
    expect(listed).to.equal(rounds * 100);
    expect(calls.get.filter((id) => id === 'old1')).to.have.length(rounds);
    expect(calls.get.filter((id) => id === 'new1')).to.have.length(1);
  });

  it('goes on over lists that fail for a while, and without those that cannot be read', async () => {
    const clock = fakeClock();
    const { service, calls } = timed(clock, { a: 10_000, b: 20_000 });
    const failing: Error[] = [lost(), tooMany()];
    const passing: ActivityService = {
      ...service,
      list(options) {
        const error = failing.shift();
        if (error !== undefined) throw error;
        return service.list(options);
      },
    };
    expect(await waitForActivities(passing, ['a', 'b'], { clock, random })).to.have.length(2);
    expect(calls.get.filter((id) => id === 'a')).to.have.length(1);

    const broken: ActivityService = {
      ...service,
      list() {
        throw new DecodeError('XML_NOT_WELL_FORMED', 'a bad entry');
      },
    };
    const after = calls.get.length;
    expect(await waitForActivities(broken, ['a', 'b'], { clock, random })).to.have.length(2);
    expect(calls.get.length - after).to.equal(2);
  });

  it('takes the word of the list for one that it tells of and nobody else does', async () => {
    const service = stubService([], [], {
      get: (id) => Promise.reject(missing(id)),
      // eslint-disable-next-line @typescript-eslint/require-await
      async *list() {
        yield anActivity({ id: 'a', status: 'COMPLETE', errorCount: 2 });
        yield anActivity({ id: 'b', status: 'ERROR' });
      },
    });
    const done = await waitForActivities(service, ['a', 'b'], { clock: fakeClock() });
    expect(done.map(({ status }) => status)).to.deep.equal(['COMPLETE', 'ERROR']);
  });

  it('ends at once with what another read would meet again, or when aborted', async () => {
    const clock = fakeClock();
    const { service, calls } = timed(clock, { a: Infinity, b: Infinity });
    const refused = new ServiceError('UNAUTHORIZED', 'no', { status: 401, detail: '' });
    const closed: ActivityService = {
      ...service,
      list: () => {
        throw refused;
      },
      get: () => Promise.reject(refused),
    };
    expect(await rejection(waitForActivities(closed, ['a', 'b'], { clock }))).to.equal(refused);

    const controller = new AbortController();
    const watching = watchActivities(service, ['a', 'b'], { clock, signal: controller.signal });
    await watching.next();
    await watching.next();
    controller.abort();
    const error = await rejection(watching.next());
    expect([error.code, error.message]).to.deep.equal([
      'ABORTED',
      'waiting for 2 activities was aborted; they go on',
    ]);
    const abortedList: ActivityService = {
      ...service,
      list: () => {
        throw new TransportError('ABORTED', 'aborted', { sent: 'no' });
      },
    };
    const before = calls.get.length;
    const later = new AbortController();
    const waiting = rejection(
      waitForActivities(
        {
          ...abortedList,
          list: (options) => {
            later.abort();
            return abortedList.list(options);
          },
        },
        ['a', 'b'],
        { clock, signal: later.signal },
      ),
    );
    expect((await waiting).code).to.equal('ABORTED');
    expect(calls.get.length).to.equal(before);
  });

  it('reads nothing where there is nothing to wait for, and one as watchActivity does', async () => {
    const { service, reads } = scripted('COMPLETE');
    expect(await waitForActivities(service, [])).to.deep.equal([]);
    expect(reads()).to.equal(0);
    expect(await waitForActivities(service, new Set(['a']))).to.have.length(1);
    expect((await collect(watchActivity(service, 'a'))).returned.status).to.equal('COMPLETE');
    for (const options of [{ notFoundGrace: -1 }, { unconfirmedTimeout: NaN }]) {
      expect((await rejection(waitForActivities(service, ['a'], options))).code).to.equal('OPTION_INVALID');
    }
  });

  it('takes no text for ids, which would be its characters', async () => {
    const { service, reads } = scripted('COMPLETE');
    for (const ids of ['a07e1', undefined, null, 7, {}] as unknown as string[][]) {
      const error = await rejection(waitForActivities(service, ids));
      expect(error).to.include({ code: 'OPTION_INVALID' });
      expect(error.message).to.match(/^ids: must be several/);
    }
    expect(reads()).to.equal(0);
  });

  it('is one request a round over the wire', async () => {
    const clock = fakeClock();
    const ends = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`a${index}`, 60_000]));
    const { service } = timed(clock, ends);
    const handler = wsServer({ account: () => service });
    const requests: string[] = [];
    const client = new WsClient({
      user: 'joesflowers',
      credentials: BASIC,
      baseUrl: 'http://localhost',
      clock,
      random,
      fetch: (input, init) => {
        const request = new Request(input, init);
        requests.push(new URL(request.url).pathname.split('/').at(-1)!);
        return handler(request);
      },
    });
    const { returned } = await collect(client.watchActivities(Object.keys(ends)));
    expect(returned.every(isFinished)).to.equal(true);
    const rounds = clock.pauses.length + 1;
    expect(requests.filter((name) => name === 'activities')).to.have.length(rounds);
    expect(requests).to.have.length(rounds + 40);
    expect((await client.waitForActivities(['a1'])).map(({ id }) => id)).to.deep.equal(['a1']);
  });
});
