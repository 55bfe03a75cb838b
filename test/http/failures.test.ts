import { Readable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { TransportError, UsageError, type ErrorCode } from '../../src/activity/errors.js';
import { bytesBody, type RequestBody } from '../../src/format/body.js';
import { failureOf, redact } from '../../src/http/failures.js';
import { createTransport, type TransportOptions } from '../../src/http/transport.js';
import { secretsOf } from '../../src/http/credentials.js';
import {
  BASIC,
  closedPort,
  closeServers,
  httpServer,
  rejection,
  SECRETS,
  soon,
  tcpServer,
  textOf,
} from './loopback.js';

const small = bytesBody('text/plain', new Uint8Array(10));

/** A body too large for memory, which tells how often it was opened and let go. */
function largeBody(chunk = 65_536, chunks = 64) {
  const counts = { opened: 0, released: 0 };
  const body: RequestBody = {
    contentType: 'text/csv',
    length: chunk * chunks,
    replayable: true,
    async *open() {
      counts.opened++;
      try {
        for (let index = 0; index < chunks; index++) {
          await soon(0);
          yield new Uint8Array(chunk);
        }
      } finally {
        counts.released++;
      }
    },
  };
  return { body, counts };
}

function call(
  base: URL,
  body?: RequestBody,
  options: Partial<TransportOptions> & { signal?: AbortSignal } = {},
) {
  const { signal, ...rest } = options;
  const transport = createTransport({ base, credentials: BASIC, retry: false, ...rest });
  return transport({
    method: body === undefined ? 'GET' : 'POST',
    url: new URL('/ws/customers/joe/activities?next=1', base),
    body,
    signal,
  });
}

describe('failureOf', () => {
  it('knows that nothing was sent when a proxy opens no connection', async () => {
    const { ProxyAgent } = await import('undici');
    for (const [status, tries] of [
      [407, 1],
      [502, 3],
    ] as const) {
      let asked = 0;
      const proxy = await tcpServer((socket) => {
        socket.once('data', (data) => {
          asked++;
          expect(data.toString()).to.match(/^CONNECT api\.constantcontact\.com:443 /);
          socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
        });
      });
      const dispatcher = new ProxyAgent(proxy.href);
      const base = new URL('https://api.constantcontact.com');
      const options = { dispatcher, limiter: false, retry: { minDelay: 0 } } as const;
      const error = await rejection(call(base, small, options));
      await dispatcher.close();
      expect(error).to.include({ code: 'REQUEST_NOT_SENT', sent: 'no' });
      expect(error.message).to.include(`the proxy answered ${status} instead of opening a connection`);
      expect(asked).to.equal(tries);
    }
  });

  const coded = (code: string, facts: object = {}) =>
    Object.assign(new Error(`text of ${code}`), { code, ...facts });
  const wrapped = (cause: unknown) => new TypeError('fetch failed', { cause });

  it('tells what was surely not sent from what may have been, wrapped by fetch or not', () => {
    const table: readonly (readonly [cause: string, code: ErrorCode, sent: 'no' | 'maybe'])[] = [
      ['ECONNREFUSED', 'REQUEST_NOT_SENT', 'no'],
      ['ENOTFOUND', 'REQUEST_NOT_SENT', 'no'],
      ['EAI_AGAIN', 'REQUEST_NOT_SENT', 'no'],
      ['EHOSTUNREACH', 'REQUEST_NOT_SENT', 'no'],
      ['ENETUNREACH', 'REQUEST_NOT_SENT', 'no'],
      ['UND_ERR_CONNECT_TIMEOUT', 'TIMED_OUT', 'no'],
      ['CERT_HAS_EXPIRED', 'REQUEST_NOT_SENT', 'no'],
      ['DEPTH_ZERO_SELF_SIGNED_CERT', 'REQUEST_NOT_SENT', 'no'],
      ['ERR_TLS_CERT_ALTNAME_INVALID', 'REQUEST_NOT_SENT', 'no'],
      ['ERR_SSL_WRONG_VERSION_NUMBER', 'REQUEST_NOT_SENT', 'no'],
      ['ECONNRESET', 'RESPONSE_LOST', 'maybe'],
      ['EPIPE', 'RESPONSE_LOST', 'maybe'],
      ['UND_ERR_SOCKET', 'RESPONSE_LOST', 'maybe'],
      ['UND_ERR_HEADERS_TIMEOUT', 'TIMED_OUT', 'maybe'],
      ['UND_ERR_BODY_TIMEOUT', 'TIMED_OUT', 'maybe'],
      ['UND_ERR_HEADERS_OVERFLOW', 'RESPONSE_LOST', 'maybe'],
      ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'RESPONSE_LOST', 'maybe'],
      ['SOMETHING_NEW', 'RESPONSE_LOST', 'maybe'],
      ['constructor', 'RESPONSE_LOST', 'maybe'],
    ];
    for (const [cause, code, sent] of table) {
      for (const error of [coded(cause), wrapped(coded(cause)), wrapped(wrapped(coded(cause)))]) {
        const failure = failureOf(error, 'POST https://x/y', false, []);
        expect(failure, cause).to.be.instanceOf(TransportError);
        expect(failure, cause).to.include({ code, sent });
        expect(failure.message)
          .to.match(/^POST https:\/\/x\/y (was not sent|got no answer): .*\w/)
          .and.include(cause);
      }
      expect(failureOf(coded(cause), 'GET https://x/y', true, [])).to.include({ sent: 'maybe' });
    }
  });

  it('knows a connect that timed out from a connection that did', () => {
    expect(failureOf(coded('ETIMEDOUT', { syscall: 'connect' }), 'GET x', false, [])).to.include({
      sent: 'no',
    });
    expect(failureOf(coded('ETIMEDOUT', { syscall: 'read' }), 'GET x', false, [])).to.include({
      sent: 'maybe',
    });
  });

  it('takes anything that can be thrown', () => {
    for (const error of ['text', 7, null, undefined, {}, { code: 5 }, new Error(''), wrapped(undefined)]) {
      const failure = failureOf(error, 'GET https://x', false, []);
      expect(failure).to.include({ code: 'RESPONSE_LOST', sent: 'maybe' });
    }
    const circle = new Error('circle');
    circle.cause = circle;
    expect(failureOf(circle, 'GET https://x', false, []).message).to.include('circle');
  });

  it('passes the package’s own errors', () => {
    const own = new UsageError('FILE_CHANGED', 'contacts.csv changed');
    expect(failureOf(wrapped(own), 'POST x', false, [])).to.equal(own);
  });

  it('shows no secret, whatever the error holds', async () => {
    const secrets = secretsOf(BASIC);
    const telling = new Error(SECRETS.slice(0, 5).join(' '), { cause: coded(SECRETS[4]!) });
    Object.assign(telling, { request: { headers: { authorization: SECRETS[4] } }, name: 'Telling' });
    const failure = await rejection(Promise.reject(failureOf(telling, 'GET https://x', false, secrets)));
    expect(failure.message).to.include('***');
    expect((failure.cause as Error).name).to.equal('Telling');
  });

  it('shows no half of a secret, where a long message is cut', async () => {
    const secrets = secretsOf(BASIC);
    for (let blanks = 280; blanks < 300; blanks++) {
      const telling = new Error(`${'.'.repeat(blanks)}${BASIC.password}`);
      const failure = await rejection(Promise.reject(failureOf(telling, 'GET https://x', false, secrets)));
      expect(failure.message).not.to.include(BASIC.password.slice(0, 3));
    }
  });
});

