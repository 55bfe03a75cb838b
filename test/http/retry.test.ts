import { expect } from 'chai';
import fc from 'fast-check';
import { ServiceError, TransportError, UsageError, type CtctError } from '../../src/activity/errors.js';
import { bytesBody } from '../../src/format/body.js';
import { checkRetry, createRetrier, DEFAULT_RETRY, type RetryPolicy } from '../../src/http/retry.js';
import { createTransport, type HttpRequest, type HttpResponse } from '../../src/http/transport.js';
import { withBytes } from '../../src/http/kept.js';
import { leapingClock, type LeapingClock } from '../support/leaping-clock.js';
import { closeServers, httpServer, rejection, tcpServer, textOf, thrown } from './loopback.js';

/** One attempt's end: a status with headers and a body, or an error. */
type End = CtctError | readonly [status: number, headers?: Record<string, string>, body?: string];

const url = new URL('https://api.constantcontact.com/ws/customers/joe/activities');
const get: HttpRequest = { method: 'GET', url };
const form = bytesBody('application/x-www-form-urlencoded', new TextEncoder().encode('lists=1'));
const post: HttpRequest = { method: 'POST', url, body: form };
const stream: HttpRequest = { ...post, body: { ...form, replayable: false } };

const coded = (code: string) => Object.assign(new Error(code), { code });
const refused = new TransportError('REQUEST_NOT_SENT', 'refused', {
  sent: 'no',
  cause: coded('ECONNREFUSED'),
});
const expired = new TransportError('REQUEST_NOT_SENT', 'expired', {
  sent: 'no',
  cause: coded('CERT_HAS_EXPIRED'),
});
const shrunk = new TransportError('REQUEST_NOT_SENT', 'its body has 3 bytes', { sent: 'no' });
const noConnection = new TransportError('TIMED_OUT', 'late', {
  sent: 'no',
  cause: coded('UND_ERR_CONNECT_TIMEOUT'),
});
const lost = new TransportError('RESPONSE_LOST', 'lost', { sent: 'maybe', cause: coded('ECONNRESET') });
const late = new TransportError('TIMED_OUT', 'late', { sent: 'maybe' });
const OVER_QPS = '{"error_key":"mashery.not.authorized.over.qps"}';
const OVER_DAY = '{"error_key":"mashery.not.authorized.over.ratelimit"}';

function responseOf(end: Exclude<End, CtctError>, cancelled: () => void): HttpResponse {
  const [status, headers = {}, body = ''] = end;
  const response = {
    status,
    headers: new Headers(headers),
    url,
    body: { [Symbol.asyncIterator]: () => expect.fail('the body was read') },
    bytes: () => Promise.resolve(new TextEncoder().encode(body)),
    cancel: () => {
      cancelled();
      return Promise.resolve();
    },
  };
  return response;
}

interface Course {
  readonly attempts: number;
  readonly sleeps: readonly number[];
  /** The status, or the error, of what came out. */
  readonly end: number | CtctError;
  readonly cancelled: number;
}

/** What a call comes to whose attempts end so; the last of the ends goes on for ever. */
async function course(
  ends: readonly End[],
  options: Partial<RetryPolicy> & {
    request?: HttpRequest;
    deadline?: number;
    random?: number;
    clock?: LeapingClock;
  } = {},
): Promise<Course> {
  const { request = get, deadline = Infinity, random = 0.5, clock = leapingClock(), ...policy } = options;
  let attempts = 0;
  let cancelled = 0;
  const retry = createRetrier(checkRetry(policy), clock, () => random);
  const attempt = () => {
    const end = ends[Math.min(attempts++, ends.length - 1)]!;
    return end instanceof Error ? Promise.reject(end) : Promise.resolve(responseOf(end, () => cancelled++));
  };
  const end = await retry(request, attempt, deadline).then(
    ({ status }) => status,
    (error: unknown) => error as CtctError,
  );
  return { attempts, sleeps: clock.sleeps, end, cancelled };
}

