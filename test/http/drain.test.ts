import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { serve } from '../../src/http/serve.js';

/** A handler that answers when it is told to. */
function held() {
  let go: () => void = () => undefined;
  let arrive: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const handler = () =>
    new Promise<Response>((resolve) => {
      go = () => {
        resolve(new Response('done'));
      };
      arrive();
    });
  return {
    handler,
    arrived,
    go: () => {
      go();
    },
  };
}

const status = (url: string, agent: Agent) =>
  new Promise<number | undefined>((resolve, reject) => {
    get(url, { agent }, (answer) => {
      answer.resume().on('end', () => {
        resolve(answer.statusCode);
      });
    }).on('error', reject);
  });

describe('a server that is drained', () => {
  it('takes nothing new, and ends when the last answer is out', async () => {
    const { handler, arrived, go } = held();
    const server = await serve(handler);
    const agent = new Agent({ keepAlive: true });
    const first = status(server.url, agent);
    await arrived;
    let over = false;
    const drained = server.drain(60_000).then(() => {
      over = true;
    });
    expect(await fetch(server.url).catch((error: unknown) => error)).to.be.instanceOf(TypeError);
    expect(over).to.equal(false);
    go();
    expect(await first).to.equal(200);
    // The connection is kept alive by the client, which is no reason to wait for it.
    await drained;
    await Promise.all([server.close(), server.drain(10)]);
    agent.destroy();
  });

  it('ends what takes too long', async () => {
    const { handler, arrived } = held();
    const server = await serve(handler);
    const call = fetch(server.url).catch((error: unknown) => error);
    await arrived;
    await server.drain(5);
    expect(await call).to.be.instanceOf(TypeError);
  });
});

describe('a server that takes so many connections', () => {
  it('drops those beyond', async () => {
    const { handler, arrived, go } = held();
    const server = await serve(handler, { maxConnections: 1 });
    const agent = new Agent();
    const first = status(server.url, agent);
    await arrived;
    expect(await status(server.url, agent).catch((error: unknown) => error)).to.be.instanceOf(Error);
    go();
    expect(await first).to.equal(200);
    await server.close();
  });
});

describe('a certificate that is renewed', () => {
  const read = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
  const tls = { cert: read('cert'), key: read('key') };

  it('must fit its key; else the one from before stays', async () => {
    const server = await serve(() => Promise.resolve(new Response('')), { tls });
    try {
      server.renew(tls);
      expect(() => {
        server.renew({ cert: tls.cert, key: 'no key' });
      }).to.throw('the certificate and the key must be PEM');
    } finally {
      await server.close();
    }
  });

  it('is nothing to a server without one', async () => {
    const server = await serve(() => Promise.resolve(new Response('plain')));
    server.renew(tls);
    expect(await (await fetch(server.url)).text()).to.equal('plain');
    await server.close();
  });
});
