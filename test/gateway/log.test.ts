import { expect } from 'chai';
import { UsageError } from '../../src/activity/errors.js';
import type { GatewayEvent } from '../../src/gateway/events.js';
import type { ServedRequest } from '../../src/gateway/front.js';
import { createLog, type LogOptions } from '../../src/gateway/log.js';
import { createMetrics, type GatewayMetrics } from '../../src/gateway/metrics.js';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5);
const OF = { user: 'joesflowers', activity: 'a07e1' };

/** One of each kind. */
const EVENTS: readonly GatewayEvent[] = [
  { at: AT, event: 'started', open: 1, swept: 2 },
  { at: AT, event: 'accepted', ...OF, type: 'SV_ADD', bytes: 42 },
  { at: AT, event: 'warned', ...OF, warnings: [] },
  { at: AT, event: 'refused', user: 'joesflowers', code: 'LIST_INVALID', status: 400 },
  { at: AT, event: 'submitted', ...OF, part: 1, parts: 2, upstream: 'a07e9' },
  { at: AT, event: 'followed', ...OF, status: 'RUNNING' },
  {
    at: AT,
    event: 'finished',
    ...OF,
    type: 'SV_ADD',
    status: 'COMPLETE',
    transactionCount: 3,
    errorCount: 0,
    took: 1000,
  },
  {
    at: AT,
    event: 'finished',
    ...OF,
    type: 'SV_ADD',
    status: 'ERROR',
    transactionCount: undefined,
    errorCount: 1,
    took: 1000,
  },
  {
    at: AT,
    event: 'called',
    key: 'abc',
    user: 'joesflowers',
    operation: 'list',
    took: 20,
    code: undefined,
    status: undefined,
  },
  {
    at: AT,
    event: 'called',
    key: 'abc',
    user: 'joesflowers',
    operation: 'create',
    took: 20,
    code: 'SERVICE_FAILED',
    status: 502,
  },
  { at: AT, event: 'searching', ...OF, part: 1 },
  { at: AT, event: 'upstreamDown', key: 'abc', code: 'SERVICE_FAILED', until: AT + 1000 },
  { at: AT, event: 'upstreamUp', key: 'abc', downFor: 1000 },
  { at: AT, event: 'waiting', ...OF, code: 'RATE_LIMITED', until: AT + 1000 },
  { at: AT, event: 'purged', activities: 1, files: 0 },
  { at: AT, event: 'trouble', code: 'FILE_UNWRITABLE', message: 'cannot write hidden-word: ann@example.com' },
  { at: AT, event: 'closed', open: 0 },
];

function request(method: ServedRequest['method'], status: number): ServedRequest {
  return { id: 'r-1', user: 'joesflowers', method, route: 'activities', status, took: 12.345, bytes: 42 };
}

