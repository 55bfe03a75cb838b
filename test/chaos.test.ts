import { openSync, closeSync } from 'node:fs';
import { expect } from 'chai';
import type { Activity } from '../src/activity/activity.js';
import { UsageError } from '../src/activity/errors.js';
import type { ActivityService } from '../src/activity/service.js';
import { WsClient, type WsClientOptions } from '../src/ws/client.js';
import { runCampaign, type CampaignOptions } from './chaos/campaign.js';
import { FAULT_NAMES } from './chaos/faults.js';
import { describeCampaign } from './chaos/report.js';
import type { Breach, MakeClient } from './chaos/stage.js';

/** What a story is narrowed to, so that a fault of the client shows soon. */
type Narrowed = Pick<CampaignOptions, 'faults' | 'operations'>;

describe('the chaos campaign', function () {
  this.timeout(120_000);

  it('breaks no promise in a short run', async () => {
    const campaign = await runCampaign({ runs: 60, seed: 1 });
    const text = describeCampaign(campaign, 1, 0);
    expect(campaign.violations, text).to.deep.equal([]);
    expect(campaign.runs).to.equal(60);
    // Faults befell it, and yet things were done.
    const injected = [...campaign.faults.values()].reduce((sum, fault) => sum + fault.injected, 0);
    expect(injected).to.be.greaterThan(100);
    const done = [...campaign.byOperation.values()].reduce((sum, endings) => sum + endings.done, 0);
    expect(done).to.be.greaterThan(15);
    for (const name of FAULT_NAMES) expect(text).to.include(name);
  });

  describe('notices a client that', () => {
    /** The client as it is, but for what is changed. */
    const changed =
      (change: (client: WsClient, options: WsClientOptions) => Partial<ActivityService>): MakeClient =>
      (options) => {
        const client = new WsClient(options);
        const whole: ActivityService = {
          create: (request, call) => client.create(request, call),
          get: (id, call) => client.get(id, call),
          list: (call) => client.list(call),
          lists: (call) => client.lists(call),
          download: (activity, call) => client.download(activity, call),
        };
        return { ...whole, ...change(client, options) };
      };
    const madeUp = { id: 'a07e1', status: 'COMPLETE' } as Activity;

    const broken: Readonly<Record<string, readonly [Breach, Narrowed, MakeClient]>> = {
      'sends a creation again when it fails': [
        'duplicate',
        { faults: ['answer lost'], operations: ['export', 'clear'] },
        changed((_, options) => {
          const naive = new WsClient({ ...options, reconcile: false });
          return {
            create: (request, call) => naive.create(request, call).catch(() => naive.create(request, call)),
          };
        }),
      ],
      'sends it again without waiting for one that arrives late': [
        'duplicate',
        { faults: ['arrives late'], operations: ['export', 'remove'] },
        (options) => new WsClient({ ...options, reconcile: { quietPeriod: 0, repeatUploads: true } }),
      ],
      'takes no answer for a yes': [
        'falsely done',
        { faults: ['early close'], operations: ['export', 'clear'] },
        changed((client) => ({
          create: (request, call) => client.create(request, call).catch(() => madeUp),
        })),
      ],
      'takes no answer for a no': [
        'loss',
        { faults: ['arrives late', 'answer lost'], operations: ['clear'] },
        changed((client) => ({
          create: (request, call) =>
            client.create(request, call).catch(() => {
              throw new UsageError('OPTION_INVALID', 'no');
            }),
        })),
      ],
      'tells of a job that it is done before it is': [
        'falsely done',
        { operations: ['export and download'] },
        changed((client) => ({
          get: async (id, call) => ({ ...(await client.get(id, call)), status: 'COMPLETE' }),
        })),
      ],
      'ends a list where it breaks off': [
        'loss',
        { faults: ['damaged document', 'login page'], operations: ['list'] },
        changed((client) => ({
          async *list(call) {
            try {
              yield* client.list(call);
            } catch {
              return;
            }
          },
        })),
      ],
      'does not know how long a file is': [
        'damaged',
        { faults: ['truncate', 'reset in the answer'], operations: ['download'] },
        changed((client) => ({
          async download(activity, call) {
            const download = await client.download(activity, call);
            const body = untilItBreaks(download.body);
            return { ...download, length: undefined, validator: undefined, body };
          },
        })),
      ],
      'lets errors through that are none of the family': [
        'unknown error',
        { operations: ['get'] },
        changed((client) => ({
          get: (id, call) =>
            client.get(id, call).catch((error: unknown) => {
              throw new TypeError('fetch failed', { cause: error });
            }),
        })),
      ],
      'tells secrets': [
        'secret told',
        { operations: ['get'] },
        changed((client, { credentials }) => ({
          get: (id, call) =>
            client.get(id, call).catch((error: unknown) => {
              const secret =
                credentials.scheme === 'basic' ? credentials.password : JSON.stringify(credentials);
              throw new UsageError('OPTION_INVALID', 'no', { cause: new Error(secret, { cause: error }) });
            }),
        })),
      ],
      'leaves files open': [
        'leak',
        { operations: ['export'] },
        changed((client) => ({
          create: (request, call) => {
            left.push(openSync('/dev/null', 'r'));
            return client.create(request, call);
          },
        })),
      ],
      'leaves rejections unhandled': [
        'unhandled',
        { operations: ['get'] },
        changed((client) => ({
          get: (id, call) => {
            void Promise.reject(new Error('nobody cares'));
            return client.get(id, call);
          },
        })),
      ],
    };

    const left: number[] = [];
    afterEach(() => left.splice(0).forEach((descriptor) => closeSync(descriptor)));

    for (const [what, [breach, narrowed, makeClient]] of Object.entries(broken)) {
      it(what, async () => {
        for (let seed = 1; seed < 200; seed += 4) {
          const { violations } = await runCampaign({ runs: 4, seed, makeClient, ...narrowed });
          if (violations.some((violation) => violation.breach === breach)) return;
        }
        expect.fail('nothing was noticed in 200 runs');
      });
    }
  });
});

async function* untilItBreaks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch {
    return;
  }
}