describe('redact', () => {
  const safe = fc
    .string({ minLength: 4, maxLength: 12, unit: 'grapheme' })
    .filter((text) => !text.includes('*') && !/\p{Cs}/u.test(text));

  it('leaves no secret in any text, in none of its spellings', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.array(safe, { minLength: 1, maxLength: 3 }),
        fc.string(),
        (a, secrets, b) => {
          const text = [a, ...secrets, b, ...secrets.map(encodeURIComponent), a].join('|');
          const shown = redact(text, [...secrets, ...secrets.map(encodeURIComponent)]);
          for (const secret of secrets) {
            expect(shown).not.to.include(secret);
            expect(shown).not.to.include(encodeURIComponent(secret));
          }
        },
      ),
    );
  });

  it('leaves a text as it is that holds none', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-m ]*$/),
        fc.array(fc.stringMatching(/^[n-z.*+?|\\]+$/)),
        (text, secrets) => {
          expect(redact(text, ['', ...secrets])).to.equal(text);
        },
      ),
    );
  });

  it('hides each secret whole, whatever their order', () => {
    expect(redact('a secret word', ['secret', 'word'])).to.equal('a *** ***');
    for (const secrets of [
      ['token', 'token-long'],
      ['token-long', 'token'],
    ]) {
      expect(redact('token-long token', secrets)).to.equal('*** ***');
    }
    expect(redact('a ** b', ['**', '*'])).to.equal('a *** b');
  });

  it('hides percent-encoded ones with either case of their digits', () => {
    expect(redact('x=p%c3%a9-%2f x=p%C3%A9-%2F', [encodeURIComponent('pé-/')])).to.equal('x=*** x=***');
  });

  it('hides short ones too, where they stand alone', () => {
    for (const [text, shown] of [
      ['?access_token=any&x', '?access_token=***&x'],
      ['any', '***'],
      ['"any", (any) any.', '"***", (***) ***.'],
      ['many anybody a07e1anyx ÄanyÄ', 'many anybody a07e1anyx ÄanyÄ'],
    ] as const) {
      expect(redact(text, ['any'])).to.equal(shown);
    }
    expect(redact('é=1 née', ['é'])).to.equal('***=1 née');
  });
});

