/**
 * How fast the gateway answers the polls of old clients, beside a bare node:http server that gives the same bytes, and how
 * soon while large uploads go through it: `tsx bench/gateway.ts`.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { compile } from './compile.js';
import { hammer } from './emulator-load.js';
import { Processes, type Clients, type Server } from './gateway-processes.js';
import { quantile, type Paced } from './paced-load.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    polls: { type: 'string', default: '200' },
    uploads: { type: 'string', default: '20' },
    bytes: { type: 'string', default: '4000000' },
    /** Where the CPU profile of the gateway is to be written. */
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

/** Milliseconds in which 99 of 100 polls are to be answered. */
const TARGET = 50;
/** Milliseconds of polls while there is nothing else. */
const QUIET = 5_000;

const say = (text: string) => process.stderr.write(`${text}\n`);

const headers = { authorization: `Basic ${Buffer.from('key%joesflowers:secret').toString('base64')}` };
const folder = mkdtempSync(join(tmpdir(), 'ctct-bench-'));
const processes = new Processes(compile());

/** A server of node:http that answers with the bytes of this page, and how many they are. */
async function bareServer(page: string) {
  const bytes = Buffer.from(await (await fetch(page, { headers })).arrayBuffer());
  const file = join(folder, 'page.xml');
  writeFileSync(file, bytes);
  return { bare: await processes.server('bare', [file]), bytes: bytes.length };
}

/** Answers a second, beside a server that only gives these bytes. */
async function beside(gateway: Server, page: string) {
  const { bare, bytes } = await bareServer(page);
  const load = { headers, connections: 8, milliseconds: Number(values.seconds) * 1000 };
  const turns: { rate: number; ratio: number; byWork: number }[] = [];
  // The first round is to warm up.
  for (let round = 0; round <= Number(values.rounds); round++) {
    const floor = await turn(bare, bare.url);
    const ours = await turn(gateway, page);
    turns.push({ rate: ours.rate, ratio: ours.rate / floor.rate, byWork: floor.cpu / ours.cpu });
  }
  bare.stop();
  async function turn(server: Server, url: string) {
    const before = await server.ask();
    const { answers, seconds } = await hammer({ ...load, url });
    const after = await server.ask();
    return { rate: answers / seconds, cpu: (after.cpu - before.cpu) / answers };
  }
  const counted = turns.slice(1);
  const of = (name: 'rate' | 'ratio' | 'byWork') => median(counted.map((one) => one[name]));
  return { bytes, rate: of('rate'), ratio: of('ratio'), byWork: of('byWork') };
}

const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? NaN;

const told = ({ answers, seconds, latencies }: Paced) => ({
  answers,
  perSecond: answers / seconds,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99),
  most: latencies.at(-1) ?? NaN,
});

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Processes of their own, so that who measures is not held up by who makes the load. */
interface Load {
  readonly poller: Clients;
  readonly uploader: Clients;
}

async function underLoad(gateway: Server, known: readonly string[], { poller, uploader }: Load) {
  const polls = { urls: [...known, activities(gateway)], headers, perSecond: Number(values.polls) };
  await poller.poll(polls);
  await pause(QUIET);
  const quiet = await poller.stop();

  const before = await gateway.ask();
  say(`${values.uploads} large uploads`);
  await poller.poll(polls);
  const begin = performance.now();
  const paths = await uploader.upload(activities(gateway), headers);
  const accepted = performance.now() - begin;
  const accepting = await poller.stop();
  const taking = await gateway.ask();
  say(`taken after ${(accepted / 1000).toFixed(1)} s`);
  await poller.poll(polls);
  const urls = paths.map((path) => gateway.url + path);
  const complete = await uploader.wait(urls, headers);
  const done = performance.now() - begin;
  const sending = await poller.stop();
  const after = await gateway.ask();
  return {
    quiet: told(quiet),
    accepting: told(accepting),
    sending: told(sending),
    uploads: { count: paths.length, complete, acceptedAfter: accepted, doneAfter: done },
    held: { taking: taking.held, sending: after.held },
    work: { taking: taking.cpu - before.cpu, sending: after.cpu - taking.cpu },
    rss: after.rss,
    calls: { all: after.calls, mostInASecond: after.burst },
  };
}

const activities = ({ url }: Server) => `${url}/ws/customers/joesflowers/activities`;

