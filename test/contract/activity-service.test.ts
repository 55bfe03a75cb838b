import { createEmulator } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { WsClient, type WsClientOptions } from '../../src/ws/client.js';
import { wsServer } from '../../src/ws/server.js';
import { describeActivityService } from './activity-service.js';

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
