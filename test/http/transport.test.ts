import { execFile } from 'node:child_process';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { ServiceError, UsageError } from '../../src/activity/errors.js';
import { bytesBody, type RequestBody } from '../../src/format/body.js';
import { createTransport, type HttpRequest } from '../../src/http/transport.js';
import { BASIC, closeServers, httpServer, rejection, soon, textOf, thrown, TOKEN } from './loopback.js';

const bytes = (text: string) => new TextEncoder().encode(text);

function streamBody(chunks: readonly Uint8Array[], length?: number): RequestBody {
  return {
    contentType: 'text/csv',
    length,
    replayable: true,
    async *open() {
      await Promise.resolve();
      yield* chunks;
    },
  };
}

describe('a transport', () => {
  afterEach(closeServers);

  describe('sends', () => {
    it('a GET with few headers, and its credentials', async () => {
      let seen: Record<string, unknown> = {};
      const base = await httpServer((request, response) => {
        seen = { method: request.method, url: request.url, ...request.headers };
        response.end('ok');
      });
      const transport = createTransport({ base, credentials: BASIC, userAgent: 'ctct/1' });
      const response = await transport({
        method: 'GET',
        url: new URL('/ws//x%2Fy?next=a%20b', base),
        headers: { Accept: 'application/atom+xml' },
      });
      expect(response.status).to.equal(200);
      expect(await textOf(response)).to.equal('ok');
      const { authorization, connection, host, ...rest } = seen;
      expect(authorization).to.equal(
        `Basic ${Buffer.from(`${BASIC.apiKey}%${BASIC.user}:${BASIC.password}`).toString('base64')}`,
      );
      expect([connection, host]).to.deep.equal(['keep-alive', base.host]);
      expect(rest).to.deep.equal({
        method: 'GET',
        url: '/ws//x%2Fy?next=a%20b',
        accept: 'application/atom+xml',
        'user-agent': 'ctct/1',
        'accept-encoding': 'identity',
        // These two are fetch's own.
        'accept-language': '*',
        'sec-fetch-mode': 'cors',
      });
    });

    it('bodies of every kind and size byte for byte, with their length where it is known', async () => {
      let received = Buffer.alloc(0);
      let headers: Record<string, unknown> = {};
      const base = await httpServer((request, response) => {
        headers = request.headers;
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          received = Buffer.concat(chunks);
          response.end();
        });
      });
      const transport = createTransport({ base });
      const post = async (body: RequestBody) => {
        await (await transport({ method: 'POST', url: new URL('/x', base), body })).bytes();
      };
      const chunks = fc.array(fc.uint8Array({ maxLength: 40_000 }), { maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(chunks, fc.boolean(), async (parts, known) => {
          const all = Buffer.concat(parts);
          await post(streamBody(parts, known ? all.length : undefined));
          expect(received.equals(all)).to.equal(true);
          expect(headers['content-type']).to.equal('text/csv');
          // undici sends an empty body as one of length 0.
          const sized = known || all.length === 0;
          expect(headers['content-length']).to.equal(sized ? String(all.length) : undefined);
          expect(headers['transfer-encoding']).to.equal(sized ? undefined : 'chunked');
        }),
        { numRuns: 25 },
      );
      await post(bytesBody('application/x-www-form-urlencoded', bytes('activityType=SV_ADD')));
      expect(received.toString()).to.equal('activityType=SV_ADD');
      const large = Buffer.alloc(3_000_000, 'x');
      await post({
        ...streamBody([], large.length),
        open: () => Readable.from([large], { objectMode: true }),
      });
      expect(received.equals(large)).to.equal(true);
    });

    it('every POST on a connection of its own, and GETs on a shared one', async () => {
      const ports: (number | undefined)[] = [];
      const base = await httpServer((request, response) => {
        ports.push(request.socket.remotePort);
        request.resume().on('end', () => response.end('ok'));
      });
      const transport = createTransport({ base });
      const call = async (method: 'GET' | 'POST') => {
        const body = method === 'POST' ? bytesBody('text/plain', bytes('x')) : undefined;
        await (await transport({ method, url: base, body })).bytes();
        await soon();
      };
      for (const method of ['GET', 'GET', 'GET'] as const) await call(method);
      expect(new Set(ports.splice(0)).size).to.equal(1);
      for (const method of ['POST', 'POST', 'POST'] as const) await call(method);
      expect(new Set(ports).size).to.equal(3);
    });

    it('through fetch as it is at the time of the call', async () => {
      const base = new URL('http://127.0.0.1:40000');
      const transport = createTransport({ base });
      const original = globalThis.fetch;
      try {
        globalThis.fetch = () => Promise.resolve(new Response('replaced'));
        expect(await textOf(await transport({ method: 'GET', url: base }))).to.equal('replaced');
      } finally {
        globalThis.fetch = original;
      }
    });
  });

  describe('keeps to its origin', () => {
    const base = new URL('https://api.constantcontact.com');
    const never = () => Promise.reject(new Error('fetch was called'));

    it('and refuses URLs of any other before anything is sent', async () => {
      const transport = createTransport({ base, credentials: BASIC, fetch: never });
      for (const url of [
        'https://example.com/',
        'http://api.constantcontact.com/',
        'https://api.constantcontact.com:444/',
        'blob:https://api.constantcontact.com/x',
      ]) {
        const error = await rejection(transport({ method: 'GET', url: new URL(url) }));
        expect(error).to.be.instanceOf(UsageError);
        expect(error.code).to.equal('FOREIGN_ORIGIN');
      }
    });

    it('and to this machine when CTCT_OFFLINE=1', async () => {
      process.env.CTCT_OFFLINE = '1';
      try {
        const far = createTransport({ base, fetch: never });
        expect((await rejection(far({ method: 'GET', url: base }))).code).to.equal('OFFLINE');
        const near = await httpServer((_, response) => response.end('near'));
        expect(await textOf(await createTransport({ base: near })({ method: 'GET', url: near }))).to.equal(
          'near',
        );
        process.env.CTCT_OFFLINE = '0';
        expect((await rejection(far({ method: 'GET', url: base }))).message).to.include('fetch was called');
      } finally {
        delete process.env.CTCT_OFFLINE;
      }
    });

    it('and drops a user, a password and a fragment from URLs', async () => {
      let seen: unknown;
      const fetch = (url: unknown) => {
        seen = url;
        return Promise.resolve(new Response(null, { status: 204 }));
      };
      const transport = createTransport({ base, fetch: fetch });
      const url = new URL('https://joe:pw@api.constantcontact.com/x#y');
      const response = await transport({ method: 'GET', url });
      expect([seen, response.url.href]).to.deep.equal([
        'https://api.constantcontact.com/x',
        'https://api.constantcontact.com/x',
      ]);
      expect(await response.bytes()).to.have.length(0);
    });
  });

  describe('meets a redirect', () => {
    it('of a GET and follows it, with the credentials put on anew', async () => {
      const seen: string[] = [];
      const base = await httpServer((request, response) => {
        seen.push(`${request.url ?? ''} ${request.headers.authorization ?? ''}`);
        const next = { '/a': 'b?q=1', '/b?q=1&access_token=t': '/c' }[
          (request.url ?? '').replace('?access_token=t', '')
        ];
        if (next === undefined) response.end('here');
        else response.writeHead(302, { location: next }).end('moved');
      });
      const transport = createTransport({ base, credentials: { scheme: 'access_token', token: 't' } });
      const response = await transport({ method: 'GET', url: new URL('/a', base) });
      expect(await textOf(response)).to.equal('here');
      expect(response.url.href).to.equal(new URL('/c', base).href);
      expect(seen).to.deep.equal(['/a?access_token=t ', '/b?q=1&access_token=t ', '/c?access_token=t ']);
    });

    for (const status of [301, 302, 303, 307, 308]) {
      it(`${status} and never sends a POST again`, async () => {
        let calls = 0;
        const base = await httpServer((request, response) => {
          calls++;
          request.resume();
          const location = 'https://evil.example.com/take?access_token=tok-5d0aa81c';
          response.writeHead(status, { location }).end();
        });
        const transport = createTransport({ base, credentials: { scheme: 'access_token', token: TOKEN } });
        const body = bytesBody('text/plain', bytes('x'));
        const error = await rejection(transport({ method: 'POST', url: base, body }));
        expect(error).to.be.instanceOf(ServiceError);
        expect(error).to.include({ code: 'REDIRECTED', status, detail: 'https://evil.example.com/take' });
        expect(calls).to.equal(1);
      });
    }

    it('to elsewhere and does not follow it', async () => {
      let strangers = 0;
      const elsewhere = await httpServer((_, response) => {
        strangers++;
        response.end();
      });
      const base = await httpServer((_, response) => {
        response.writeHead(302, { location: `${elsewhere.href}x?access_token=1` }).end();
      });
      const error = await rejection(
        createTransport({ base, credentials: BASIC })({ method: 'GET', url: base }),
      );
      expect(error).to.include({ code: 'REDIRECTED', detail: `${elsewhere.href}x` });
      expect(strangers).to.equal(0);
    });

    it('to a portal that names the place asked for, and tells no secret', async () => {
      const base = await httpServer((request, response) => {
        request.resume();
        const asked = encodeURIComponent(request.url ?? '');
        response.writeHead(302, { location: `https://portal.example.com/to/${asked}` }).end();
      });
      const transport = createTransport({
        base,
        credentials: { scheme: 'access_token', token: 'tok-5d0aa81c' },
      });
      for (const method of ['GET', 'POST'] as const) {
        const error = await rejection(transport({ method, url: base }));
        expect(error).to.include({ detail: 'https://portal.example.com/to/%2F%3Faccess_token%3D***' });
      }
    });

    it('in circles, and gives up after three', async () => {
      let calls = 0;
      const base = await httpServer((_, response) => {
        calls++;
        response.writeHead(302, { location: '/' }).end();
      });
      const error = await rejection(createTransport({ base })({ method: 'GET', url: base }));
      expect(error.code).to.equal('REDIRECTED');
      expect(error.message).to.include('more than 3 redirects');
      expect(calls).to.equal(4);
    });

    it('without a place, or to no URL', async () => {
      const base = await httpServer((request, response) => {
        response.writeHead(302, request.url === '/none' ? {} : { location: 'https://[' }).end('text');
      });
      const transport = createTransport({ base });
      const response = await transport({ method: 'GET', url: new URL('/none', base) });
      expect([response.status, await textOf(response)]).to.deep.equal([302, 'text']);
      const error = await rejection(transport({ method: 'GET', url: base }));
      expect(error).to.include({ code: 'REDIRECTED', detail: 'what is no URL' });
      const body = bytesBody('text/plain', bytes('x'));
      const post = await rejection(transport({ method: 'POST', url: new URL('/none', base), body }));
      expect(post).to.include({ code: 'REDIRECTED', status: 302 });
    });
  });

  describe('returns an answer', () => {
    it('of any other status, for the caller to judge', async () => {
      const base = await httpServer((request, response) => {
        response.writeHead(Number(request.url?.slice(1)), { 'x-reason': 'r' }).end('reason');
      });
      const transport = createTransport({ base });
      for (const status of [200, 201, 300, 304, 400, 401, 404, 415, 429, 500, 503]) {
        const response = await transport({ method: 'GET', url: new URL(`/${status}`, base) });
        expect(response.status).to.equal(status);
        expect(response.headers.get('x-reason')).to.equal('r');
        expect(await textOf(response)).to.equal(status === 304 ? '' : 'reason');
      }
    });

    it('whose body is bounded, after decompression too', async () => {
      const base = await httpServer((request, response) => {
        if (request.url === '/bomb') {
          response.setHeader('content-encoding', 'gzip');
          response.end(gzipSync(Buffer.alloc(1_000_000)));
        } else response.end(Buffer.alloc(1000));
      });
      const transport = createTransport({ base });
      const get = (path: string) => transport({ method: 'GET', url: new URL(path, base) });
      expect(await (await get('/')).bytes(1000)).to.have.length(1000);
      expect((await rejection((await get('/')).bytes(999))).code).to.equal('RESPONSE_TOO_LARGE');
      expect((await rejection((await get('/bomb')).bytes(999_999))).code).to.equal('RESPONSE_TOO_LARGE');
      const unpacked = await get('/bomb');
      expect(unpacked.headers.get('content-length')).to.equal(null);
      expect(unpacked.headers.get('content-encoding')).to.equal(null);
      expect(await unpacked.bytes()).to.have.length(1_000_000);
    });

    it('whose body is read once', async () => {
      const base = await httpServer((_, response) => response.end('x'));
      const response = await createTransport({ base })({ method: 'GET', url: base });
      await response.bytes();
      expect((await rejection(response.bytes())).code).to.equal('OPTION_INVALID');
      await response.cancel();
    });

    it('that can be cancelled, while somebody reads it too, and then is never taken for complete', async () => {
      const base = await httpServer((_, response) => {
        response.write('begun');
      });
      const transport = createTransport({ base });
      const unread = await transport({ method: 'GET', url: base });
      await unread.cancel();
      await unread.cancel();
      expect((await rejection(unread.bytes())).code).to.equal('ABORTED');

      const reading = await transport({ method: 'GET', url: base });
      const whole = rejection(reading.bytes());
      await reading.cancel();
      expect((await whole).code).to.equal('ABORTED');

      const left = await transport({ method: 'GET', url: base });
      for await (const chunk of left.body) {
        expect(new TextDecoder().decode(chunk)).to.equal('begun');
        break;
      }
    });
  });

  it('refuses options that cannot be used', () => {
    const base = new URL('https://api.constantcontact.com');
    for (const options of [
      { timeouts: { connect: -1 } },
      { timeouts: { headers: NaN } },
      { timeouts: { bodyIdle: Infinity } },
      { timeouts: { total: 2 ** 31 } },
      { timeouts: { total: '5' as unknown as number } },
      { userAgent: 'a\r\nx-injected: 1' },
      { userAgent: '' },
      { credentials: { ...BASIC, user: 'a:b' } },
    ]) {
      const error = thrown(() => createTransport({ base, ...options }));
      expect(error, JSON.stringify(options)).to.be.instanceOf(UsageError);
      expect(error.code).to.equal('OPTION_INVALID');
    }
  });

  it('changes nothing for the rest of the process, and does not keep it alive', async () => {
    const base = await httpServer((request, response) => {
      request.resume();
      response.end('ok');
    });
    const script = `
      const { createTransport } = await import(${JSON.stringify(new URL('../../src/http/transport.ts', import.meta.url).href)});
      const base = new URL(${JSON.stringify(base.href)});
      const transport = createTransport({ base });
      for (const method of ['GET', 'POST']) await (await transport({ method, url: base })).bytes();
      const current = globalThis[Symbol.for('undici.globalDispatcher.1')];
      const { Agent } = await import('undici');
      console.log(current.constructor.name, current instanceof Agent);
      console.log(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length);
    `;
    const began = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script],
      { timeout: 25_000 },
    );
    expect(began.stdout).to.equal('Agent false\n0\n');
  });

  it('leaves no listener on the caller’s signal', async () => {
    const base = await httpServer((_, response) => response.end('ok'));
    const transport = createTransport({ base });
    const { signal } = new AbortController();
    const counts = { add: 0, remove: 0 };
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      counts.add++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      counts.remove++;
      remove(...args);
    };
    const request: HttpRequest = { method: 'GET', url: base, signal };
    await (await transport(request)).bytes();
    await (await transport(request)).cancel();
    expect(counts.add).to.equal(2);
    expect(counts.remove).to.be.at.least(2);
  });
});
