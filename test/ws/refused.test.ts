import { expect } from 'chai';
import { ServiceError } from '../../src/activity/errors.js';
import { anActivity, stubService } from '../support/stub-service.js';
import { quirksOf, type QuirkName } from '../../src/ws/quirks.js';
import { wsServer, type WsServerOptions } from '../../src/ws/server.js';

const ORIGIN = 'https://api.constantcontact.com';
const USER = '/ws/customers/joesflowers';
const FEED = 'application/atom+xml';

const without = (...names: readonly QuirkName[]): Partial<WsServerOptions> => ({
  quirks: Object.fromEntries(names.map((name) => [name, false])),
});

async function ask(path: string, init: RequestInit = {}, options: Partial<WsServerOptions> = {}) {
  const service = stubService([anActivity({ id: 'a07e1' }), anActivity({ id: 'a07e2' })]);
  const server = wsServer({ account: (user) => (user === 'nobody' ? undefined : service), ...options });
  const response = await server(new Request(path.startsWith('http') ? path : `${ORIGIN}${path}`, init));
  return { status: response.status, text: await response.text(), headers: response.headers };
}

describe('what a ws server refuses', () => {
  it('is told in one line of plain text, with its status', async () => {
    const cases: readonly (readonly [
      status: number,
      text: string,
      path: string,
      init?: RequestInit,
      options?: Partial<WsServerOptions>,
    ])[] = [
      ...[
        '/',
        '/ws',
        '/ws/customers',
        '/customers/joesflowers',
        '/x/customers/joesflowers',
        '/ws/x/joesflowers',
        `${USER}/x`,
      ].map((path) => [404, `There is nothing at ${path}`, path] as const),
      [
        404,
        `There is nothing at ${`${USER}/${'x'.repeat(300)}`.slice(0, 200)}`,
        `${USER}/${'x'.repeat(300)}`,
      ],
      [404, `There is nothing at ${USER}//activities`, `${USER}//activities`, {}, without('doubledSlashes')],
      [400, 'the path segment "%ff" is not percent-encoded UTF-8', '/ws/customers/%ff/activities'],
      [400, 'the path segment "%ff" is not percent-encoded UTF-8', `${USER}/activities/%ff`],
      [
        400,
        `the path segment "${'%ff'.repeat(50).slice(0, 80)}" is not percent-encoded UTF-8`,
        `${USER}/activities/${'%ff'.repeat(50)}`,
      ],
      [
        403,
        'Requests by http are refused; use https',
        `http://example.com${USER}/activities`,
        {},
        without('plainHttp'),
      ],
      [
        406,
        `There is only ${FEED} here`,
        `${USER}/activities`,
        { headers: { accept: 'text/html' } },
        without('anyAccept'),
      ],
      [
        415,
        'Content-Type "text/plain" is not supported here',
        `${USER}/activities`,
        { headers: { 'content-type': 'text/plain' } },
        without('anyContentTypeOnGet'),
      ],
      [
        415,
        `Content-Type "${'x'.repeat(80)}" is not supported here`,
        `${USER}/activities`,
        { headers: { 'content-type': 'x'.repeat(90) } },
        without('anyContentTypeOnGet'),
      ],
      [415, 'DELETE is not supported here', `${USER}/activities`, { method: 'DELETE' }],
      [
        405,
        'DELETE is not supported here; use GET, POST',
        `${USER}/activities`,
        { method: 'DELETE' },
        without('unsupportedMethod415'),
      ],
      [
        405,
        'PUT is not supported here; use GET',
        `${USER}/activities/a`,
        { method: 'PUT' },
        without('unsupportedMethod415'),
      ],
      [
        401,
        'The API key, user name or password is not right for this account.',
        '/ws/customers/nobody/activities',
      ],
      [400, 'next: there is no page "x"', `${USER}/activities?next=x`],
      [400, 'next: there is no page ""', `${USER}/activities?next=`],
      [400, 'next: there is no page "-"', `${USER}/activities?next=-`],
      [400, `next: there is no page "${'x'.repeat(80)}"`, `${USER}/activities?next=${'x'.repeat(90)}`],
      [400, 'next: there is no page "x"', `${USER}/activities?next=x`, {}, without('opaquePageTokens')],
      [404, 'no a07e3', `${USER}/activities/a07e3`],
      [404, `There is nothing at ${USER}/activities/a07e1.csv`, `${USER}/activities/a07e1.csv`],
    ];
    for (const [status, text, path, init, options] of cases) {
      const answer = await ask(path, init, options);
      expect(answer, `${path} ${text}`).to.include({ status, text: `${text}\n` });
      expect(answer.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
      expect(answer.headers.get('allow')).to.equal(status === 405 ? text.replace(/.*use /, '') : null);
    }
  });

  it('is not what fits: headers that ask for Atom, or for anything', async () => {
    for (const accept of [
      '*/*',
      'text/html, */*;q=0.1',
      'application/*',
      FEED,
      FEED.toUpperCase(),
      'application/atomsvc+xml',
    ]) {
      expect(
        await ask(`${USER}/activities`, { headers: { accept } }, without('anyAccept')),
        accept,
      ).to.include({
        status: 200,
      });
    }
    for (const accept of ['application/xml', 'atom+xml', 'application/atom', 'application/atomxml']) {
      expect(
        await ask(`${USER}/activities`, { headers: { accept } }, without('anyAccept')),
        accept,
      ).to.include({
        status: 406,
      });
    }
    for (const type of [FEED, FEED.toUpperCase(), `${FEED};type=feed`]) {
      const options = without('anyContentTypeOnGet');
      expect(await ask(`${USER}/activities`, { headers: { 'content-type': type } }, options)).to.include({
        status: 200,
      });
    }
    for (const path of [`/WS/Customers/joesflowers/activities`, `//ws//customers/joesflowers//activities/`]) {
      expect(await ask(`${ORIGIN}${path}`), path).to.include({ status: 200 });
    }
    expect(await ask(`${USER}/activities`, {}, without('plainHttp', 'doubledSlashes'))).to.include({
      status: 200,
    });
    expect((await ask(`http://example.com${USER}/activities`)).status).to.equal(200);
  });

  it('has the challenges that the quirks let it have', async () => {
    const challenge = async (options: Partial<WsServerOptions>) =>
      (await ask('/ws/customers/nobody/activities', {}, options)).headers
        .get('www-authenticate')
        ?.replace(/nonce="\w+"/, 'nonce');
    const basic = 'Basic realm="api.constantcontact.com"';
    const digest = 'Digest qop="auth", realm="api.constantcontact.com", nonce, algorithm=MD5';
    expect(await challenge({})).to.equal(`${basic}, ${digest}`);
    expect(await challenge(without('digest'))).to.equal(basic);
    expect(await challenge(without('basicChallenge'))).to.equal(digest);
    expect(await challenge(without('digest', 'basicChallenge'))).to.equal(undefined);
    expect(await challenge({ ...without('digest'), realm: 'a "b\\c"' })).to.equal('Basic realm="a bc"');
  });

  it('is, of what a request asks the server to be, all that there is not', async () => {
    const asked = async (headers: Record<string, string>) => {
      const { status, text } = await ask(`${USER}/activities/a07e1`, { headers }, { profileHeader: true });
      return `${String(status)} ${text}`;
    };
    expect(await asked({ 'x-emulator-profile': 'real' })).to.equal(
      '400 X-Emulator-Profile: must be documented or observed\n',
    );
    expect(await asked({ 'x-emulator-profile': ' OBSERVED ' })).to.match(/^200 /);
    expect(await asked({ 'x-emulator-quirks': 'digest' })).to.equal(
      '400 quirks: write digest=on or digest=off\n',
    );
    expect(await asked({ 'x-emulator-quirks': ' digest = off ,, httpIds=on ' })).to.match(/^200 /);
    expect(await asked({ 'x-emulator-quirks': 'httpId=on' })).to.match(
      /^400 quirks: "httpId" is none; did you mean httpIds\?\n$/,
    );
    expect(await asked({ 'x-emulator-quirks': `${'z'.repeat(70)}=on` })).to.match(
      /^400 quirks: "z{60}" is none; the names are fullCreatedEntry, .*\n$/,
    );
    expect(() => quirksOf('real' as 'observed')).to.throw(
      'profile: must be documented or observed, got "real"',
    );
  });

  it('says when to come again where the account knows it, and nothing where it does not', async () => {
    for (const retryAfter of [undefined, 30]) {
      const busy = new ServiceError('RATE_LIMITED', 'later', { status: 429, detail: 'later', retryAfter });
      const service = stubService([], [], { get: () => Promise.reject(busy) });
      const { status, text, headers } = await ask(`${USER}/activities/a`, {}, { account: () => service });
      expect({ status, text }).to.deep.equal({ status: 429, text: 'later\n' });
      expect(headers.get('retry-after')).to.equal(retryAfter === undefined ? null : '30');
    }
  });
});
