/**
 * How fast the gateway answers the polls of old clients, beside a bare node:http server that gives the same bytes, and how
 * soon while large uploads go through it: `tsx bench/gateway.ts`.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { compile } from './compile.js';
import { hammer } from './emulator-load.js';
import type { Told } from './gateway-roles.js';
import { paced, quantile, type Paced } from './paced-load.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    polls: { type: 'string', default: '200' },
    uploads: { type: 'string', default: '20' },
    bytes: { type: 'string', default: '4000000' },
    json: { type: 'boolean', default: false },
  },
});

const say = (text: string) => process.stderr.write(`${text}\n`);

const headers = { authorization: `Basic ${Buffer.from('key%joesflowers:secret').toString('base64')}` };
const compiled = compile();
const folder = mkdtempSync(join(tmpdir(), 'ctct-bench-'));
const children: ChildProcess[] = [];

interface Role {
  readonly child: ChildProcess;
  ask(): Promise<Told>;
}

/** Starts a role of gateway-roles.ts in a process of its own, and waits until it is there. */
async function start(role: string, ...args: string[]): Promise<Role & { readonly url: string }> {
  const child = fork(join(compiled, 'bench/gateway-roles.js'), [role, ...args], { execArgv: [] });
  children.push(child);
  const told = () =>
    new Promise<Told>((resolve, reject) => {
      const gone = (code: number | null) => reject(new Error(`${role} ended with code ${code ?? 'none'}`));
      child.once('exit', gone);
      child.once('message', (message) => {
        child.off('exit', gone);
        resolve(message as Told);
      });
    });
  const { url } = await told();
  const ask = () => {
    const answer = told();
    child.send('tell');
    return answer;
  };
  return { child, ask, url };
}

function stop({ child }: Role): void {
  child.removeAllListeners('exit');
  child.kill();
}

async function text(url: string, init?: RequestInit): Promise<string> {
  const answer = await fetch(url, { headers, ...init });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.text();
}

function contacts(upload: number, bytes: number): string {
  const rows = ['Email Address,First Name,Last Name,City,State,Company Name,Custom Field 1'];
  let length = 0;
  for (let row = 0; length < bytes; row++) {
    const line = `customer${upload}-${row}@example.com,Ann ${row},Smith,"Springfield, West",MA,"Flowers ""${row}"" Ltd",${'note '.repeat(5)}`;
    length += line.length + 1;
    rows.push(line);
  }
  return rows.join('\n');
}