describe('a call that fails', () => {
  afterEach(closeServers);

  it('says in words that nothing listens there, and shows no query', async () => {
    const base = await closedPort();
    const error = await rejection(call(base, small));
    expect(error).to.include({ code: 'REQUEST_NOT_SENT', sent: 'no' });
    expect(error.message).to.equal(
      `POST ${base.href}ws/customers/joe/activities was not sent: connection refused; nothing listens there (ECONNREFUSED)`,
    );
  });

  it('on a port that fetch refuses says so', async () => {
    const error = await rejection(call(new URL('http://127.0.0.1:6000')));
    expect(error).to.include({ code: 'REQUEST_NOT_SENT', sent: 'no' });
    expect(error.message).to.include('use another');
  });

  it('because of a name that does not exist was not sent', async () => {
    const error = await rejection(call(new URL('http://no-such-host.localhost')));
    expect(error).to.include({ code: 'REQUEST_NOT_SENT', sent: 'no' });
  });

  it('at the TLS handshake was not sent', async () => {
    const plain = await tcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const error = await rejection(call(new URL(plain.href.replace('http:', 'https:'))));
    expect(error).to.include({ code: 'REQUEST_NOT_SENT', sent: 'no' });
    expect(error.message).to.include('TLS');
  });

  it('by a reset or a close after the request may have been sent', async () => {
    for (const end of ['resetAndDestroy', 'end'] as const) {
      const base = await tcpServer((socket) => {
        socket.once('data', () => {
          socket[end]();
        });
      });
      for (const body of [undefined, small]) {
        const error = await rejection(call(base, body));
        expect(error).to.include({ code: 'RESPONSE_LOST', sent: 'maybe' });
        expect(error.message).to.match(/got no answer: the (connection was reset|other side closed)/);
      }
    }
  });

  it('with what is not HTTP lost its answer', async () => {
    const base = await tcpServer((socket) =>
      socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')),
    );
    const error = await rejection(call(base));
    expect(error).to.include({ code: 'RESPONSE_LOST', sent: 'maybe' });
    expect(error.message).to.include('not HTTP');
  });

  it('in the midst of its answer lost it', async () => {
    const parts = {
      'content-length: 100\r\n': 'only this',
      'transfer-encoding: chunked\r\n': '5\r\nbegun\r\n',
    };
    for (const [header, body] of Object.entries(parts)) {
      for (const end of ['resetAndDestroy', 'end'] as const) {
        const base = await tcpServer((socket) => {
          socket.once('data', () => {
            socket.write(`HTTP/1.1 200 OK\r\n${header}\r\n${body}`, () => {
              setTimeout(() => {
                socket[end]();
              }, 3);
            });
          });
        });
        const response = await call(base);
        const error = await rejection(response.bytes());
        expect(error).to.include({ code: 'RESPONSE_LOST', sent: 'maybe' });
        expect(error.message).to.include('was answered in part');
      }
    }
  });

  it('is told by length alone, where fetch does not notice', async () => {
    const fetch = () => Promise.resolve(new Response('short', { headers: { 'content-length': '100' } }));
    const response = await call(new URL('https://api.constantcontact.com'), undefined, { fetch });
    expect((await rejection(response.bytes())).message).to.include('5 of 100 bytes came');
  });

  describe('at a timeout', () => {
    it('of the connection was not sent', async () => {
      // The agent's own timers tick once a second, hence an agent that is already late.
      const fetch = () =>
        Promise.reject(
          new TypeError('fetch failed', {
            cause: Object.assign(new Error('x'), { code: 'UND_ERR_CONNECT_TIMEOUT' }),
          }),
        );
      const error = await rejection(call(new URL('https://api.constantcontact.com'), small, { fetch }));
      expect(error).to.include({ code: 'TIMED_OUT', sent: 'no' });
    });

    it('of the answer may have been sent, with fetch and with an injected one that heeds no signal', async () => {
      const base = await tcpServer(() => undefined);
      const deaf = () => new Promise<Response>(() => undefined);
      for (const options of [{}, { fetch: deaf }]) {
        const error = await rejection(call(base, small, { ...options, timeouts: { headers: 20 } }));
        expect(error).to.include({ code: 'TIMED_OUT', sent: 'maybe' });
        expect(error.message).to.include('got no answer within 20 ms');
      }
    });

    it('of the answer’s body', async () => {
      const base = await tcpServer((socket) => {
        socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegun'));
      });
      const deaf = () =>
        Promise.resolve(new Response(new ReadableStream({ pull: () => new Promise(() => undefined) })));
      for (const options of [{}, { fetch: deaf }]) {
        const response = await call(base, undefined, { ...options, timeouts: { bodyIdle: 20 } });
        const error = await rejection(response.bytes());
        expect(error).to.include({ code: 'TIMED_OUT', sent: 'maybe' });
        expect(error.message).to.include('nothing more came for 20 ms');
      }
    });

    it('in total, before the answer, in it, and over redirects', async () => {
      const base = await httpServer((request, response) => {
        if (request.url?.startsWith('/ws/drip') === true) {
          response.write('x');
          const drip = setInterval(() => response.write('x'), 2);
          response.on('close', () => {
            clearInterval(drip);
          });
        } else if (request.url?.startsWith('/ws/redirect') === true) {
          response.writeHead(302, { location: '/ws/never' }).end();
        }
      });
      const transport = createTransport({ base, timeouts: { total: 250 } });
      for (const path of ['/ws/never', '/ws/redirect', '/ws/drip']) {
        const error = await rejection(
          transport({ method: 'GET', url: new URL(path, base) }).then((response) => response.bytes()),
        );
        expect(error, path).to.include({ code: 'TIMED_OUT', sent: 'maybe' });
        expect(error.message).to.include('took longer than 250 ms');
      }
    });

    it('does not count an upload that goes on, nor a reader’s own time', async () => {
      const running = new Map<object, number>();
      const { setTimeout: start, clearTimeout: stop } = globalThis;
      globalThis.setTimeout = ((_: () => void, milliseconds: number) => {
        const handle = { unref: () => handle };
        running.set(handle, milliseconds);
        return handle;
      }) as unknown as typeof setTimeout;
      globalThis.clearTimeout = ((handle: object) =>
        running.delete(handle)) as unknown as typeof clearTimeout;
      try {
        const seen: { handle: object | undefined; ms: number | undefined }[] = [];
        const look = () => {
          const [entry] = running;
          expect(running.size).to.be.at.most(1);
          seen.push({ handle: entry?.[0], ms: entry?.[1] });
        };
        const fetch = (async (_: unknown, init: RequestInit) => {
          for await (const chunk of init.body as unknown as AsyncIterable<Uint8Array>) {
            expect(chunk).to.have.length(40_000);
            look();
          }
          return new Response('answer');
        }) as typeof globalThis.fetch;
        const chunk = new Uint8Array(40_000);
        const body: RequestBody = {
          contentType: 'text/csv',
          length: 80_000,
          replayable: true,
          async *open() {
            yield chunk;
            await Promise.resolve();
            yield chunk;
          },
        };
        const response = await call(new URL('https://api.constantcontact.com'), body, {
          fetch,
          timeouts: { headers: 111, bodyIdle: 222 },
        });
        look();
        for await (const part of response.body) {
          expect(part).to.have.length(6);
          look();
        }
        look();
        expect(seen.map(({ ms }) => ms)).to.deep.equal([111, 111, undefined, undefined, undefined]);
        expect(seen[0]?.handle).not.to.equal(seen[1]?.handle);
      } finally {
        globalThis.setTimeout = start;
        globalThis.clearTimeout = stop;
      }
    });
  });

  describe('because it was aborted', () => {
    it('before it began was not sent, and its body was not opened', async () => {
      const { body, counts } = largeBody();
      const fetch = () => Promise.reject(new Error('fetch was called'));
      const error = await rejection(
        call(new URL('https://api.constantcontact.com'), body, {
          fetch,
          signal: AbortSignal.abort('tok-5d0aa81c'),
        }),
      );
      expect(error).to.include({ code: 'ABORTED', sent: 'no' });
      expect(counts.opened).to.equal(0);
    });

    it('while a small body was gathered was not sent, and the body is let go', async () => {
      const controller = new AbortController();
      const source = new Readable({ read: () => undefined });
      const body: RequestBody = { contentType: 'text/csv', length: 5, replayable: false, open: () => source };
      const fetch = () => Promise.reject(new Error('fetch was called'));
      setTimeout(() => {
        controller.abort();
      });
      const error = await rejection(
        call(new URL('https://api.constantcontact.com'), body, { fetch, signal: controller.signal }),
      );
      expect(error).to.include({ code: 'ABORTED', sent: 'no' });
      expect(source.destroyed).to.equal(true);
    });

    it('while it was sent may have been, and the body is let go', async () => {
      const controller = new AbortController();
      const base = await httpServer((request) => {
        request.once('data', () => {
          controller.abort();
        });
      });
      const { body, counts } = largeBody();
      const error = await rejection(call(base, body, { signal: controller.signal }));
      expect(error).to.include({ code: 'ABORTED', sent: 'maybe' });
      await soon();
      expect(counts).to.deep.equal({ opened: 1, released: 1 });
    });

    it('in its answer, by a fetch that heeds signals and by one that does not', async () => {
      const base = await httpServer((_, response) => {
        response.write('begun');
      });
      const deaf = () =>
        Promise.resolve(
          new Response(
            new ReadableStream({
              start: (controller) => {
                controller.enqueue(new Uint8Array(5));
              },
            }),
          ),
        );
      for (const options of [{}, { fetch: deaf }]) {
        const controller = new AbortController();
        const response = await call(base, undefined, { ...options, signal: controller.signal });
        const error = await rejection(
          (async () => {
            for await (const chunk of response.body) {
              expect(chunk).to.have.length(5);
              controller.abort();
            }
          })(),
        );
        expect(error).to.include({ code: 'ABORTED', sent: 'maybe' });
      }
    });

    it('and answered too late, lets go of that answer', async () => {
      const controller = new AbortController();
      let cancelled = 0;
      let answer: (response: Response) => void = () => undefined;
      const deaf = () =>
        new Promise<Response>((resolve) => {
          answer = resolve;
        });
      const failed = rejection(
        call(new URL('https://api.constantcontact.com'), undefined, {
          fetch: deaf,
          signal: controller.signal,
        }),
      );
      await soon();
      controller.abort();
      expect((await failed).code).to.equal('ABORTED');
      answer(
        new Response(
          new ReadableStream({
            cancel: () => {
              cancelled++;
            },
          }),
        ),
      );
      await soon();
      expect(cancelled).to.equal(1);
    });
  });

  describe('because of its body', () => {
    const received: number[] = [];

    async function counting(): Promise<URL> {
      received.length = 0;
      return httpServer((request, response) => {
        let count = 0;
        request.on('data', (chunk: Buffer) => (count += chunk.length));
        request.on('end', () => {
          received.push(count);
          response.end();
        });
      });
    }

    it('which is not as long as announced, never reaches the service whole', async () => {
      const base = await counting();
      const size = 70_000;
      const ofChunks = (length: number | undefined, ...chunks: number[]): RequestBody => ({
        contentType: 'text/csv',
        length,
        replayable: true,
        async *open() {
          await Promise.resolve();
          for (const chunk of chunks) yield new Uint8Array(chunk);
        },
      });
      for (const body of [
        ofChunks(10, 9),
        ofChunks(10, 11),
        ofChunks(10, 10, 1),
        ofChunks(0, 1),
        ofChunks(size, size - 1),
        ofChunks(size, size + 1),
        ofChunks(size, size, 1),
        ofChunks(size, 1, size),
      ]) {
        const error = await rejection(call(base, body));
        expect(error).to.include({ code: 'REQUEST_NOT_SENT', sent: 'no' });
        expect(error.message).to.include('announced');
      }
      await (await call(base, ofChunks(size, 0, size - 1, 0, 1, 0))).bytes();
      expect(received).to.deep.equal([size]);
    });

    it('whose source fails, tells what the source said', async () => {
      const base = await counting();
      const own = new UsageError('FILE_CHANGED', 'contacts.csv changed while it was being sent');
      for (const length of [10, 100_000, undefined]) {
        for (const failure of [own, new Error('disk on fire')]) {
          const body: RequestBody = {
            contentType: 'text/csv',
            length,
            replayable: true,
            async *open() {
              yield new Uint8Array(5);
              await Promise.resolve();
              throw failure;
            },
          };
          const error = await rejection(call(base, body));
          if (failure === own) expect(error).to.equal(own);
          else {
            expect(error).to.include({ code: 'REQUEST_NOT_SENT', sent: 'no' });
            expect(error.message).to.include('disk on fire');
          }
        }
      }
      expect(received).to.deep.equal([]);
    });

    it('is let go after success and after failure alike', async () => {
      const base = await counting();
      const good = largeBody();
      await (await call(base, good.body)).bytes();
      expect(good.counts).to.deep.equal({ opened: 1, released: 1 });

      const resetting = await tcpServer((socket) => {
        socket.once('data', () => {
          socket.resetAndDestroy();
        });
      });
      const bad = largeBody();
      await rejection(call(resetting, bad.body));
      await soon();
      expect(bad.counts).to.deep.equal({ opened: 1, released: 1 });
    });
  });

  for (const manner of ['reads on', 'closes', 'resets'] as const) {
    it(`early, by a server that ${manner}, is reported with the status and the reason`, async () => {
      for (const status of [413, 401, 413, 401]) {
        const base = await tcpServer((socket) => {
          socket.once('data', () => {
            const answer = `HTTP/1.1 ${status} No\r\ncontent-length: 6\r\nconnection: close\r\n\r\nreason`;
            if (manner !== 'reads on') socket.pause();
            if (manner === 'resets') socket.write(answer, () => socket.resetAndDestroy());
            else if (manner === 'closes') socket.write(answer, () => socket.destroy());
            else socket.end(answer);
          });
        });
        const { body, counts } = largeBody(65_536, 200);
        const response = await call(base, body);
        expect(response.status).to.equal(status);
        expect(await textOf(response)).to.equal('reason');
        await soon();
        expect(counts).to.deep.equal({ opened: 1, released: 1 });
      }
    });
  }

  it('with an answer that cannot be read, is an error of the family all the same', async () => {
    const shared = new Response('one response for every call');
    const fetch = () => Promise.resolve(shared);
    const base = new URL('https://api.constantcontact.com');
    await (await call(base, undefined, { fetch })).bytes();
    expect((await rejection(call(base, undefined, { fetch }))).code).to.equal('RESPONSE_LOST');
  });
});

describe('redact, of a secret with a percent sign', () => {
  it('finds it as it is written, whatever the case of its digits', () => {
    for (const secret of ['%Aa+x', '%aA+x', 'p%2fQ']) {
      expect(redact(`at ${secret} here`, [secret])).to.equal('at *** here');
      expect(redact(`at ${secret.replace(/%../, (code) => code.toLowerCase())} here`, [secret])).to.equal(
        'at *** here',
      );
    }
  });
});
