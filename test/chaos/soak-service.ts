import { createEmulator } from '../../src/emulator/emulator.js';
import { seededRandom } from '../../src/emulator/random.js';
import { createFaultProxy } from '../support/fault-proxy.js';
import { drawFault } from './faults.js';

/**
 * The service of a soak and the bad way to it, in a process of their own, since they remember all that was ever asked of
 * them: `soak-service.ts <seed>`. Tells where it listens.
 */
const random = seededRandom(Number(process.argv[2] ?? 1));
const emulator = createEmulator({
  accounts: [
    {
      user: 'joesflowers',
      lists: [
        {
          id: '1',
          name: 'General Interest',
          members: Array.from({ length: 500 }, (_, index) => `contact-${index}@example.com`),
        },
      ],
    },
  ],
  latency: { pending: 0, queued: 0, running: 0 },
});
const { url } = await emulator.listen();
const FAULTS = 0.05;
const proxy = await createFaultProxy(url, (exchange) => {
  if (random() >= FAULTS) return { kind: 'none' };
  const late = (deliver: () => Promise<void>) => void deliver().catch(() => undefined);
  return drawFault(exchange, { random, late })?.fault ?? { kind: 'none' };
});
process.stdout.write(proxy.url);
