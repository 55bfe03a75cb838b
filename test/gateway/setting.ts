import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isFinished, type Activity } from '../../src/activity/activity.js';
import { createEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/emulator.js';
import type { AccountSeed } from '../../src/emulator/seed.js';
import { createVirtualClock, type VirtualClock } from '../../src/emulator/virtual-clock.js';
import { accountsOf, type GatewayEntry } from '../../src/gateway/accounts.js';
import type { GatewayEvent } from '../../src/gateway/events.js';
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway/gateway.js';
import { memoryStore } from '../../src/store/memory.js';
import { WsClient } from '../../src/ws/client.js';

export const START = Date.UTC(2011, 2, 1, 12);

export const SEED: AccountSeed = {
  user: 'joesflowers',
  lists: [
    { id: '1', name: 'General', members: ['old@example.com'] },
    { id: '2', name: 'Clients', members: ['old@example.com', 'older@example.com'] },
  ],
};

export function entryFor(user: string, apiKey = 'key'): GatewayEntry {
  return { account: { user, apiKey, accessToken: user }, signIn: { basic: { password: 'pw' } } };
}

/** A gateway before an emulated v2, by a clock that only goes on in `until`. */
export class Setting {
  readonly clock: VirtualClock = createVirtualClock({ now: START });
  readonly emulator: Emulator<VirtualClock>;
  readonly events: GatewayEvent[] = [];
  readonly folder: string;
  readonly options: Partial<GatewayOptions>;
  gateway: Gateway;

  constructor(folder: string, options: Partial<GatewayOptions>, emulated: Partial<EmulatorOptions> = {}) {
    this.folder = folder;
    this.emulator = createEmulator({ accounts: [SEED], ...emulated, clock: this.clock });
    this.options = { store: memoryStore(), ...options };
    this.gateway = this.make();
  }

  static async begin(
    options: Partial<GatewayOptions> = {},
    emulated: Partial<EmulatorOptions> = {},
  ): Promise<Setting> {
    const folder = await fs.mkdtemp(path.join(tmpdir(), 'ctct-gateway-'));
    const setting = new Setting(folder, options, emulated);
    await setting.gateway.start();
    return setting;
  }

  /** Another gateway on the same store and folder. */
  make(options: Partial<GatewayOptions> = {}): Gateway {
    return createGateway({
      store: memoryStore(),
      folder: this.folder,
      accounts: accountsOf([entryFor('joesflowers')]),
      clock: this.clock,
      random: () => 0.5,
      fetch: this.emulator.fetch,
      onEvent: (event) => this.events.push(event),
      ...this.options,
      ...options,
    });
  }

  client(user = 'joesflowers', password = 'pw'): WsClient {
    return new WsClient({
      user,
      credentials: { scheme: 'basic', apiKey: 'old', user, password },
      fetch: (input, init) => this.gateway.fetch(new Request(input, init)),
      clock: this.clock,
      reconcile: false,
      retry: false,
      limiter: false,
    });
  }

  /** Lets time pass until this holds. */
  async until(holds: () => boolean | Promise<boolean>, what = 'that', step = 1_000): Promise<void> {
    for (let turn = 0; turn < 5_000; turn++) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 0));
      await this.clock.advance(step);
    }
    throw new Error(`${what} never came: ${JSON.stringify(this.events.slice(-5))}`);
  }

  /** What came of an activity. */
  async finished(id: string, client = this.client()): Promise<Activity> {
    let last = await client.get(id);
    await this.until(async () => isFinished((last = await client.get(id))), `the end of ${id}`);
    return last;
  }

  /** What act does, while time passes. */
  async passing<T>(act: Promise<T>): Promise<T> {
    let done = false;
    const settle = () => {
      done = true;
    };
    act.then(settle, settle);
    await this.until(() => done, 'an answer', 100);
    return act;
  }

  members(list: string): string[] {
    const { contacts } = this.emulator.account('joesflowers')!.holdings;
    return [...contacts.members(list)].map(({ contact }) => contact.address).sort();
  }

  told<E extends GatewayEvent['event']>(event: E): Extract<GatewayEvent, { event: E }>[] {
    return this.events.filter((one): one is Extract<GatewayEvent, { event: E }> => one.event === event);
  }

  async end(): Promise<void> {
    await this.gateway.close();
    await fs.rm(this.folder, { recursive: true });
  }
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
