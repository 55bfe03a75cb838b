import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

import type { ClientTask } from './gateway-clients.js';
import type { Told } from './gateway-roles.js';
import type { Paced, PacedOptions } from './paced-load.js';

/** A server in a process of its own. */
export interface Server {
  readonly url: string;
  ask(): Promise<Told>;
  stop(): void;
}

/** Clients in a process of their own. */
export interface Clients {
  /** Makes the bodies of uploads, which takes time. */
  prepare(service: string, count: number, bytes: number): Promise<void>;
  /** Sends all that was prepared at once: the paths of the activities. */
  upload(to: string, headers: Headers): Promise<readonly string[]>;
  /** Waits until all of these are done: how many are COMPLETE. */
  wait(urls: readonly string[], headers: Headers): Promise<number>;
  /** Polls until `stop`. */
  poll(polls: Omit<PacedOptions, 'until'>): Promise<void>;
  stop(): Promise<Paced>;
}

type Headers = Readonly<Record<string, string>>;

/** The processes of a bench. */
export class Processes {
  readonly #compiled: string;
  readonly #children: ChildProcess[] = [];

  /** @param compiled where src and bench are compiled */
  constructor(compiled: string) {
    this.#compiled = compiled;
  }

  async server(role: string, args: readonly string[], flags: readonly string[] = []): Promise<Server> {
    const { child, ask, told } = this.#start(role, args, flags);
    const { url } = (await told()) as Told;
    const stop = () => {
      child.removeAllListeners('exit');
      child.disconnect();
    };
    return { url, ask: () => ask('tell') as Promise<Told>, stop };
  }

  async clients(): Promise<Clients> {
    const { ask, told } = this.#start('clients', [], []);
    await told();
    const task = (one: ClientTask) => ask(one);
    return {
      prepare: (service, count, bytes) =>
        task({ ask: 'prepare', service, count, bytes }) as unknown as Promise<void>,
      upload: (to, headers) => task({ ask: 'upload', to, headers }) as Promise<readonly string[]>,
      wait: (urls, headers) => task({ ask: 'wait', urls, headers }) as Promise<number>,
      poll: (polls) => task({ ask: 'poll', ...polls }) as unknown as Promise<void>,
      stop: () => task({ ask: 'stop' }) as Promise<Paced>,
    };
  }

  /** Ends all that is left. */
  end(): void {
    for (const child of this.#children) {
      child.removeAllListeners('exit');
      if (child.connected) child.disconnect();
    }
  }

  /** Starts a role of gateway-roles.ts. It tells something when it is there, and then whenever it is asked. */
  #start(role: string, args: readonly string[], flags: readonly string[]) {
    const execArgv = [...flags];
    const child = fork(join(this.#compiled, 'bench/gateway-roles.js'), [role, ...args], { execArgv });
    this.#children.push(child);
    const told = () =>
      new Promise<unknown>((resolve, reject) => {
        const gone = (code: number | null) => {
          reject(new Error(`${role} ended with code ${code ?? 'none'}`));
        };
        child.once('exit', gone);
        child.once('message', (message) => {
          child.off('exit', gone);
          resolve(message);
        });
      });
    const ask = (message: ClientTask | 'tell') => {
      const answer = told();
      child.send(message);
      return answer;
    };
    return { child, ask, told };
  }
}
