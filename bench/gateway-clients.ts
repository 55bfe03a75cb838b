import { Agent, request } from 'node:http';

import { paced, type Paced, type PacedOptions } from './paced-load.js';

/** What a process of clients can be asked, one at a time. */
export type ClientTask =
  /** Polls from now on, until `stop`. */
  | ({ readonly ask: 'poll' } & Omit<PacedOptions, 'until'>)
  /** What the polls came to: `Paced`. */
  | { readonly ask: 'stop' }
  /** Makes the bodies of so many uploads to this service: nothing. */
  | { readonly ask: 'prepare'; readonly service: string; readonly count: number; readonly bytes: number }
  /** Sends the uploads all at once: the paths of the activities, in the end. */
  | { readonly ask: 'upload'; readonly headers: Headers; readonly to: string }
  /** Waits until all of these are done: how many are COMPLETE. */
  | { readonly ask: 'wait'; readonly headers: Headers; readonly urls: readonly string[] };

type Headers = Readonly<Record<string, string>>;

/** Clients in a process of their own, so that what they do is no part of what is measured. */
export function clients(): (task: ClientTask) => Promise<unknown> {
  let stop = () => undefined as unknown;
  let polled: Promise<Paced> | undefined;
  let bodies: readonly Buffer[] = [];
  return async (task) => {
    switch (task.ask) {
      case 'poll': {
        let stopped = false;
        stop = () => (stopped = true);
        polled = paced({ ...task, until: () => stopped });
        // Whoever asks is told when it is asked for.
        polled.catch(() => undefined);
        return undefined;
      }
      case 'stop':
        stop();
        return polled;
      case 'prepare':
        bodies = Array.from({ length: task.count }, (_, number) => form(task.service, number, task.bytes));
        return undefined;
      case 'upload':
        return Promise.all(bodies.map((body) => post(task.to, task.headers, body)));
      case 'wait':
        return whenAll(task.urls, task.headers);
    }
  };
}

const BOUNDARY = '----bench7f3a';

/** An upload of a form, as browsers made them. */
function form(service: string, upload: number, bytes: number): Buffer {
  const list = `${service}/lists/${(upload % 40) + 1}`;
  const field = (name: string, rest: string) =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${rest}\r\n`;
  return Buffer.from(
    `${field('activityType', '')}\r\nSV_ADD\r\n${field('lists', '')}\r\n${list}\r\n` +
      `${field('dataFile', '; filename="up.csv"')}Content-Type: text/csv\r\n\r\n${contacts(upload, bytes)}\r\n--${BOUNDARY}--\r\n`,
  );
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

/** Has an upload taken: the path of its activity, where it has one. */
function post(url: string, headers: Headers, body: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const type = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };
    const length = { 'content-length': String(body.length) };
    const asked = request(url, { method: 'POST', headers: { ...headers, ...type, ...length } }, (answer) => {
      const { statusCode, headers: told } = answer;
      if (statusCode !== 201) reject(new Error(`an upload was answered ${statusCode ?? 0}`));
      answer.resume().once('error', reject);
      answer.once('end', () => {
        resolve(new URL(told.location ?? '', url).pathname);
      });
    });
    asked.once('error', reject).end(body);
  });
}

/** How many of them end as COMPLETE. */
async function whenAll(urls: readonly string[], headers: Headers): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  let complete = 0;
  try {
    for (const url of urls) {
      let entry = await text(url, headers, agent);
      while (!/<Status>(?:COMPLETE|ERROR)</.test(entry)) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        entry = await text(url, headers, agent);
      }
      if (entry.includes('<Status>COMPLETE<')) complete++;
    }
    return complete;
  } finally {
    agent.destroy();
  }
}

function text(url: string, headers: Headers, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent }, (answer) => {
      let all = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (all += piece));
      answer.once('error', reject).once('end', () => {
        resolve(all);
      });
    })
      .once('error', reject)
      .end();
  });
}
