import { expect } from 'chai';
import { accountsOf } from '../../src/gateway/accounts.js';
import { createFront, type ServedRequest } from '../../src/gateway/front.js';
import { healthHandler } from '../../src/gateway/health.js';
import type { FetchHandler } from '../../src/http/serve.js';

const accounts = accountsOf([
  { account: { user: 'JoesFlowers', apiKey: 'k', accessToken: 't' }, signIn: {} },
]);
const ok: FetchHandler = () => Promise.resolve(new Response('ok'));
const ask = (path: string, init?: RequestInit) => new Request(`http://gateway.example.com${path}`, init);

describe('the front of a gateway', () => {
  it('tells what each request is for, and of whom, by nothing that a client can make up', async () => {
    const seen: ServedRequest[] = [];
    const front = createFront(ok, { accounts, onRequest: (request) => seen.push(request) });
    const cases: readonly (readonly [string, string, string, string | undefined, string])[] = [
      ['GET', '/ws/customers/joesflowers/', 'service', 'JoesFlowers', 'GET'],
      ['GET', '//WS/Customers/joesflowers/activities', 'activities', 'JoesFlowers', 'GET'],
      ['POST', '/ws/customers/JOESFLOWERS/activities', 'activities', 'JoesFlowers', 'POST'],
      ['GET', '/ws/customers/joesflowers/activities/a07e1?x=secret', 'activity', 'JoesFlowers', 'GET'],
      ['HEAD', '/ws/customers/joesflowers/activities/a07e1.csv', 'file', 'JoesFlowers', 'HEAD'],
      ['GET', '/ws/customers/joesflowers/lists', 'lists', 'JoesFlowers', 'GET'],
      ['DELETE', '/ws/customers/joesflowers/lists/2', 'list', 'JoesFlowers', 'DELETE'],
      ['GET', '/ws/customers/joesflowers/lists/2/members', 'other', 'JoesFlowers', 'GET'],
      ['GET', '/ws/customers/joesflowers/contacts', 'other', 'JoesFlowers', 'GET'],
      ['PATCH', '/ws/customers/nobody/activities', 'activities', undefined, 'other'],
      ['GET', '/ws/customers/%ff/activities', 'activities', undefined, 'GET'],
      ['GET', '/v2/activities', 'other', undefined, 'GET'],
      ['GET', '/', 'other', undefined, 'GET'],
    ];
    for (const [method, path, route, user, named] of cases) {
      const response = await front.fetch(ask(path, { method }));
      expect(seen.at(-1), path).to.include({ route, user, method: named, status: 200, bytes: 0 });
      expect(response.headers.get('x-request-id')).to.equal(seen.at(-1)?.id);
    }
    expect(new Set(seen.map(({ id }) => id)).size).to.equal(cases.length);
    expect(JSON.stringify(seen)).not.to.match(/nobody|secret|a07e1/);
  });

  it('counts the bytes of a body as the request says them', async () => {
    const seen: ServedRequest[] = [];
    const front = createFront(ok, { accounts, onRequest: (request) => seen.push(request) });
    await front.fetch(ask('/', { method: 'POST', body: 'x=1', headers: { 'content-length': '3' } }));
    expect(seen[0]?.bytes).to.equal(3);
  });

  it('turns away what there is no room for, and lets in the next when there is', async () => {
    let go: (response: Response) => void = () => undefined;
    const slow: FetchHandler = () =>
      new Promise((resolve) => {
        go = resolve;
      });
    const front = createFront(slow, { accounts, mostRequests: 1 });
    const first = front.fetch(ask('/'));
    expect(front.open).to.equal(1);
    const second = await front.fetch(ask('/'));
    expect(second.status).to.equal(503);
    expect(second.headers.get('retry-after')).to.equal('5');
    expect(second.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
    expect(await second.text()).to.match(/^The gateway has too much to do/);
    go(new Response('ok'));
    expect((await first).status).to.equal(200);
    expect(front.open).to.equal(0);
    const third = front.fetch(ask('/'));
    go(new Response('ok'));
    expect((await third).status).to.equal(200);
  });

  it('forgets a request whose handler throws', async () => {
    const failing: FetchHandler = () => Promise.reject(new TypeError('reset'));
    const front = createFront(failing, { accounts, mostRequests: 1 });
    for (const attempt of [1, 2]) {
      const error = await front.fetch(ask('/')).catch((reason: unknown) => reason);
      expect(error, String(attempt)).to.be.instanceOf(TypeError);
    }
    expect(front.open).to.equal(0);
  });
});

describe('what those who run a gateway look at', () => {
  const metrics = { text: () => Promise.resolve('up 1\n'), contentType: 'text/plain; version=0.0.4' };
  const state = {
    title: 'Gateway',
    clock: { now: '2026-01-01T00:00:00.000Z' },
    accounts: [],
    requests: [],
    requestCount: 0,
  };
  let ready = { ready: true, reasons: [] as string[] };
  const handler = healthHandler({ ready: () => ready, metrics });
  const withPage = healthHandler({ ready: () => ready, metrics, page: () => Promise.resolve(state) });

  it('is whether it is alive, whether it is ready and why not, and its figures', async () => {
    expect((await handler(ask('/healthz'))).status).to.equal(200);
    expect(await (await handler(ask('/readyz'))).text()).to.equal('ready\n');
    ready = { ready: false, reasons: ['the gateway is about to end'] };
    const not = await handler(ask('/readyz'));
    expect([not.status, await not.text()]).to.deep.equal([503, 'not ready\nthe gateway is about to end\n']);
    expect((await handler(ask('/healthz'))).status).to.equal(200);
    const figures = await handler(ask('/metrics'));
    expect(figures.headers.get('content-type')).to.equal(metrics.contentType);
    expect(await figures.text()).to.equal('up 1\n');
  });

  it('has a page for looking only, where there is one', async () => {
    expect((await handler(ask('/page/'))).status).to.equal(404);
    const moved = await withPage(ask('/page'));
    expect([moved.status, moved.headers.get('location')]).to.deep.equal([308, '/page/']);
    const page = await withPage(ask('/page/'));
    expect(page.headers.get('content-security-policy')).to.contain("default-src 'none'");
    expect(await page.text()).to.contain('<!doctype html>');
    expect(await (await withPage(ask('/page/state'))).json()).to.deep.equal(state);
    expect((await withPage(ask('/page/none'))).status).to.equal(404);
    expect(await (await withPage(ask('/none'))).text()).to.contain('/page/');
    for (const method of ['POST', 'DELETE', 'PUT']) {
      expect((await withPage(ask('/page/state', { method }))).status).to.equal(405);
    }
  });
});
