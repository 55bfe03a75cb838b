import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ActivityRequest } from '../../src/activity/request.js';
import type { ActivityService } from '../../src/activity/service.js';
import { EmulatedAccount } from '../../src/emulator/account.js';
import { seededRandom, type Random } from '../../src/emulator/random.js';
import { secretsOf, type Credentials } from '../../src/http/credentials.js';
import { serve } from '../../src/http/serve.js';
import { openContactFile } from '../../src/upload/contact-file.js';
import type { Timeouts } from '../../src/http/transport.js';
import { WsClient, type WsClientOptions } from '../../src/ws/client.js';
import { wsServer } from '../../src/ws/server.js';
import { createFaultProxy, type Exchange, type FaultProxy } from '../support/fault-proxy.js';
import type { Fault } from '../support/faults.js';
import { createSkippingClock, type SkippingClock } from '../support/skipping-clock.js';
import { drawFault, integer, pick, type FaultName } from './faults.js';

/** What was done at the service, as the service itself tells it. */
export interface Creation {
  readonly id: string;
  readonly type: string;
  /** The list it works on: each operation of a story has a list of its own, and is known by it. */
  readonly list: string;
  /** The addresses that arrived, in order; undefined for jobs without contacts. */
  readonly addresses: readonly string[] | undefined;
}

/** What a campaign counts; each is a broken promise. */
export type Breach =
  | 'duplicate'
  | 'loss'
  | 'falsely done'
  | 'damaged'
  | 'half file'
  | 'unknown error'
  | 'secret told'
  | 'leak'
  | 'unhandled';

export interface Violation {
  readonly breach: Breach;
  readonly text: string;
}

/** An operation under way, and the faults that befell its requests. */
export interface Scene {
  readonly faults: FaultName[];
  /** Its caller was told that an activity may exist, and that nobody knows. */
  inDoubt: boolean;
}

/** Makes the client under test; tests of the campaign itself give one that is broken. */
export type MakeClient = (options: WsClientOptions) => ActivityService;

export interface StageOptions {
  readonly makeClient?: MakeClient | undefined;
  /** What may befall the story. Default everything. */
  readonly faults?: readonly FaultName[] | undefined;
}

/** Everything one story happens on: an account, a server, a proxy with faults, a client, a clock, a folder. */
export interface Stage {
  readonly seed: number;
  readonly random: Random;
  readonly clock: SkippingClock;
  readonly account: EmulatedAccount;
  readonly creations: readonly Creation[];
  readonly client: ActivityService;
  readonly proxy: FaultProxy;
  readonly folder: string;
  readonly secrets: readonly string[];
  readonly scenes: Set<Scene>;
  readonly violations: Violation[];
  /** Everything the client warned of. */
  readonly warnings: string[];
  /** From now on nothing is done to the requests, and answers may take their time. */
  calmDown(): void;
  close(): Promise<void>;
}

/** Members that every list of an operation begins with. */
export const MEMBERS = ['rose@example.com', 'iris@example.com', 'lily@example.com'] as const;

/** Lists that operations work on; list 1 is the large one that is exported beforehand. */
export const OPERATION_LISTS = ['2', '3', '4', '5', '6', '7', '8', '9'] as const;

/** A request that waits for an answer is given up after so long; real milliseconds, unlike everything else. */
const TIMEOUTS = { connect: 1_000, headers: 120, bodyIdle: 120 };
/** What is looked at in the end comes without faults, but from a machine that may be busy. */
const PATIENT = { connect: 10_000, headers: 10_000, bodyIdle: 10_000 };

const START = Date.parse('2011-03-01T12:00:00Z');
const ONE_DAY = 86_400_000;
/** How long a request may be held back at most: within the time a client looks for a lost creation. */
const LATEST = 100_000;

