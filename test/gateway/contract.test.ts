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
