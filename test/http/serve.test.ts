import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { ConnectionReset, serve, type FetchHandler, type ServeOptions } from '../../src/http/serve.js';
import { readCredentials } from '../../src/http/credentials.js';
import { createTransport } from '../../src/http/transport.js';
import { wholeResponse } from '../../src/http/whole.js';
import { rejection, soon, textOf } from './loopback.js';

const served: { close(): Promise<void> }[] = [];

async function start(handler: FetchHandler, options?: ServeOptions): Promise<URL> {
  const server = await serve(handler, options);
  served.push(server);
  return new URL(server.url);
}

/** All that a server writes to a socket, until it closes it, or until `last` was written. */
function raw(url: URL, request: string, last?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname.replace(/[[\]]/g, ''));
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (last !== undefined && text.includes(last)) socket.destroy();
    });
    socket.on('close', () => {
      resolve(text);
    });
    socket.on('error', reject);
    socket.write(request);
  });
}

const echo: FetchHandler = async (request) => {
  const body = await request.text();
  const { pathname, search } = new URL(request.url);
  return Response.json({
    method: request.method,
    path: pathname + search,
    type: request.headers.get('content-type'),
    credentials: readCredentials(request),
    body,
  });
};

describe('serve', () => {
  afterEach(async () => {
    await Promise.all(served.splice(0).map((server) => server.close()));
  });

  it('puts a handler on a free port of this machine', async () => {
    const url = await start(echo);
    expect(url.href).to.match(/^http:\/\/127\.0\.0\.1:[0-9]+\/$/);
    const response = await fetch(new URL('/x', url), { method: 'POST', body: 'lists=1' });
    expect(await response.json()).to.deep.include({ method: 'POST', path: '/x', body: 'lists=1' });
  });

  it('brackets an IPv6 address', async function () {
    let url: URL;
    try {
      url = await start(echo, { host: '::1' });
    } catch (error) {
      // A machine without IPv6 has nothing to show here, but has to say so.
      expect(error).to.have.property('message').that.includes('cannot listen at ::1');
      return;
    }
    expect(url.href).to.match(/^http:\/\/\[::1\]:[0-9]+\/$/);
    expect((await fetch(url)).status).to.equal(200);
  });

  it('says what to do when it cannot listen', async () => {
    const url = await start(echo);
    const taken = await rejection(serve(echo, { port: Number(url.port) }));
    expect(taken.code).to.equal('OPTION_INVALID');
    expect(taken.message).to.include(url.port).and.to.include('port 0');
    for (const options of [
      { port: -1 },
      { port: 65_536 },
      { port: 1.5 },
      { host: '192.0.2.1' },
      { host: 'a b' },
    ]) {
      expect((await rejection(serve(echo, options))).code).to.equal('OPTION_INVALID');
    }
  });

  it('leaves paths as they were sent', async () => {
    const url = await start(echo);
    for (const path of [
      '/ws/customers/joe//',
      '//ws//x',
      '/ws/customers/joe%20s%2Fflowers/activities',
      '/ws/customers/j%C3%B6e%40example.com/activities?next=a%20b+c&x=%2B',
      '/ws/customers/joe@example.com/activities',
    ]) {
      const answer = await raw(url, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Close\r\n\r\n`);
      expect(answer).to.include('HTTP/1.1 200').and.to.include(`"path":"${path}"`);
    }
  });

  it('answers the clients of the time', async () => {
    const url = await start(echo);
    const joe = `Basic ${Buffer.from('k%joe:pw').toString('base64')}`;
    const credentials = '"credentials":{"scheme":"basic","apiKey":"k","user":"joe","password":"pw"}';

    // A raw-socket client of 2008: two blanks, Close with a capital, and a line end beyond Content-Length.
    const old = await raw(
      url,
      `POST /ws HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization:  ${joe}\r\nContent-Type:text/plain\r\n` +
        'Content-Length: 7\r\nConnection: Close\r\n\r\nlists=1\r\n',
    );
    expect(old)
      .to.match(/^HTTP\/1\.1 200 OK\r\n/)
      .and.to.include(credentials)
      .and.to.include('"body":"lists=1"');
    expect(old.match(/HTTP\/1\.1 /g)).to.have.length(1);

    const one = await raw(url, `GET /ws HTTP/1.0\r\nAuthorization: Basic  ${joe.slice(6)}\r\n\r\n`);
    expect(one)
      .to.match(/^HTTP\/1\.1 200 OK\r\n/)
      .and.to.include(credentials);
    expect(one).not.to.match(/transfer-encoding/i);

    const empty = await raw(
      url,
      `GET /ws HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/atom+xml\r\nContent-Length: 0\r\n` +
        'Connection: close\r\n\r\n',
    );
    expect(empty)
      .to.match(/^HTTP\/1\.1 200 OK\r\n/)
      .and.to.include('"body":""');
  });

  it('says 100 Continue to clients that wait for it', async () => {
    const url = await start(echo);
    const head = `POST /ws HTTP/1.1\r\nHost: ${url.host}\r\nExpect: 100-continue\r\nContent-Length: 7\r\n`;
    expect(await raw(url, `${head}\r\n`, '\r\n\r\n')).to.equal('HTTP/1.1 100 Continue\r\n\r\n');
    const whole = await raw(url, `${head}Connection: close\r\n\r\nlists=1`);
    expect(whole).to.include('HTTP/1.1 200 OK').and.to.include('"body":"lists=1"');
  });

  it('takes several requests on one connection', async () => {
    const url = await start(echo);
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`;
    const both = await raw(url, get('/a') + get('/b'), '"path":"/b"');
    expect(both.match(/HTTP\/1\.1 200 OK/g)).to.have.length(2);
  });

  it('answers what is not HTTP, or has no proper host, with 400', async () => {
    const url = await start(echo);
    expect(await raw(url, 'HELO example.com\r\n\r\n')).to.match(/^HTTP\/1\.1 400 /);
    const odd = await raw(url, 'GET / HTTP/1.1\r\nHost: evil.example.com/x\r\nConnection: close\r\n\r\n');
    expect(odd)
      .to.match(/^HTTP\/1\.1 400 /)
      .and.to.include('Bad request');
  });

  it('tells nothing of an exception in the handler', async () => {
    for (const handler of [
      () => Promise.reject(new Error('secret place /home/joe')),
      () => {
        throw new TypeError('secret place');
      },
      () => Promise.resolve(undefined as unknown as Response),
    ] as FetchHandler[]) {
      const url = await start(handler);
      const response = await fetch(url);
      expect(response.status).to.equal(500);
      expect(await response.text()).to.equal('Internal server error\n');
    }
  });

  it('ends the connection when a body fails midway, so that nobody takes it for whole', async () => {
    for (const chunks of [0, 1, 5]) {
      const url = await start(() => {
        let left = chunks;
        const body = new ReadableStream({
          async pull(controller) {
            await soon(1);
            if (left-- > 0) controller.enqueue(new Uint8Array(10));
            else controller.error(new Error('secret place'));
          },
        });
        return Promise.resolve(new Response(body));
      });
      const transport = createTransport({ base: url });
      const error = await rejection(transport({ method: 'GET', url }).then((response) => response.bytes()));
      expect(error.code).to.equal('RESPONSE_LOST');
    }
  });

  it('spells header names as clients that read a bare socket look for them', async () => {
    const headers = {
      location: 'http://localhost/x',
      'content-type': 'text/plain',
      'www-authenticate': 'Basic realm="a"',
      etag: '"1"',
      'x-mashery-error-code': 'E',
    };
    const names = [
      'Location: http://localhost/x',
      'Content-Type: text/plain',
      'WWW-Authenticate: Basic realm="a"',
      'ETag: "1"',
      'X-Mashery-Error-Code: E',
    ];
    const request = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    for (const body of ['text', new Blob(['text']).stream(), null]) {
      const url = await start(() => Promise.resolve(new Response(body, { status: 401, headers })));
      expect((await raw(url, request)).split('\r\n')).to.include.members(names);
    }
    const url = await start(() => Promise.resolve(wholeResponse(Buffer.from('text'), { headers })));
    const whole = (await raw(url, request)).split('\r\n');
    expect(whole).to.include.members([...names, 'Content-Length: 4']);
  });

  it('keeps status, headers and cookies, and sends large bodies whole', async () => {
    const large = new Uint8Array(5_000_000).fill(7);
    const url = await start(() => {
      const headers = new Headers({ 'www-authenticate': 'Basic realm="api"', 'content-type': 'text/csv' });
      headers.append('set-cookie', 'a=1');
      headers.append('set-cookie', 'b=2');
      return Promise.resolve(new Response(large, { status: 401, statusText: 'Unauthorized', headers }));
    });
    const response = await fetch(url);
    expect(response.status).to.equal(401);
    expect(response.headers.get('www-authenticate')).to.equal('Basic realm="api"');
    expect(response.headers.get('content-type')).to.equal('text/csv');
    expect(response.headers.getSetCookie()).to.deep.equal(['a=1', 'b=2']);
    expect(Buffer.from(await response.arrayBuffer()).equals(large)).to.equal(true);
  });

  it('answers early, and cancels a body nobody reads any more', async () => {
    let cancelled = 0;
    const url = await start((request) =>
      Promise.resolve(
        request.method === 'POST'
          ? new Response('too large', { status: 413 })
          : new Response(
              new ReadableStream({
                pull: (controller) => {
                  controller.enqueue(new Uint8Array(65_536));
                },
                cancel: () => {
                  cancelled++;
                },
              }),
            ),
      ),
    );
    const transport = createTransport({ base: url });
    const large = new Uint8Array(1_000_000);
    const body = {
      contentType: 'text/csv',
      length: large.length * 20,
      replayable: true,
      async *open() {
        for (let index = 0; index < 20; index++) {
          await soon(0);
          yield large;
        }
      },
    };
    const response = await transport({ method: 'POST', url, body });
    expect([response.status, await textOf(response)]).to.deep.equal([413, 'too large']);

    const endless = await transport({ method: 'GET', url });
    for await (const chunk of endless.body) {
      expect(chunk.length).to.be.greaterThan(0);
      break;
    }
    for (let tries = 0; cancelled === 0 && tries < 200; tries++) await soon();
    expect(cancelled).to.equal(1);
  });

  it('answers a client that first sends all it has, and only then reads', async () => {
    const url = await start(() => Promise.resolve(new Response('too large', { status: 413 })));
    const head = `POST / HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Close\r\nContent-Length: 20000000\r\n\r\n`;
    for (let round = 0; round < 3; round++) {
      const answer = await raw(url, head + 'x'.repeat(20_000_000));
      expect(answer)
        .to.match(/^HTTP\/1\.1 413 /)
        .and.to.include('too large');
    }
  });

  it('closes at once, with calls under way', async () => {
    const arrivals = new EventEmitter();
    const arrived = once(arrivals, 'request');
    const server = await serve(() => {
      arrivals.emit('request');
      return new Promise(() => undefined);
    });
    const url = new URL(server.url);
    const failed = rejection(createTransport({ base: url, retry: false })({ method: 'GET', url }));
    await arrived;
    await Promise.all([server.close(), server.close()]);
    expect((await failed).code).to.equal('RESPONSE_LOST');
    await start(echo, { port: Number(url.port) });
    expect((await fetch(url)).status).to.equal(200);
  });

  describe('by https', () => {
    const read = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
    const tls = { cert: read('cert'), key: read('key') };

    /** All that comes, by the oldest TLS there is, until the server ends it. */
    function secure(url: URL, request: string): Promise<string> {
      return new Promise((resolve, reject) => {
        const socket = connectTls({
          port: Number(url.port),
          host: url.hostname,
          ca: tls.cert,
          minVersion: 'TLSv1',
          maxVersion: 'TLSv1',
          ciphers: 'DEFAULT:@SECLEVEL=0',
        });
        let text = '';
        socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
        socket.on('close', () => {
          resolve(text);
        });
        socket.on('error', reject);
        socket.write(request);
      });
    }

    it('answers clients that know nothing newer than TLS 1.0, whole and to the end', async () => {
      const large = 'x'.repeat(1_000_000);
      const url = await start((request) => Promise.resolve(new Response(`${request.url} ${large}`)), { tls });
      expect(url.protocol).to.equal('https:');
      const request =
        'POST /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\na=1\r\n';
      const answer = await secure(url, request);
      expect(answer).to.match(/^HTTP\/1\.1 200 /);
      expect(answer.endsWith(large)).to.equal(true);
      expect(answer).to.include('https://localhost/a x');
    });

    it('ends the connection where it would reset it', async () => {
      const url = await start(() => Promise.reject(new ConnectionReset()), { tls });
      const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
      expect(await secure(url, request).catch(String)).not.to.include('HTTP');
    });

    it('refuses what is no certificate', async () => {
      const error = await serve(echo, { tls: { cert: 'none', key: tls.key } }).catch(
        (reason: unknown) => reason,
      );
      expect(error).to.include({ code: 'OPTION_INVALID' });
    });
  });

  it('leaves the globals of the process alone', async () => {
    const before = [globalThis.Request, globalThis.Response, globalThis.fetch];
    await start(echo);
    expect([globalThis.Request, globalThis.Response, globalThis.fetch]).to.deep.equal(before);
  });
});