async function logging(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = await createLog({ write: (line) => lines.push(line), now: () => AT, ...options });
  return { log, lines, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('the log of a gateway', () => {
  it('is one JSON object a line, with the time, the level, the event and a sentence', async () => {
    const { log, lines, records } = await logging({ level: 'debug' });
    for (const event of EVENTS) log.event(event);
    expect(lines).to.have.length(EVENTS.length);
    expect(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).to.equal(
      true,
    );
    for (const [index, record] of records().entries()) {
      expect(record).to.include({ time: '2026-01-02T03:04:05.000Z', event: EVENTS[index]?.event });
      expect(record.message).to.match(/^[a-z].*[^.]$/);
      expect(record.level).to.be.oneOf(['error', 'warn', 'info', 'debug']);
    }
    expect(records()[4]).to.deep.equal({
      level: 'info',
      time: '2026-01-02T03:04:05.000Z',
      event: 'submitted',
      user: 'joesflowers',
      activity: 'a07e1',
      part: 1,
      parts: 2,
      upstream: 'a07e9',
      message: 'a part was taken by v2',
    });
  });

  it('tells at each level what matters that much', async () => {
    const at = async (level: LogOptions['level']) => {
      const { log, records } = await logging({ level });
      for (const event of EVENTS) log.event(event);
      for (const [method, status] of [
        ['GET', 200],
        ['POST', 201],
        ['GET', 401],
        ['GET', 503],
      ] as const) {
        log.request(request(method, status));
      }
      return records().map(
        ({ event, status }) => `${String(event)}${event === 'request' ? String(status) : ''}`,
      );
    };
    expect(await at('error')).to.deep.equal(['upstreamDown', 'trouble']);
    expect(await at('warn')).to.deep.equal([
      'finished',
      'called',
      'upstreamDown',
      'waiting',
      'trouble',
      'request503',
    ]);
    expect(await at('info')).to.include.members(['started', 'accepted', 'request201', 'request401']);
    expect(await at(undefined)).to.deep.equal(await at('info'));
    expect(await at('info')).not.to.include.members(['followed', 'request200']);
    expect(await at('debug')).to.have.length(EVENTS.length + 4);
  });

  it('has no secret and no address in it, wherever they come from', async () => {
    const secrets = () => ['hidden-word', 't0ken with blank'];
    const { log, lines, records } = await logging({ secrets });
    for (const event of EVENTS) log.event(event);
    log.say('error', 'it was t0ken with blank, for bob@example.org', {
      path: '/tmp/hidden-word x',
      deep: { texts: ['ann@example.org'], token: 'a t0ken with blank' },
      count: 3,
    });
    log.accounts({ kind: 'kept', error: new UsageError('CONFIG_INVALID', 'a.yaml: hidden-word is wrong') });
    expect(lines.join('')).not.to.match(/hidden|t0ken|ann@|bob@/);
    expect(records().at(-2)).to.deep.include({ message: 'it was ***, for somebody@example.com', count: 3 });
    expect(records().at(-1)?.message).to.equal(
      'the accounts could not be read again, and those from before are served on: a.yaml: *** is wrong',
    );
  });

  it('tells of accounts that were read again', async () => {
    const { log, records } = await logging({ level: 'debug' });
    log.accounts({ kind: 'changed', users: 3, added: 1, removed: 2 });
    log.accounts({ kind: 'same' });
    log.accounts({ kind: 'unwatched', error: Object.assign(new Error('x'), { code: 'ENOSPC' }) });
    log.accounts({ kind: 'kept', error: 'what' });
    expect(records().map(({ level, message }) => `${String(level)} ${String(message)}`)).to.deep.equal([
      'info the accounts were read again',
      'debug the accounts were read again; nothing is different',
      'warn changes of the accounts are not noticed by themselves; SIGHUP has them read again: ENOSPC',
      'error the accounts could not be read again, and those from before are served on: it is not known why',
    ]);
    expect(records()[0]).to.include({ users: 3, added: 1, removed: 2 });
  });

  it('is text for people, when that is wanted', async () => {
    const { log, lines } = await logging({ format: 'text' });
    log.event({ at: AT, event: 'submitted', ...OF, part: 1, parts: 2, upstream: 'a b' });
    log.request(request('POST', 201));
    expect(lines).to.deep.equal([
      '03:04:05 info  a part was taken by v2 user=joesflowers activity=a07e1 part=1 parts=2 upstream="a b"\n',
      '03:04:05 info  POST activities 201 request=r-1 user=joesflowers method=POST route=activities status=201 took=12.3 bytes=42\n',
    ]);
  });
});

describe('the figures of a gateway', () => {
  const status = {
    queued: 3,
    running: 2,
    oldest: (AT - 5_000) as number | undefined,
    writable: false,
    upstream: [
      { key: 'abc', state: 'up' },
      { key: 'def', state: 'down' },
      { key: 'ghi', state: 'used up' },
    ] as const,
  };
  const lines = async (metrics: GatewayMetrics) =>
    (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  it('are those of what was done', async () => {
    const metrics = await createMetrics({ status: () => status, now: () => AT, process: false });
    for (const event of EVENTS) metrics.event(event);
    metrics.request(request('GET', 200));
    metrics.request(request('GET', 200));
    metrics.request(request('POST', 503));
    expect(await lines(metrics)).to.include.members([
      'ctct_gateway_requests_total{method="GET",route="activities",status="200"} 2',
      'ctct_gateway_requests_total{method="POST",route="activities",status="503"} 1',
      'ctct_gateway_request_seconds_count{route="activities"} 3',
      'ctct_gateway_request_seconds_bucket{le="0.025",route="activities"} 3',
      'ctct_gateway_request_seconds_bucket{le="0.01",route="activities"} 0',
      'ctct_gateway_upstream_calls_total{key="abc",operation="list",outcome="ok"} 1',
      'ctct_gateway_upstream_calls_total{key="abc",operation="create",outcome="SERVICE_FAILED"} 1',
      'ctct_gateway_upstream_seconds_count{operation="list"} 1',
      'ctct_gateway_activities_total{type="SV_ADD",outcome="accepted"} 1',
      'ctct_gateway_activities_total{type="SV_ADD",outcome="complete"} 1',
      'ctct_gateway_activities_total{type="SV_ADD",outcome="error"} 1',
      'ctct_gateway_waits_total{code="RATE_LIMITED"} 1',
      'ctct_gateway_trouble_total{code="FILE_UNWRITABLE"} 1',
      'ctct_gateway_jobs_queued 3',
      'ctct_gateway_jobs_running 2',
      'ctct_gateway_oldest_job_seconds 5',
      'ctct_gateway_store_writable 0',
      'ctct_gateway_upstream_up{key="abc"} 1',
      'ctct_gateway_upstream_up{key="def"} 0',
      'ctct_gateway_upstream_up{key="ghi"} 1',
      'ctct_gateway_upstream_used_up{key="ghi"} 1',
      'ctct_gateway_upstream_used_up{key="def"} 0',
    ]);
  });

  it('are those of the moment, and name nobody', async () => {
    let now = { ...status };
    const metrics = await createMetrics({ status: () => now, now: () => AT, process: false });
    for (const event of EVENTS) metrics.event(event);
    metrics.request(request('GET', 200));
    await metrics.text();
    now = { ...status, oldest: undefined, queued: 0, upstream: [] as never };
    const text = (await lines(metrics)).join('\n');
    expect(text).to.contain('ctct_gateway_jobs_queued 0').and.contain('ctct_gateway_oldest_job_seconds 0');
    expect(text).not.to.contain('upstream_up{');
    expect(text).not.to.match(/joesflowers|a07e|example/);
  });

  it('are those of the process too', async () => {
    const metrics = await createMetrics({ status: () => status });
    expect((await lines(metrics)).join('\n')).to.contain('process_resident_memory_bytes');
    expect(metrics.contentType).to.match(/^text\/plain; version=/);
  });
});
