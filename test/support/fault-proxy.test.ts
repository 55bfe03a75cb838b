import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Agent, request as httpRequest } from 'node:http';
import { expect } from 'chai';
import { createFaultProxy, type FaultProxy } from './fault-proxy.js';
import { ANSWERS, type AnswerName, type Fault } from './faults.js';

const BODY = '<feed>' + '<entry>a07e1</entry>'.repeat(200) + '</feed>';

/** What the service behind the proxy saw of one request. */
interface Seen {
  readonly method: string;
  readonly body: string;
  /** False when the connection broke before the whole request was there. */
  readonly complete: boolean;
}

describe('createFaultProxy', () => {
  let service: Server;
  let seen: Seen[];
  let proxy: FaultProxy | undefined;
  let agent: Agent;

  beforeEach(async () => {
    seen = [];
    agent = new Agent({ keepAlive: true });
    service = createServer((request, response) => {
      void bodyOf(request).then(({ body, complete }) => {
        seen.push({ method: request.method ?? '', body, complete });
        response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-length': String(BODY.length) });
        response.end(BODY);
      });
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    agent.destroy();
    await proxy?.close();
    proxy = undefined;
    service.closeAllConnections();
    await new Promise((resolve) => service.close(resolve));
  });

  async function behind(...faults: Fault[]): Promise<FaultProxy> {
    const { port } = service.address() as AddressInfo;
    proxy = await createFaultProxy(
      `http://127.0.0.1:${port}`,
      ({ index }) => faults[index] ?? { kind: 'none' },
    );
    return proxy;
  }

  interface Outcome {
    readonly status?: number;
    readonly body: string;
    /** `complete`, or the code the connection failed with. */
    readonly end: string;
    readonly milliseconds: number;
  }

  /** One request by node:http, which hides nothing; given up after `patience` milliseconds. */
  function call(upload?: string, patience = 5000): Promise<Outcome> {
    const start = performance.now();
    return new Promise((resolve) => {
      let status: number | undefined;
      let body = '';
      const done = (end: string) => {
        clearTimeout(timer);
        resolve({
          ...(status !== undefined && { status }),
          body,
          end,
          milliseconds: performance.now() - start,
        });
      };
      const request = httpRequest(`${proxy?.url ?? ''}/ws/x?access_token=t`, {
        agent,
        method: upload === undefined ? 'GET' : 'POST',
        ...(upload !== undefined && { headers: { 'content-length': String(upload.length) } }),
      });
      const timer = setTimeout(() => {
        done('silence');
        request.destroy();
      }, patience);
      request.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
      request.on('response', (response) => {
        status = response.statusCode;
        response.setEncoding('latin1');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('end', () => done('complete'));
        response.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
      });
      request.end(upload);
    });
  }

  const upload = 'Email Address\n' + 'ann@example.com\n'.repeat(2000);

  it('passes everything on unchanged, and keeps connections', async () => {
    const { exchanges } = await behind();
    for (const body of [undefined, upload, undefined]) {
      const outcome = await call(body);
      expect(outcome).to.include({ end: 'complete', body: BODY, status: body === undefined ? 200 : 201 });
    }
    expect(seen.map(({ body }) => body)).to.deep.equal(['', upload, '']);
    expect(exchanges.map(({ method, path, fresh }) => [method, path, fresh])).to.deep.equal([
      ['GET', '/ws/x', true],
      ['POST', '/ws/x', false],
      ['GET', '/ws/x', false],
    ]);
  });

  it('passes on large bodies whole, whoever is slow', async () => {
    const large = createHash('sha256').update('x').digest('hex').repeat(60_000);
    await behind();
    expect((await call(large)).end).to.equal('complete');
    expect(seen[0]?.body === large).to.equal(true);
  });

  it('latency: the answer comes later, whole', async () => {
    await behind({ kind: 'latency', milliseconds: 30 });
    const outcome = await call();
    expect(outcome).to.include({ end: 'complete', body: BODY });
    expect(outcome.milliseconds).to.be.greaterThan(25);
  });

  it('slices: the answer comes in pieces, whole', async () => {
    await behind({ kind: 'slices', bytes: 500, milliseconds: 1 });
    expect(await call()).to.include({ end: 'complete', body: BODY });
  });

  it('stall: of the request, the service never has all of it; of the answer, nothing comes behind that point', async () => {
    await behind(
      { kind: 'stall', side: 'request', at: { share: 0.5 } },
      { kind: 'stall', side: 'answer', at: { bytes: 500 } },
    );
    expect((await call(upload, 100)).end).to.equal('silence');
    const second = await call(undefined, 300);
    expect(second).to.include({ end: 'silence', status: 200 });
    expect(second.body.length).to.be.within(1, 499);
    await proxy?.close();
    expect(seen.map(({ method }) => method)).to.deep.equal(['GET']);
  });

  it('reset: a real RST, in either direction', async () => {
    await behind(
      { kind: 'reset', side: 'request', at: { share: 0.5 } },
      { kind: 'reset', side: 'answer', at: { share: 0.5 } },
      { kind: 'reset', side: 'answer', at: { bytes: 0 } },
    );
    expect(await call(upload)).to.include({ end: 'ECONNRESET', body: '' });
    const cut = await call();
    expect(cut.end).to.equal('ECONNRESET');
    expect(cut.body.length).to.be.lessThan(BODY.length);
    expect(await call()).to.include({ end: 'ECONNRESET', body: '' });
    // The first request did not arrive whole, the others were done.
    expect(seen.filter(({ complete }) => complete).map(({ method }) => method)).to.deep.equal(['GET', 'GET']);
  });

  it('truncate: what came is followed by a plain end', async () => {
    await behind({ kind: 'truncate', at: { bytes: 600 } });
    const { port } = new URL(proxy?.url ?? '');
    const socket = connect(Number(port), '127.0.0.1');
    socket.end('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).to.have.length(600);
  });

  it('early-close and black-hole: the service hears nothing', async () => {
    await behind({ kind: 'early-close' }, { kind: 'black-hole' });
    expect((await call(upload)).end).to.match(/ECONNRESET|EPIPE/);
    expect((await call(upload, 100)).end).to.equal('silence');
    expect(seen).to.deep.equal([]);
  });

  it('half-close: the answer still comes back', async () => {
    await behind({ kind: 'half-close' });
    expect(await call(upload)).to.include({ end: 'complete', body: BODY });
    expect(seen.map(({ body }) => body)).to.deep.equal([upload]);
  });

  it('duplicate: bytes come twice, and the end is missing for it', async () => {
    await behind(
      { kind: 'duplicate', at: { share: 0.3 }, bytes: 32 },
      { kind: 'duplicate', at: { share: 1 }, bytes: 32 },
    );
    for (const at of [Math.floor(0.3 * BODY.length), BODY.length - 64]) {
      const { body, end } = await call();
      expect(end).to.equal('complete');
      expect(body).to.have.length(BODY.length);
      expect(body.slice(at, at + 32)).to.equal(body.slice(at + 32, at + 64));
      expect(body.endsWith('</feed>')).to.equal(false);
    }
  });

  it('corrupt: one byte is NUL, in the body or in the head', async () => {
    await behind(
      { kind: 'corrupt', where: 'body', at: { share: 0.999 } },
      { kind: 'corrupt', where: 'head', at: { share: 0.7 } },
    );
    const { body } = await call();
    expect([...body].filter((character, index) => character !== BODY[index])).to.deep.equal(['\0']);
    expect((await call()).end).to.match(/^HPE_/);
  });

  it('answer: the proxy says it, and the service hears nothing', async () => {
    const names = Object.keys(ANSWERS) as AnswerName[];
    await behind(...names.map((answer) => ({ kind: 'answer', answer }) as const));
    for (const name of names) {
      const outcome = await call(name === 'too-many' ? upload : undefined);
      expect(outcome).to.include({ end: 'complete', body: ANSWERS[name].body });
      expect(ANSWERS[name].status).to.match(new RegExp(`^${outcome.status ?? 0} `));
    }
    expect(seen).to.deep.equal([]);
  });

  it('lost-answer: the service did it, and the client cannot know', async () => {
    await behind(
      { kind: 'lost-answer', ending: 'reset' },
      { kind: 'lost-answer', ending: 'close' },
      { kind: 'lost-answer', ending: 'stall' },
      { kind: 'lost-answer', ending: 'bad-gateway' },
    );
    const ends: unknown[] = [];
    for (let index = 0; index < 4; index++) {
      const { end, status } = await call(upload, index === 2 ? 300 : 5000);
      ends.push(status ?? end);
    }
    expect(ends).to.deep.equal(['ECONNRESET', 'ECONNRESET', 'silence', 502]);
    expect(seen.map(({ body, complete }) => complete && body === upload)).to.deep.equal([
      true,
      true,
      true,
      true,
    ]);
  });

  it('late: the request arrives when it is let go, though the client has left', async () => {
    let deliver: (() => Promise<void>) | undefined;
    await behind({ kind: 'late', schedule: (go) => (deliver = go) });
    expect((await call(upload, 100)).end).to.equal('silence');
    expect(seen).to.deep.equal([]);
    await deliver?.();
    expect(seen.map(({ body }) => body)).to.deep.equal([upload]);
  });

  it('down refuses connections until it is up again', async () => {
    const faulty = await behind();
    await faulty.down();
    expect((await call()).end).to.equal('ECONNREFUSED');
    await faulty.up();
    expect((await call()).end).to.equal('complete');
  });

  it('leaves no connection behind', async () => {
    const faulty = await behind(
      { kind: 'stall', side: 'answer', at: { bytes: 10 } },
      { kind: 'black-hole' },
      { kind: 'none' },
      { kind: 'lost-answer', ending: 'stall' },
    );
    await Promise.all([call(undefined, 100), call(upload, 100), call(undefined, 100), call(upload, 100)]);
    agent.destroy();
    await faulty.close();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(faulty.connections).to.equal(0);
  });
});

async function bodyOf(request: IncomingMessage): Promise<{ body: string; complete: boolean }> {
  let body = '';
  try {
    for await (const chunk of request) body += String(chunk);
  } catch {
    return { body, complete: false };
  }
  return { body, complete: request.complete };
}