describe('a retrier', () => {
  it('repeats a GET after whatever may pass, and a POST only where nothing can have been taken', async () => {
    const gone: End = [410];
    const table: readonly (readonly [what: string, end: End, get: boolean, post: boolean])[] = [
      ['refused', refused, true, true],
      ['no connection in time', noConnection, true, true],
      ['expired certificate', expired, false, false],
      ['body not as announced', shrunk, false, false],
      ['lost', lost, true, false],
      ['no answer in time', late, true, false],
      ['aborted', new TransportError('ABORTED', 'x', { sent: 'maybe' }), false, false],
      ['too large', new TransportError('RESPONSE_TOO_LARGE', 'x', { sent: 'maybe' }), false, false],
      ['day used up here', new TransportError('RATE_LIMITED', 'x', { sent: 'no' }), false, false],
      ['redirected', new ServiceError('REDIRECTED', 'x', { status: 302, detail: '' }), false, false],
      ['wrong use', new UsageError('OFFLINE', 'x'), false, false],
      ['200', [200], false, false],
      ['201', [201], false, false],
      ['304', [304], false, false],
      ['400', [400], false, false],
      ['401', [401], false, false],
      ['403', [403, {}, 'no'], false, false],
      ['403 over qps', [403, {}, OVER_QPS], true, true],
      [
        '403 over qps, in a header',
        [403, { 'x-mashery-error-code': 'ERR_403_DEVELOPER_OVER_QPS' }],
        true,
        true,
      ],
      ['403 over the day', [403, {}, OVER_DAY], false, false],
      ['429 over the day', [429, {}, OVER_DAY], false, false],
      ['404', [404], false, false],
      ['408', [408], true, false],
      ['410', gone, false, false],
      ['413', [413], false, false],
      ['429', [429], true, true],
      ['500', [500], true, false],
      ['501', [501], false, false],
      ['502', [502], true, false],
      ['503', [503], true, true],
      ['504', [504], true, false],
    ];
    for (const [what, end, getAgain, postAgain] of table) {
      for (const [request, again] of [
        [get, getAgain],
        [post, postAgain],
        [stream, false],
      ] as const) {
        const ran = await course([end, [200]], { request });
        expect(ran.attempts, `${request.method} ${what}`).to.equal(again ? 2 : 1);
        expect(ran.end).to.equal(again ? 200 : end instanceof Error ? end : end[0]);
        expect(ran.cancelled).to.equal(again && !(end instanceof Error) ? 1 : 0);
      }
    }
  });

  it('pauses at random within a range that doubles up to its bound', async () => {
    const policies = fc.record({
      attempts: fc.integer({ min: 1, max: 12 }),
      minDelay: fc.integer({ min: 0, max: 5000 }),
      maxDelay: fc.integer({ min: 0, max: 30_000 }),
    });
    await fc.assert(
      fc.asyncProperty(
        policies,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (policy, random) => {
          const { attempts, sleeps } = await course([lost], { ...policy, budget: Infinity, random });
          expect(attempts).to.equal(policy.attempts);
          expect(sleeps).to.deep.equal(
            Array.from({ length: policy.attempts - 1 }, (_, index) =>
              Math.floor(random * (Math.min(policy.maxDelay, policy.minDelay * 2 ** index) + 1)),
            ),
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it('uses the whole range, both ends included', async () => {
    expect((await course([lost], { random: 0 })).sleeps).to.deep.equal([0, 0]);
    expect((await course([lost], { random: 1 - Number.EPSILON })).sleeps).to.deep.equal([100, 200]);
  });

  it('pauses ten times as long where there were too many calls', async () => {
    const random = 1 - Number.EPSILON;
    for (const end of [[429], [403, {}, OVER_QPS]] as const) {
      expect((await course([end], { random })).sleeps).to.deep.equal([1000, 2000]);
    }
  });

  it('never shortens what the service asks for, in seconds or by a date measured with its own clock', async () => {
    const date = new Date('2019-01-01T00:00:00Z').toUTCString();
    const then = (seconds: number) => new Date(Date.parse(date) + seconds * 1000).toUTCString();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 60 }),
        fc.boolean(),
        fc.constantFrom(429, 503),
        async (seconds, asDate, status) => {
          const headers = asDate
            ? { date, 'retry-after': then(seconds) }
            : { 'retry-after': String(seconds) };
          const { sleeps, end } = await course([[status, headers], [200]]);
          expect(end).to.equal(200);
          expect(sleeps[0]).to.be.at.least(seconds * 1000);
          expect(sleeps[0]).to.be.at.most(seconds * 1000 + 1000);
        },
      ),
      { numRuns: 60 },
    );
    const clock = leapingClock(Date.parse(date));
    expect(
      (await course([[503, { 'retry-after': then(7) }], [200]], { clock, random: 0 })).sleeps,
    ).to.deep.equal([7000]);
    for (const value of ['soon', '', '-5', '1e3', '2019-']) {
      expect(
        (await course([[503, { 'retry-after': value }], [200]], { random: 0 })).sleeps,
        value,
      ).to.deep.equal([0]);
    }
  });

  it('fails at once where it would wait too long, or past the deadline', async () => {
    const asking = (seconds: number) => [[503, { 'retry-after': String(seconds) }]] as const;
    expect(await course(asking(61))).to.include({ attempts: 1, end: 503 });
    expect(await course(asking(99_999_999_999))).to.deep.include({ attempts: 1, sleeps: [], end: 503 });
    expect(await course(asking(60), { random: 0 })).to.include({ attempts: 3 });
    expect(await course(asking(61), { maxRetryAfter: 61_000, random: 0 })).to.include({ attempts: 3 });
    const clock = leapingClock();
    const within = await course(asking(10), { clock, deadline: clock.now() + 10_000, random: 0 });
    expect(within).to.deep.include({ attempts: 1, sleeps: [], end: 503 });
    const twice = await course(asking(10), { clock, deadline: clock.now() + 10_001, random: 0 });
    expect(twice).to.deep.include({ attempts: 2, sleeps: [10_000] });
    const soon = await course([lost], { deadline: clock.now() + 40, clock, random: 0.5 });
    expect(soon).to.include({ attempts: 1, end: lost });
  });

  it('spends no more than its budget, which successes fill again', async () => {
    const clock = leapingClock();
    const retry = createRetrier(checkRetry({ budget: 12, attempts: 100 }), clock, () => 0);
    let attempts = 0;
    const failing = (error: Error) => () => {
      attempts++;
      return Promise.reject(error);
    };
    const fails = async (error: Error) => {
      attempts = 0;
      await rejection(retry(get, failing(error), Infinity));
      return attempts;
    };
    const succeeds = () => retry(get, () => Promise.resolve(responseOf([200], () => undefined)), Infinity);
    expect(await fails(lost)).to.equal(3);
    expect(await fails(lost)).to.equal(1);
    for (let call = 0; call < 3; call++) await succeeds();
    expect(await fails(late), 'a time-out costs twice as much').to.equal(1);
    expect(await fails(lost)).to.equal(2);
    for (let call = 0; call < 100; call++) await succeeds();
    expect(await fails(late), 'no more than the budget was gathered').to.equal(2);
    expect(await course([lost], { budget: 0 })).to.include({ attempts: 1 });
  });

  it('ends its pause at once when the call is aborted', async () => {
    const controller = new AbortController();
    const clock = { now: () => 0, sleep: () => new Promise<void>(() => undefined) };
    const retry = createRetrier(DEFAULT_RETRY, clock, () => 0);
    const waiting = rejection(
      retry({ ...get, signal: controller.signal }, () => Promise.reject(lost), Infinity),
    );
    await new Promise(setImmediate);
    controller.abort();
    expect(await waiting).to.include({ code: 'ABORTED', sent: 'no' });
  });

  it('hands a refusal on with its words, which were read to know it', async () => {
    const retry = createRetrier(checkRetry(false), leapingClock(), () => 0);
    const kept = await retry(
      get,
      () => Promise.resolve(responseOf([403, {}, 'words'], () => undefined)),
      Infinity,
    );
    expect([await textOf(kept), await textOf(kept)]).to.deep.equal(['words', 'words']);
    let read = '';
    for await (const chunk of kept.body) read += new TextDecoder().decode(chunk);
    expect(read).to.equal('words');
    expect((await rejection(kept.bytes(4))).code).to.equal('RESPONSE_TOO_LARGE');
    const broken = { ...responseOf([429], () => undefined), bytes: () => Promise.reject(lost) };
    expect(await textOf(await retry(get, () => Promise.resolve(broken), Infinity))).to.equal('');
  });

  it('refuses a policy that cannot be kept', () => {
    for (const policy of [
      { attempts: 0 },
      { attempts: 101 },
      { minDelay: -1 },
      { maxDelay: NaN },
      { budget: -1 },
      { maxRetryAfter: Infinity },
    ]) {
      const error = thrown(() => checkRetry(policy));
      expect(error).to.be.instanceOf(UsageError);
      expect(error.message).to.match(/^retry\.\w+: must be /);
    }
    expect(checkRetry({ attempts: undefined } as object)).to.deep.equal(DEFAULT_RETRY);
    expect(checkRetry(undefined)).to.deep.equal(DEFAULT_RETRY);
    expect(checkRetry(false)).to.deep.equal({ ...DEFAULT_RETRY, attempts: 1 });
  });

  it('may be given any outcome: it repeats within its attempts, and gives the last', async () => {
    const ends: fc.Arbitrary<End> = fc.oneof(
      fc.constantFrom<End>(refused, expired, lost, late),
      fc.integer({ min: 200, max: 599 }).map((status): End => [status]),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(ends, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(get, post),
        async (course8, request) => {
          const ran = await course(course8, { request, attempts: 5, random: 0 });
          expect(ran.attempts).to.be.within(1, 5);
          const last = course8[Math.min(ran.attempts, course8.length) - 1]!;
          expect(ran.end).to.equal(last instanceof Error ? last : last[0]);
          if (request === post) {
            const maybe = course8
              .slice(0, ran.attempts - 1)
              .filter((end) => end instanceof TransportError && end.sent === 'maybe');
            expect(maybe).to.deep.equal([]);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a transport that retries', () => {
  afterEach(closeServers);

  it('gets its answer in the end, through lost connections, and reads a whole one again that breaks off', async () => {
    let calls = 0;
    const base = await tcpServer((socket) => {
      socket.once('data', () => {
        calls++;
        if (calls === 1) socket.resetAndDestroy();
        else if (calls === 2) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nhalf');
        else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nwhole');
      });
    });
    const clock = leapingClock();
    const transport = createTransport({ base, clock, random: () => 0.5 });
    const response = await transport({ method: 'GET', url: base, whole: 100 });
    expect([await textOf(response), calls, clock.sleeps]).to.deep.equal(['whole', 3, [50, 100]]);
  });

  it('opens a body anew for each try, and sends the same bytes', async () => {
    const bodies: string[] = [];
    const base = await httpServer((request, response) => {
      let body = '';
      request.setEncoding('latin1').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(bodies.length < 3 ? 503 : 201).end();
      });
    });
    const transport = createTransport({ base, clock: leapingClock() });
    expect((await transport({ ...post, url: base })).status).to.equal(201);
    expect(bodies).to.deep.equal(['lists=1', 'lists=1', 'lists=1']);
  });

  it('reads no more of a success than it may, and leaves the words of a failure to the caller', async () => {
    const base = await httpServer((request, response) => {
      response.writeHead(request.url === '/ok' ? 200 : 400).end('x'.repeat(1000));
    });
    const transport = createTransport({ base, clock: leapingClock() });
    const whole = { method: 'GET', whole: 999 } as const;
    expect((await rejection(transport({ ...whole, url: new URL('/ok', base) }))).code).to.equal(
      'RESPONSE_TOO_LARGE',
    );
    const no = await transport({ ...whole, url: new URL('/no', base) });
    expect((await textOf(no)).length).to.equal(1000);
  });

  it('counts all tries into the total time', async () => {
    const clock = leapingClock();
    const fetch = () => Promise.resolve(new Response('', { status: 503, headers: { 'retry-after': '2' } }));
    const transport = createTransport({
      base: url,
      fetch,
      clock,
      random: () => 0,
      timeouts: { total: 3000 },
    });
    expect((await transport({ method: 'GET', url })).status).to.equal(503);
    expect(clock.sleeps).to.deep.equal([2000]);
  });

  it('keeps what was read', async () => {
    const kept = withBytes(
      responseOf([200], () => undefined),
      new Uint8Array([1, 2]),
    );
    expect(await kept.bytes()).to.deep.equal(new Uint8Array([1, 2]));
  });
});