/** The same polls of a bare node:http server, alone and while another one is sent the same uploads, and drops them. */
async function control(page: string, milliseconds: number, { poller, uploader }: Load) {
  const { bare } = await bareServer(page);
  const { bare: sink } = await bareServer(page);
  const polls = { urls: [bare.url], headers, perSecond: Number(values.polls) };
  await poller.poll(polls);
  await pause(QUIET);
  const quiet = await poller.stop();
  await poller.poll(polls);
  const end = performance.now() + milliseconds;
  do await uploader.upload(sink.url, headers);
  while (performance.now() < end);
  const accepting = await poller.stop();
  bare.stop();
  sink.stop();
  return { quiet: told(quiet), accepting: told(accepting) };
}

try {
  const upstream = await processes.server('upstream', []);
  const flags =
    values.profile === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`, '--cpu-prof-interval=500'];
  const gateway = await processes.server('gateway', [upstream.url, folder], flags);
  const [poller, uploader] = [await processes.clients(), await processes.clients()];
  const service = `${gateway.url}/ws/customers/joesflowers`;
  await uploader.prepare(service, 30, 2_000);
  const paths = await uploader.upload(activities(gateway), headers);
  const known = paths.map((path) => gateway.url + path);
  say('waiting for 30 small uploads');
  await uploader.wait(known, headers);
  say('counting answers');
  const [first = ''] = known;
  const entry = await beside(gateway, first);
  const feed = await beside(gateway, activities(gateway));
  await uploader.prepare(service, Number(values.uploads), Number(values.bytes));
  const load = await underLoad(gateway, known, { poller, uploader });
  const floor = await control(first, load.uploads.acceptedAfter, { poller, uploader });
  const report: Report = {
    machine: `${cpus()[0]?.model ?? 'unknown'} × ${cpus().length}, Node ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
    entry,
    feed,
    load,
    control: floor,
  };
  console.log(values.json ? JSON.stringify(report, null, 2) : textOf(report));
} finally {
  processes.end();
  rmSync(folder, { recursive: true });
}

interface Report {
  readonly machine: string;
  readonly date: string;
  readonly entry: Awaited<ReturnType<typeof beside>>;
  readonly feed: Awaited<ReturnType<typeof beside>>;
  readonly load: Awaited<ReturnType<typeof underLoad>>;
  readonly control: Awaited<ReturnType<typeof control>>;
}

function textOf({ machine, date, entry, feed, load, control: floor }: Report): string {
  const whole = (n: number) => Math.round(n).toLocaleString('en-US');
  const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
  const rate = (what: string, one: Report['entry']) =>
    `  ${what} of ${whole(one.bytes)} bytes: ${whole(one.rate)} a second; beside node:http ` +
    `${one.ratio.toFixed(2)}, by work ${one.byWork.toFixed(2)}`;
  const late = (what: string, { p50, p99, most, answers, perSecond }: ReturnType<typeof told>) =>
    `  ${what.padEnd(48)} ${[p50, p99, most].map((time) => time.toFixed(1).padStart(7)).join(' ')}` +
    `  (${whole(answers)} polls, ${whole(perSecond)} a second)`;
  const judged = (what: string, one: ReturnType<typeof told>) =>
    `${late(what, one)}; target ${TARGET} ms: ${one.p99 < TARGET ? 'kept' : 'not kept'}`;
  const { uploads, work, held, calls } = load;
  const taken = `while ${uploads.count} uploads of ${whole(Number(values.bytes))} bytes are taken`;
  return [
    `${machine}, ${date}`,
    '',
    'Polls, as many as there can be, on 8 connections',
    rate('an entry', entry),
    rate('the feed', feed),
    '',
    `Polls, ${values.polls} a second, from when each was due: p50, p99 and most, ms`,
    judged('nothing else', load.quiet),
    judged(taken, load.accepting),
    judged('while they go to v2', load.sending),
    'The same of a bare node:http server',
    late('nothing else', floor.quiet),
    late('while another one is sent the same uploads', floor.accepting),
    '',
    `The uploads: taken after ${seconds(uploads.acceptedAfter)}, done after ${seconds(uploads.doneAfter)}, ` +
      `${uploads.complete} of ${uploads.count} complete`,
    `  work of the gateway: ${seconds(work.taking)} to take them, ${seconds(work.sending)} to send them; ` +
      `${whole(load.rss / 1e6)} MB at most`,
    `  the event loop was held up for ${whole(held.taking)} ms at most while they were taken, and for ` +
      `${whole(held.sending)} ms while they were sent`,
    `  ${calls.all} calls of v2, ${calls.mostInASecond} within a second at most as they left; limit 4: ` +
      (calls.mostInASecond <= 4 ? 'kept' : 'not kept'),
  ].join('\n');
}
