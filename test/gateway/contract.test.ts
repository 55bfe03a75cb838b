import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isFinished } from '../../src/activity/activity.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { accountsOf } from '../../src/gateway/accounts.js';
import { Pace } from '../../src/gateway/pace.js';
import { RunningGateway } from '../../src/gateway/running.js';
import { memoryStore } from '../../src/store/memory.js';
import { WsClient } from '../../src/ws/client.js';
import { describeActivityService } from '../contract/activity-service.js';
import { gateway, USER } from './sides.js';

const SEED = {
  user: USER,
  credentials: { apiKey: 'key', password: 'secret', accessToken: 't0ken' },
  lists: [
    { id: '1', name: 'General Interest' },
    { id: '2', name: 'Roses' },
  ],
};

for (const encoding of ['form', 'multipart'] as const) {
  describeActivityService(`WsClient (${encoding}) over the gateway before v2`, async () => {
    const side = await gateway(SEED);
    return {
      service: new WsClient({
        user: USER,
        credentials: { scheme: 'basic', apiKey: 'key', user: USER, password: 'secret' },
        fetch: (input, init) => side.fetch(new Request(input, init)),
        encoding,
      }),
      deviations: { anyState: true },
      settle: () => side.settle(),
      dispose: () => side.close(),
    };
  });
}

const MOST_STEPS = 2_000;

describeActivityService('GatewayAccount before v2', async () => {
  // It stands still but for leaps, whereby each that sleeps wakes in its turn.
  const clock = createVirtualClock({ now: '2011-03-01T12:00:00.000Z' });
  const emulator = createEmulator({ clock, accounts: [SEED] });
  const folder = await mkdtemp(path.join(tmpdir(), 'ctct-gateway-'));
  const store = memoryStore();
  const user = { user: USER, apiKey: 'key', accessToken: 't0ken' };
  const running = await RunningGateway.begin(
    {
      store,
      folder,
      accounts: accountsOf([{ account: user, signIn: { basic: { password: 'secret' } } }]),
      fetch: emulator.fetch,
    },
    {
      clock,
      random: Math.random,
      tell: () => undefined,
      lock: await store.lockRun('gateway'),
      pace: new Pace(),
    },
  );
  const service = running.account(user);
  return {
    service,
    deviations: { anyState: true },
    async settle() {
      for (let step = 0; step < MOST_STEPS; step++) {
        await clock.advance(5_000);
        // What is written to the disk needs a moment that no virtual clock can give.
        await new Promise((resolve) => setTimeout(resolve, 1));
        const activities = [];
        for await (const activity of service.list()) activities.push(activity);
        if (activities.every(isFinished)) return;
      }
      throw new Error('activities are under way for hours');
    },
    async dispose() {
      await running.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