export async function setStage(seed: number, options: StageOptions = {}): Promise<Stage> {
  const { makeClient = (given) => new WsClient(given) } = options;
  const random = seededRandom(seed, 'story');
  const clock = createSkippingClock(START);
  const credentials = drawCredentials(random);
  const account = await populated(random, clock, credentials);
  const creations: Creation[] = [];
  const observed = observe(account, creations);
  const server = await serve(
    wsServer({
      account: (_, presented) => (account.admits(presented) ? observed : undefined),
      pageSize: integer(random, 3, 10),
      now: () => clock.now(),
    }),
  );
  const scenes = new Set<Scene>();
  const rate = pick(random, [0.1, 0.25, 0.5, 0.8]);
  const faultRandom = seededRandom(seed, 'faults');
  let calm = false;
  let burst: { name: FaultName; fault: Fault; left: number } | undefined;

  const plan = (exchange: Exchange): Fault => {
    if (calm) return { kind: 'none' };
    if (burst === undefined || burst.left === 0) {
      burst = undefined;
      // Creations are few among the calls, and most is at stake there.
      const likely = exchange.method === 'POST' ? Math.max(rate, 0.5) : rate;
      if (faultRandom() >= likely) return { kind: 'none' };
      const context = {
        random: faultRandom,
        late: (deliver: () => Promise<void>) => {
          const delay = integer(faultRandom, 1, pick(faultRandom, [25_000, LATEST]));
          clock.at(clock.now() + delay, () => deliver().catch(() => undefined));
        },
      };
      const drawn = drawFault(exchange, context, options.faults);
      if (drawn === undefined) return { kind: 'none' };
      const comesInBursts = drawn.fault.kind === 'answer' && faultRandom() < 0.5;
      burst = { ...drawn, left: comesInBursts ? integer(faultRandom, 2, 6) : 1 };
    }
    burst.left--;
    for (const scene of scenes) scene.faults.push(burst.name);
    return burst.fault;
  };
  const proxy = await createFaultProxy(server.url, plan, { now: () => clock.now() });

  const folder = await mkdtemp(path.join(tmpdir(), 'ctct-chaos-'));
  const warnings: string[] = [];
  const encoding = pick(random, ['auto', 'form', 'multipart'] as const);
  const clientOf = (timeouts: Partial<Timeouts>) =>
    makeClient({
      user: 'joesflowers',
      credentials,
      baseUrl: proxy.url,
      timeouts,
      encoding,
      clock,
      random,
      onWarning: ({ message }) => warnings.push(message),
    });
  let client = clientOf(TIMEOUTS);
  const stage: Stage = {
    seed,
    random,
    clock,
    account,
    creations,
    get client() {
      return client;
    },
    proxy,
    folder,
    secrets: secretsOf(credentials),
    scenes,
    violations: [],
    warnings,
    calmDown() {
      calm = true;
      client = clientOf(PATIENT);
    },
    async close() {
      await proxy.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return stage;
}

function drawCredentials(random: Random): Credentials {
  const secret = `s3cr%t:${integer(random, 100_000, 999_999)}+/"`;
  const token = `tok-${integer(random, 100_000, 999_999)}+/=%7E`;
  return pick(random, [
    {
      scheme: 'basic',
      apiKey: `key-${integer(random, 100_000, 999_999)}`,
      user: 'joesflowers',
      password: secret,
    },
    { scheme: 'bearer', token },
    { scheme: 'access_token', token },
  ] as const satisfies readonly Credentials[]);
}

/** An account with a past: a list to export, exports that are done, other jobs that are done. */
async function populated(random: Random, clock: SkippingClock, credentials: Credentials) {
  const size = pick(random, [0, 5, 40, 400, 3_000]);
  const account = new EmulatedAccount(
    {
      user: 'joesflowers',
      credentials:
        credentials.scheme === 'basic'
          ? { apiKey: credentials.apiKey, password: credentials.password }
          : { accessToken: credentials.token },
      lists: [
        {
          id: '1',
          name: 'General Interest',
          members: Array.from({ length: size }, (_, index) => ({
            emailAddress: `contact-${index}@example.com`,
            firstName: `Ann ${index}`,
            city: 'Zürich',
          })),
        },
        ...OPERATION_LISTS.map((id) => ({ id, name: `List ${id}`, members: MEMBERS })),
      ],
    },
    { clock, seed: integer(random, 1, 1_000_000) },
  );
  for (let index = integer(random, 2, 15); index > 0; index--) {
    const request: ActivityRequest =
      index > 1 && random() < 0.5
        ? {
            activityType: 'REMOVE_CONTACTS_FROM_LISTS',
            contacts: { text: 'Email Address\nno@example.com\n' },
            lists: ['1'],
          }
        : { activityType: 'EXPORT_CONTACTS', listId: '1', columns: ['First Name', 'City'] };
    await account.create(request);
  }
  await clock.sleep(ONE_DAY);
  return account;
}

/** The account as the server sees it; what is created through it is noted. */
function observe(account: EmulatedAccount, creations: Creation[]): ActivityService {
  return {
    async create(request, options) {
      const addresses = 'contacts' in request ? await addressesOf(request.contacts) : undefined;
      const activity = await account.create(request, options);
      const list = String('listId' in request ? request.listId : request.lists[0]).replace(/^.*\//, '');
      creations.push({ id: activity.id, type: activity.type ?? '', list, addresses });
      return activity;
    },
    get: (id, options) => account.get(id, options),
    list: (options) => account.list(options),
    download: (activity, options) => account.download(activity, options),
    lists: (options) => account.lists(options),
  };
}

async function addressesOf(contacts: Parameters<typeof openContactFile>[0]): Promise<string[]> {
  const file = await openContactFile(contacts);
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.open()) chunks.push(chunk);
  return (
    Buffer.concat(chunks)
      .toString()
      .match(/[\w.-]+@example\.com/g) ?? []
  );
}
