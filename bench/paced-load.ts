import { Agent, request } from 'node:http';

export interface PacedOptions {
  /** One of these is asked for at each turn, one after another. */
  readonly urls: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly perSecond: number;
  /** Goes on until this holds. */
  readonly until: () => boolean;
}

export interface Paced {
  readonly answers: number;
  readonly seconds: number;
  /** Milliseconds from when each request was due, or sent if that was earlier, to the end of its answer, in ascending order. */
  readonly latencies: readonly number[];
}

/**
 * Asks so many times a second, whether the server keeps up or not: a request that has to wait for others counts from when it
 * was due, so that a server that stands still for a moment does not hide it.
 */
export async function paced({ urls, headers, perSecond, until }: PacedOptions): Promise<Paced> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const latencies: number[] = [];
  const under: Promise<void>[] = [];
  const start = performance.now();
  try {
    for (let turn = 0; !until(); turn++) {
      const due = start + (turn * 1000) / perSecond;
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const url = urls[turn % urls.length] ?? '';
      // A timer may fire a little early.
      const from = Math.min(due, performance.now());
      under.push(ask(url, headers, agent).then(() => void latencies.push(performance.now() - from)));
    }
    await Promise.all(under);
    const seconds = (performance.now() - start) / 1000;
    return { answers: latencies.length, seconds, latencies: latencies.sort((a, b) => a - b) };
  } finally {
    agent.destroy();
  }
}

function ask(url: string, headers: Readonly<Record<string, string>>, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, headers }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${url} was answered by ${answer.statusCode ?? 0}`));
      answer.resume().once('end', resolve).once('error', reject);
    });
    asked.once('error', (error) => {
      // The server closed a connection that nobody used, just as it was used again.
      if (asked.reusedSocket) resolve(ask(url, headers, agent));
      else reject(error);
    });
    asked.end();
  });
}

/** The value below which that share of them lies. */
export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))] ?? NaN;
}
