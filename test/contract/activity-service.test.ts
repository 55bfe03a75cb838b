import { createEmulator } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { V2Client, type V2ClientOptions } from '../../src/v2/client.js';
import { v2Server } from '../../src/v2/server.js';
import { WsClient, type WsClientOptions } from '../../src/ws/client.js';
import { wsServer } from '../../src/ws/server.js';
import { describeActivityService, type Deviations } from './activity-service.js';

const SEED = {
  user: 'joesflowers',
  lists: [
    { id: '1', name: 'General Interest' },
    { id: '2', name: 'Roses' },
  ],
};

function makeEmulator() {
  const clock = createVirtualClock({ now: '2011-03-01T12:00:00.000Z' });
  return { clock, emulator: createEmulator({ accounts: [SEED], clock, seed: 1 }) };
}

function makeClient(options: Partial<WsClientOptions>): WsClient {
  return new WsClient({
    user: 'joesflowers',
    credentials: { scheme: 'basic', apiKey: 'key', user: 'joesflowers', password: 'password' },
    ...options,
  });
}

/** All jobs have ended by then, the latencies of a job being seconds. */
const ONE_DAY = 24 * 60 * 60 * 1000;

describeActivityService('EmulatedAccount', () => {
  const { clock, emulator } = makeEmulator();
  const service = emulator.account('joesflowers');
  if (service === undefined) throw new Error('the emulator has no account');
  return Promise.resolve({
    service,
    settle: async () => clock.advance(ONE_DAY),
    dispose: () => emulator.close(),
  });
});

for (const encoding of ['form', 'multipart'] as const) {
  describeActivityService(`WsClient (${encoding}) over the emulator’s fetch`, () => {
    const { clock, emulator } = makeEmulator();
    return Promise.resolve({
      service: makeClient({
        fetch: (input, init) => emulator.fetch(new Request(input, init)),
        encoding,
      }),
      settle: async () => clock.advance(ONE_DAY),
      dispose: () => emulator.close(),
    });
  });
}

describeActivityService('WsClient over a server over a WsClient over the emulator', () => {
  const { clock, emulator } = makeEmulator();
  const inner = makeClient({ fetch: emulator.fetch });
  const outer = wsServer({ account: () => inner });
  return Promise.resolve({
    service: makeClient({ fetch: (input, init) => outer(new Request(input, init)) }),
    settle: async () => clock.advance(ONE_DAY),
    dispose: () => emulator.close(),
  });
});

describeActivityService('WsClient over a socket', async () => {
  const { clock, emulator } = makeEmulator();
  const { url } = await emulator.listen();
  return {
    service: makeClient({ baseUrl: url }),
    settle: async () => clock.advance(ONE_DAY),
    dispose: () => emulator.close(),
  };
});

const V2_DEVIATIONS: Partial<Deviations> = {
  noErrorAddress: true,
  oneAddType: true,
  noStateProvince: true,
  noTxt: true,
  mostListed: 50,
};

function makeV2Client(options: Partial<V2ClientOptions>): V2Client {
  return new V2Client({ credentials: { scheme: 'api_key', apiKey: 'key', token: 'token' }, ...options });
}

for (const encoding of ['json', 'multipart'] as const) {
  describeActivityService(`V2Client (${encoding}) over the emulator’s fetch`, () => {
    const { clock, emulator } = makeEmulator();
    return Promise.resolve({
      service: makeV2Client({ fetch: emulator.fetch, encoding, clock }),
      deviations: V2_DEVIATIONS,
      settle: async () => clock.advance(ONE_DAY),
      dispose: () => emulator.close(),
    });
  });
}

describeActivityService('V2Client over a server over a V2Client over the emulator', () => {
  const { clock, emulator } = makeEmulator();
  const inner = makeV2Client({ fetch: emulator.fetch, clock });
  const outer = v2Server({ account: () => inner, now: () => clock.now() });
  return Promise.resolve({
    service: makeV2Client({ fetch: (input, init) => outer(new Request(input, init)), clock }),
    deviations: V2_DEVIATIONS,
    settle: async () => clock.advance(ONE_DAY),
    dispose: () => emulator.close(),
  });
});

describeActivityService('V2Client over a socket', async () => {
  const { clock, emulator } = makeEmulator();
  const { url } = await emulator.listen();
  return {
    service: makeV2Client({ baseUrl: url, clock }),
    deviations: V2_DEVIATIONS,
    settle: async () => clock.advance(ONE_DAY),
    dispose: () => emulator.close(),
  };
});