/** Has an upload taken: its URL. */
async function upload(url: string, number: number, bytes: number): Promise<string> {
  const body = new FormData();
  body.set('activityType', 'SV_ADD');
  body.set('lists', `${url}/ws/customers/joesflowers/lists/${(number % 40) + 1}`);
  body.set('dataFile', new Blob([contacts(number, bytes)], { type: 'text/csv' }), 'up.csv');
  const answer = await fetch(`${url}/ws/customers/joesflowers/activities`, { method: 'POST', headers, body });
  const location = answer.headers.get('location');
  if (answer.status !== 201 || location === null) throw new Error(`${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
  return url + new URL(location).pathname;
}

async function whenAll(urls: readonly string[]): Promise<number> {
  for (;;) {
    const entries = await Promise.all(urls.map((url) => text(url)));
    if (entries.every((entry) => /<Status>(?:COMPLETE|ERROR)</.test(entry))) {
      return entries.filter((entry) => entry.includes('<Status>COMPLETE<')).length;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Answers a second, beside a server that only gives these bytes. */
async function beside(gateway: Role, page: string) {
  const bytes = Buffer.from(await text(page));
  const file = join(folder, 'page.xml');
  writeFileSync(file, bytes);
  const bare = await start('bare', file);
  const load = { headers, connections: 8, milliseconds: Number(values.seconds) * 1000 };
  const turns: { rate: number; ratio: number; byWork: number }[] = [];
  // The first round is to warm up.
  for (let round = 0; round <= Number(values.rounds); round++) {
    const floor = await turn(bare, bare.url);
    const ours = await turn(gateway, page);
    turns.push({ rate: ours.rate, ratio: ours.rate / floor.rate, byWork: floor.cpu / ours.cpu });
  }
  stop(bare);
  async function turn(role: Role, url: string) {
    const before = await role.ask();
    const { answers, seconds } = await hammer({ ...load, url });
    const after = await role.ask();
    return { rate: answers / seconds, cpu: (after.cpu - before.cpu) / answers };
  }
  const counted = turns.slice(1);
  const of = (name: 'rate' | 'ratio' | 'byWork') => median(counted.map((one) => one[name]));
  return { bytes: bytes.length, rate: of('rate'), ratio: of('ratio'), byWork: of('byWork') };
}

const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN;

const told = ({ answers, seconds, latencies }: Paced) => ({
  answers,
  perSecond: answers / seconds,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99),
  most: latencies.at(-1) ?? NaN,
});

async function underLoad(gateway: Role & { url: string }, upstream: Role, known: readonly string[]) {
  const feed = `${gateway.url}/ws/customers/joesflowers/activities`;
  const perSecond = Number(values.polls);
  const polls = { urls: [...known, feed], headers, perSecond };
  const end = performance.now() + 5_000;
  const quiet = await paced({ ...polls, until: () => performance.now() > end });

  const before = await gateway.ask();
  const begin = performance.now();
  let accepted: number | undefined;
  let done: number | undefined;
  const count = Number(values.uploads);
  const work = Promise.all(
    Array.from({ length: count }, (_, number) => upload(gateway.url, number, Number(values.bytes))),
  ).then(async (urls) => {
    accepted = performance.now() - begin;
    const complete = await whenAll(urls);
    done = performance.now() - begin;
    return complete;
  });
  say(`${count} large uploads`);
  const accepting = await paced({ ...polls, until: () => accepted !== undefined });
  const taking = await gateway.ask();
  say(`taken after ${((accepted ?? NaN) / 1000).toFixed(1)} s`);
  const sending = await paced({ ...polls, until: () => done !== undefined });
  const complete = await work;
  const [after, { calls, burst }] = [await gateway.ask(), await upstream.ask()];
  return {
    quiet: told(quiet),
    accepting: told(accepting),
    sending: told(sending),
    uploads: { count, complete, acceptedAfter: accepted ?? NaN, doneAfter: done ?? NaN },
    held: { taking: taking.held, sending: after.held },
    work: after.cpu - before.cpu,
    rss: after.rss,
    upstream: { calls, mostInASecond: burst },
  };
}

try {
  const upstream = await start('upstream');
  const gateway = await start('gateway', upstream.url, folder);
  const known: string[] = [];
  for (let number = 0; number < 30; number++) known.push(await upload(gateway.url, number, 2_000));
  say('waiting for 30 small uploads');
  await whenAll(known);
  say('counting answers');
  const feed = `${gateway.url}/ws/customers/joesflowers/activities`;
  const report = {
    machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
    entry: await beside(gateway, known[0] ?? ''),
    feed: await beside(gateway, feed),
    load: await underLoad(gateway, upstream, known),
  };
  if (values.json) {
    console.log(JSON.stringify(report, null, 2));
  } else {
    const { entry, feed: page, load } = report;
    const whole = (n: number) => Math.round(n).toLocaleString('en-US');
    console.log(`${report.machine}, ${report.date}\n`);
    console.log('Polls, as many as there can be, on 8 connections');
    for (const [what, one] of [
      ['an entry', entry],
      ['the feed', page],
    ] as const) {
      console.log(
        `  ${what} of ${whole(one.bytes)} bytes: ${whole(one.rate)} a second; beside node:http ` +
          `${one.ratio.toFixed(2)}, by work ${one.byWork.toFixed(2)}`,
      );
    }
    console.log(`\nPolls, ${values.polls} a second, from when each was due: p50, p99 and most, ms`);
    for (const [what, one] of [
      ['nothing else', load.quiet],
      [
        `while ${load.uploads.count} uploads of ${whole(Number(values.bytes))} bytes are taken`,
        load.accepting,
      ],
      ['while they go to v2', load.sending],
    ] as const) {
      console.log(
        `  ${what.padEnd(52)} ${one.p50.toFixed(1).padStart(7)} ${one.p99.toFixed(1).padStart(7)} ` +
          `${one.most.toFixed(1).padStart(7)}  (${one.answers} polls, ${whole(one.perSecond)} a second)`,
      );
    }
    console.log(
      `  taken after ${(load.uploads.acceptedAfter / 1000).toFixed(1)} s, done after ` +
        `${(load.uploads.doneAfter / 1000).toFixed(1)} s, ${load.uploads.complete} of ${load.uploads.count} complete; ` +
        `${(load.work / 1000).toFixed(1)} s of work, ${whole(load.rss / 1e6)} MB at most`,
    );
    console.log(
      `  the event loop was held up for ${load.held.taking.toFixed(0)} ms at most while they were taken, and for ` +
        `${load.held.sending.toFixed(0)} ms while they were sent`,
    );
    console.log(
      `  ${load.upstream.calls} calls of v2, ${load.upstream.mostInASecond} within a second at most`,
    );
  }
} finally {
  for (const child of children) {
    child.removeAllListeners('exit');
    child.kill();
  }
  rmSync(folder, { recursive: true });
}
