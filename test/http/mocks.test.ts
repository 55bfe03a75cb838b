import { expect } from 'chai';
import nock from 'nock';
import { getGlobalDispatcher, MockAgent, setGlobalDispatcher } from 'undici';
import { bytesBody } from '../../src/format/body.js';
import { createTransport, type TransportOptions } from '../../src/http/transport.js';
import { BASIC, rejection, textOf, TOKEN } from './loopback.js';

// Importing nock activates it, for all suites of the process.
nock.restore();

const base = new URL('https://api.constantcontact.com');
const activities = new URL('/ws/customers/joe/activities', base);

function call(method: 'GET' | 'POST', options: Partial<TransportOptions> = {}) {
  const body = method === 'POST' ? bytesBody('text/plain', new TextEncoder().encode('lists=1')) : undefined;
  return createTransport({ base, credentials: BASIC, retry: false, ...options })({
    method,
    url: activities,
    body,
  });
}

describe('a transport under nock', () => {
  before(() => {
    if (!nock.isActive()) nock.activate();
    nock.disableNetConnect();
  });

  afterEach(() => {
    nock.cleanAll();
  });

  after(() => {
    nock.enableNetConnect();
    nock.restore();
  });

  it('is reached, headers and body and all', async () => {
    nock(base.origin, { reqheaders: { authorization: /^Basic \S+$/, 'content-type': 'text/plain' } })
      .post(activities.pathname, 'lists=1')
      .reply(201, '<entry/>', { location: '/x' });
    const response = await call('POST');
    expect([response.status, response.headers.get('location')]).to.deep.equal([201, '/x']);
    expect(await textOf(response)).to.equal('<entry/>');
  });

  it('never reaches the network, and tells no secret of what it wanted there', async () => {
    for (const method of ['GET', 'POST'] as const) {
      const error = await rejection(call(method));
      expect(error).to.include({ code: 'REQUEST_NOT_SENT', sent: 'no' });
      nock(base.origin).get('/other').reply(200);
      const unmatched = await rejection(
        call(method, { credentials: { scheme: 'access_token', token: TOKEN } }),
      );
      expect(unmatched).to.include({ code: 'REQUEST_NOT_SENT', sent: 'no' });
    }
  });

  it('reads errors that come without fetch’s wrapping', async () => {
    for (const [code, sent] of [
      ['ECONNREFUSED', 'no'],
      ['ECONNRESET', 'maybe'],
    ] as const) {
      nock(base.origin)
        .get(activities.pathname)
        .replyWithError(Object.assign(new Error('x'), { code }));
      expect(await rejection(call('GET'))).to.include({ sent });
    }
  });

  it('follows no redirect of a POST', async () => {
    nock(base.origin).post(activities.pathname).reply(307, '', { location: 'https://evil.example.com/' });
    const trap = nock('https://evil.example.com').post('/').reply(200);
    expect((await rejection(call('POST'))).code).to.equal('REDIRECTED');
    expect(trap.isDone()).to.equal(false);
  });

  it('upgrades a redirect to plain http on the same host', async () => {
    nock(base.origin)
      .get(activities.pathname)
      .reply(302, '', { location: 'http://api.constantcontact.com/ws/x' })
      .get('/ws/x')
      .reply(200, 'there');
    const response = await call('GET');
    expect([await textOf(response), response.url.href]).to.deep.equal(['there', `${base.origin}/ws/x`]);
  });
});

describe('a transport over a MockAgent', () => {
  function mocked(): MockAgent {
    const agent = new MockAgent();
    agent.disableNetConnect();
    agent
      .get(base.origin)
      .intercept({ path: activities.pathname, method: 'GET' })
      .reply(200, 'mocked', { headers: { 'content-length': '6' } });
    return agent;
  }

  it('given as its dispatcher is reached, and nothing else is', async () => {
    const agent = mocked();
    expect(await textOf(await call('GET', { dispatcher: agent }))).to.equal('mocked');
    const error = await rejection(
      call('POST', { dispatcher: agent, credentials: { scheme: 'access_token', token: TOKEN } }),
    );
    expect(error).to.include({ code: 'REQUEST_NOT_SENT', sent: 'no' });
    await agent.close();
  });

  it('set for the whole process is reached too', async () => {
    const before = getGlobalDispatcher();
    const agent = mocked();
    setGlobalDispatcher(agent);
    try {
      expect(await textOf(await call('GET'))).to.equal('mocked');
    } finally {
      setGlobalDispatcher(before);
      await agent.close();
    }
  });
});
