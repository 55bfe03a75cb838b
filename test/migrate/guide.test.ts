import { mkdtemp, readFile, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { createEmulator } from '../../src/emulator/emulator.js';
import { guideBlocks } from '../../src/migrate/guide-blocks.js';
import { guideHtml } from '../../src/migrate/guide-html.js';
import { guideMarkdown } from '../../src/migrate/guide-markdown.js';
import { nameOf, RISKS, studyCalls } from '../../src/migrate/guide.js';
import { topicsFor } from '../../src/migrate/guide-topics.js';
import type { HttpCall } from '../../src/translate/http-call.js';
import { readCalls } from '../../src/translate/read-calls.js';
import { ctct } from '../cli/harness.js';
import { openChromium } from '../support/chromium.js';
import { fixtures } from '../support/fixtures.js';

async function recorded(names = /./): Promise<HttpCall[]> {
  const all = fixtures('ws/requests').filter(({ name }) => names.test(name));
  const calls = await Promise.all(
    all.map((fixture) => readCalls(fixture.bytes('request.http'), { source: fixture.name })),
  );
  return calls.flat();
}

const call = (method: string, url: string, body = ''): HttpCall => ({
  place: `call of ${url}`,
  method,
  url,
  headers: new Map(),
  body: Buffer.from(body),
});

const WS = 'http://api.constantcontact.com/ws/customers/joe';
const topics = async (calls: HttpCall[]) => topicsFor(await studyCalls(calls)).map(({ title }) => title);

describe('the study of recorded calls', () => {
  it('has the riskiest first, each kind once, and all of them counted', async () => {
    const calls = await recorded();
    const facts = await studyCalls(calls);
    expect(facts.total).to.equal(calls.length);
    const refused = fixtures('ws/requests').filter(({ name }) => name.startsWith('refused')).length;
    expect(facts.refused).to.have.length(refused);
    expect(facts.calls.reduce((all, { times }) => all + times, 0)).to.equal(calls.length - refused);
    const order = facts.calls.map(({ risk }) => RISKS.indexOf(risk));
    expect(order).to.deep.equal([...order].sort());
    for (const { risk, losses, counterpart } of facts.calls) {
      const lossy = counterpart.length === 0 || losses.some(({ severity }) => severity === 'loss');
      expect(risk === 'high').to.equal(lossy);
    }
  });

  it('takes calls that differ in lists, ids and contacts for one, and those that differ in columns for others', async () => {
    const upload = (list: number, heading: string, who: string) =>
      call(
        'POST',
        `${WS}/activities`,
        `activityType=SV_ADD&lists=${list}&data=${heading}%0A${who}%40example.com%2Cx`,
      );
    const facts = await studyCalls([
      upload(1, 'Email%2CCity', 'ann'),
      upload(2, 'Email%2CCity', 'bob'),
      upload(2, 'Email%2CCountry', 'bob'),
      call('GET', `${WS}/activities/a07e1`),
      call('GET', `${WS}/activities/a07e2`),
      call('GET', `${WS}/activities/a07e2.csv`),
      call('GET', 'http://example.com/'),
    ]);
    expect(facts.others).to.equal(1);
    expect(facts.calls.map((one) => [nameOf(one), one.times])).to.have.deep.members([
      ['POST activities, SV_ADD', 2],
      ['POST activities, SV_ADD', 1],
      ['GET activities/{id}', 2],
      ['GET activities/{id}.csv', 1],
    ]);
  });

  it('has chapters for what the calls do, the riskiest first', async () => {
    expect(await topics([call('GET', `${WS}/lists`)])).to.deep.equal([
      ...['Credentials', 'Busy answers and quotas', 'List ids', 'Documents'],
    ]);
    const feed = await topics([call('GET', `${WS}/activities`)]);
    expect(feed).to.include.members(['Lists of activities', 'Ids']).and.not.to.include('Limits');
    const all = topicsFor(await studyCalls(await recorded())).map(({ risk }) => RISKS.indexOf(risk));
    expect(all).to.deep.equal([...all].sort());
    expect(await topics(await recorded(/export/)))
      .to.include('The file of an export')
      .and.not.to.include('Limits');
    expect(await topics(await recorded(/-add/))).to.include.members(['Limits', 'Polling']);
  });
});

describe('a guide', () => {
  it('has nobody’s data and no secret in it, in either form', async () => {
    const blocks = guideBlocks(await studyCalls(await recorded()), { sources: ['requests'] });
    for (const text of [guideMarkdown(blocks), guideHtml(blocks)]) {
      expect(text).not.to.match(/a2V5|t0ken|wstest|nobody\d|ann@|user1@|joesflowers/);
      expect(text).to.include('contact1@example.com').and.to.include('What the code must do differently');
    }
  });

  it('has nobody in it where a file has no heading', async () => {
    const upload = (data: string) =>
      call('POST', `${WS}/activities`, `activityType=SV_ADD&lists=1&data=${encodeURIComponent(data)}`);
    const facts = await studyCalls([
      upload('ann@somewhere.example,Ann\nbob@somewhere.example,Bob'),
      upload('Email,ann@somewhere.example\nbob@somewhere.example,Ann'),
      { ...call('GET', `${WS}/contacts/ann@somewhere.example`), place: 'entry 3' },
    ]);
    expect([facts.calls.length, facts.refused.length]).to.deep.equal([2, 1]);
    for (const guide of [guideMarkdown(guideBlocks(facts)), guideHtml(guideBlocks(facts))]) {
      expect(guide).not.to.match(/somewhere|\b(?:Ann|Bob)\b/);
    }
  });

  it('counts calls that differ in ids alone as one, those without a counterpart too', async () => {
    const facts = await studyCalls(
      [
        'activities/a07e1',
        'activities/a07e2',
        'contacts/1',
        'contacts/2',
        'lists/1/members',
        'lists/2/members',
      ].map((path) => ({ ...call('DELETE', `${WS}/${path}`), place: 'an entry' })),
    );
    expect(facts.calls.map((one) => [nameOf(one), one.times])).to.have.deep.members([
      ['DELETE activities/{id}', 2],
      ['DELETE contacts/{id}', 2],
      ['DELETE lists/{id}/members', 2],
    ]);
    expect(guideMarkdown(guideBlocks(facts))).not.to.match(/a07e|contacts\/1/);
  });

  it('keeps text from outside as text', async () => {
    const evil = '<script>alert(1)</script>|`x`](y) **b**\n# h';
    const form = `activityType=EXPORT_CONTACTS&listId=2&${encodeURIComponent(evil)}=1`;
    const facts = await studyCalls([
      { ...call('POST', `${WS}/activities`, form), place: evil },
      { ...call('POST', `${WS}/activities`, `activityType=${encodeURIComponent(evil)}`), place: evil },
    ]);
    const blocks = guideBlocks(facts, { title: evil, sources: [evil] });
    const html = guideHtml(blocks);
    expect(html).not.to.include('<script');
    expect(html)
      .to.include('&lt;script&gt;')
      .and.to.match(/<title>&lt;script/);
    const markdown = guideMarkdown(blocks);
    expect(markdown)
      .to.match(/^# \\<script\\>/)
      .and.not.to.match(/^# h/m);
    // Outside of code, each angle bracket is escaped.
    const outside = markdown.replace(/```[^]*?```/g, '').replace(/(`+)[^]*?[^`]\1(?!`)/g, '');
    expect(outside).not.to.match(/(?<!\\)</);
  });

  it('of nothing but refused calls says so', async () => {
    const facts = await studyCalls(await recorded(/refused-no-type/));
    expect(guideMarkdown(guideBlocks(facts)))
      .to.include('1 call to ws, of 0 kinds.')
      .and.to.include('Calls that failed already');
  });

  it('is a page that runs nothing and fits a phone', async function () {
    this.timeout(60_000);
    const folder = await mkdtemp(path.join(tmpdir(), 'ctct-guide-'));
    const browser = await openChromium(this);
    try {
      const file = path.join(folder, 'guide.html');
      await writeFile(file, guideHtml(guideBlocks(await studyCalls(await recorded()))));
      for (const width of [1280, 390]) {
        const page = await browser.newPage({ viewport: { width, height: 900 } });
        const complaints: string[] = [];
        page.on('console', (message) => complaints.push(message.text()));
        await page.goto(pathToFileURL(file).href);
        expect(await page.evaluate('document.documentElement.scrollWidth')).to.equal(width);
        expect(await page.title()).to.equal('From ws to v2');
        expect(await page.evaluate('getComputedStyle(document.querySelector("main")).maxWidth')).to.equal(
          '900px',
        );
        expect(complaints).to.deep.equal([]);
        await page.close();
      }
    } finally {
      await browser.close();
      await rm(folder, { recursive: true });
    }
  });
});

describe('ctct migrate guide', () => {
  let folder: string;
  const file = (name: string) => path.join(folder, name);
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-guide-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('reads a folder, and passes over what is no request', async () => {
    await mkdir(file('calls/deep'), { recursive: true });
    await writeFile(file('calls/deep/clear.txt'), 'activityType=CLEAR_CONTACTS_FROM_LISTS&lists=2');
    await writeFile(file('calls/notes.txt'), 'nothing');
    await writeFile(file('calls/.hidden'), 'nothing');
    const { exit, stdout, stderr } = await ctct(['migrate', 'guide', file('calls')]);
    expect([exit, stdout.lines[0]]).to.deep.equal([0, '# From ws to v2']);
    expect(stderr.lines).to.have.length(1);
    expect(stderr.text).to.match(/^passed over: .*notes\.txt: holds no request/);
  });

  it('reads the journal of the emulator, and writes a page', async () => {
    const emulator = createEmulator();
    await emulator.fetch('http://localhost/ws/customers/joesflowers/activities', {
      method: 'POST',
      headers: { authorization: 'Bearer s3cret', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'activityType=SV_ADD&lists=1&data=Email%2CFirst+Name%0Aann%40example.com%2CAnn',
    });
    await writeFile(file('journal.ndjson'), emulator.requests.toNdjson());
    const argv = [
      'migrate',
      'guide',
      file('journal.ndjson'),
      '--title',
      'Our shop',
      '--out',
      file('guide.html'),
    ];
    const { exit, stderr } = await ctct(argv);
    expect([exit, stderr.text]).to.deep.equal([0, `The guide is ${file('guide.html')}\n`]);
    const page = await readFile(file('guide.html'), 'utf8');
    expect(page)
      .to.match(/^<!doctype html>/)
      .and.to.include('<h1>Our shop</h1>');
    expect(page).not.to.match(/s3cret|ann@/);
    expect((await ctct(argv)).stderr.text).to.include('is there already');
    expect((await ctct([...argv, '--force', '--format', 'markdown'])).exit).to.equal(0);
    expect(await readFile(file('guide.html'), 'utf8')).to.match(/^# Our shop/);
  });

  it('of the sample has its calls in order of risk', async () => {
    const { exit, stdout } = await ctct(['migrate', 'guide', 'samples/ws-calls.har']);
    expect(exit).to.equal(0);
    expect(stdout.text.match(/^### \d+\. .*$/gm)).to.deep.equal([
      '### 1. `POST activities, EXPORT_CONTACTS` (high risk)',
      '### 2. `POST activities, SV_ADD` (high risk)',
      '### 3. `GET activities/{id}` (medium risk)',
      '### 4. `GET lists` (medium risk)',
      '### 5. `GET activities/{id}.csv` (low risk)',
      '### 6. `POST activities, CLEAR_CONTACTS_FROM_LISTS` (low risk)',
    ]);
    expect(stdout.text)
      .to.include('Made 3 times')
      .and.not.to.match(/fred@|a2V5|secret/);
  });

  it('says what is wrong with the command', async () => {
    const form = 'activityType=CLEAR_CONTACTS_FROM_LISTS&lists=2';
    await writeFile(file('form.txt'), form);
    for (const [argv, words] of [
      [[file('none')], /none: there is no such file/],
      [[file('form.txt'), '--out', file('form.txt'), '--force'], /--out: is among what is read/],
      [['curl https://example.com/'], /none of the requests is to \/ws\/customers/],
    ] as const) {
      const { exit, stderr } = await ctct(['migrate', 'guide', ...argv]);
      expect(stderr.text).to.match(words);
      expect(exit).to.equal(2);
    }
    const inline = `curl -u k:s3cret https://api.constantcontact.com/ws/customers/joe/activities -d '${form}'`;
    const told = await ctct(['migrate', 'guide', inline]);
    expect(told.stdout.text).to.include('Read: `argument`').and.not.to.include('s3cret');
    const piped = await ctct(['migrate', 'guide', '-'], { input: form });
    expect([piped.exit, piped.stderr.text]).to.deep.equal([0, '']);
  });
});
