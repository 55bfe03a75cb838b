import { expect } from 'chai';
import type { Browser, Page } from 'playwright-core';
import { createEmulator, type Emulator } from '../../src/emulator/emulator.js';
import { createVirtualClock, type VirtualClock } from '../../src/emulator/virtual-clock.js';
import { openChromium } from '../support/chromium.js';

const HOSTILE = '"><script>globalThis.hacked = 1</script><img src=x onerror="globalThis.hacked = 1">';
const authorization = `Basic ${Buffer.from('key%joesflowers:secret').toString('base64')}`;

describe('the page of the emulator', () => {
  let browser: Browser | undefined;
  let emulator: Emulator<VirtualClock>;
  let url: string;
  const complaints: string[] = [];

  before(async function () {
    this.timeout(30_000);
    browser = await openChromium(this);
  });
  after(() => browser?.close());
  beforeEach(async () => {
    complaints.length = 0;
    emulator = createEmulator({
      clock: createVirtualClock(),
      accounts: [
        {
          user: 'joesflowers',
          lists: [{ id: '2', name: `Spring ${HOSTILE}`, members: ['fred@example.com'] }],
        },
        { user: 'annsflowers' },
      ],
    });
    ({ url } = await emulator.listen());
  });
  afterEach(async () => {
    await Promise.all(browser?.contexts().map((context) => context.close()) ?? []);
    await emulator.close();
    expect(complaints).to.deep.equal([]);
  });

  async function opened(width = 1280, dark = false): Promise<Page> {
    const page = await browser!.newPage({
      viewport: { width, height: 900 },
      colorScheme: dark ? 'dark' : 'light',
    });
    page.on('console', (message) => {
      // A refused change is an answer of 400, and that the browser tells too.
      if (!message.text().includes('400 (Bad Request)')) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(`${url}/__emulator/`)) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(`${url}/__emulator/`);
    await page.waitForSelector('#link[data-state=live]');
    return page;
  }

  async function upload(data: string, path = 'activities'): Promise<Response> {
    return fetch(`${url}/ws/customers/joesflowers/${path}`, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams({
        activityType: 'SV_ADD',
        data,
        lists: `${url}/ws/customers/joesflowers/lists/2`,
      }),
    });
  }

  it('shows an upload come in, moves the clock, sees it COMPLETE, and puts in a fault', async function () {
    this.timeout(30_000);
    const page = await opened();
    expect(await page.textContent('#now')).to.match(/^19:30:00 2008-04-29 UTC/);
    expect(await page.isVisible('#activities')).to.equal(false);

    await upload(`Email Address,First Name\nann@example.com,Ann\nbob,${HOSTILE.replaceAll('"', "'")}\n`);
    const row = page.locator('#activities tbody tr');
    await row.waitFor();
    expect(await row.locator('.pill').textContent()).to.equal('PENDING');
    expect(await page.locator('#requests .made').textContent()).to.match(
      /^SV_ADD with 2 contacts became a07e1/,
    );

    // Focus and what is open stay, whatever comes in.
    const button = page.getByRole('button', { name: '+5 minutes' });
    await button.focus();
    await page.keyboard.press('Enter');
    await row.locator('.pill.good').waitFor();
    expect(await row.locator('.pill').textContent()).to.equal('COMPLETE');
    expect(await page.textContent('#now')).to.match(/^19:35:00/);
    expect(await page.evaluate('document.activeElement.textContent')).to.equal('+5 minutes');
    expect(await page.textContent('#news')).to.include('ADD_CONTACT_DETAIL is COMPLETE');
    expect(await row.locator('details').textContent()).to.include('line 3: bob');
    expect(await page.locator('#lists tbody tr').nth(3).locator('td').nth(1).textContent()).to.equal('2');

    await page.selectOption('#fault-preset', 'qps403');
    await page.getByRole('button', { name: 'Add fault' }).click();
    await page.locator('#fault-list li').waitFor();
    expect((await upload('Email Address\nzoe@example.com\n')).status).to.equal(403);
    await page.getByText('status 403, all requests, once: done once').waitFor();
    await page.locator('#requests .made.bad', { hasText: 'Fault 1 was done to it: status 403' }).waitFor();
    await page.getByRole('button', { name: /^Remove fault/ }).click();
    await page.locator('#fault-none').waitFor();
    expect(emulator.faults.none).to.equal(true);
  });

  it('moves activities, freezes the clock, turns to another account, and begins anew', async function () {
    this.timeout(30_000);
    emulator.account('joesflowers')!.outcomes.add({ outcome: 'unconfirmed' });
    await upload('Email Address\nann@example.com\n');
    await upload('Ann,Smith\nBob,Jones\n');
    const page = await opened();
    const pill = page.locator('#activities tbody .pill');
    expect(await pill.textContent()).to.equal('UNCONFIRMED');
    await page.getByRole('button', { name: /^Move ADD_CONTACTS a07e1\w+ to COMPLETE$/ }).click();
    await page.locator('#activities .pill.good').waitFor();
    expect(await page.locator('#activities .move button').count()).to.equal(0);

    expect(await page.getAttribute('#freeze', 'aria-pressed')).to.equal('true');
    await page.click('#freeze');
    await page.waitForSelector('#freeze[aria-pressed=false]');
    expect(emulator.clock.running).to.equal(true);

    expect(await page.locator('#requests .why').textContent()).to.match(/^The first row .* is no heading/);
    await page.locator('#requests summary').last().click();
    expect(await page.locator('#requests dl').textContent()).to.include('contact1@example.com');

    await page.selectOption('#account', 'annsflowers');
    expect(await page.isVisible('#activities-none')).to.equal(true);
    page.once('dialog', (dialog) => void dialog.accept());
    await page.getByRole('button', { name: 'Reset everything' }).click();
    await page.locator('#requests-none').waitFor();
    expect(emulator.clock.running).to.equal(false);
    await page.selectOption('#account', 'joesflowers');
    expect(await page.isVisible('#activities-none')).to.equal(true);
  });

  it('keeps the focus where it is, or near, whatever goes away', async function () {
    this.timeout(30_000);
    const first = emulator.faults.add({ action: 'qps403', match: { path: 'none' } });
    emulator.faults.add({ action: 'status500', match: { path: 'none' } });
    await upload('Email Address\nann@example.com\n');
    const page = await opened();
    const focused = () => page.evaluate('document.activeElement.getAttribute("aria-label")');
    const id = emulator.account('joesflowers')!.snapshot().jobs.jobs[0]!.id;

    // Time goes on below somebody's hands.
    await page.getByRole('button', { name: /to ERROR$/ }).focus();
    emulator.account('joesflowers')!.transition(id, 'QUEUED');
    await page.locator('#activities .pill', { hasText: 'QUEUED' }).waitFor();
    expect(await focused()).to.equal(`Move ADD_CONTACTS ${id} to ERROR`);

    await page.getByRole('button', { name: /to RUNNING$/ }).focus();
    await page.keyboard.press('Enter');
    await page.locator('#activities .pill', { hasText: 'RUNNING' }).waitFor();
    expect(await focused()).to.equal(`Move ADD_CONTACTS ${id} to COMPLETE`);

    await page.getByRole('button', { name: /^Remove fault status 500/ }).focus();
    emulator.faults.remove(first);
    await page.locator('#fault-list li').nth(1).waitFor({ state: 'detached' });
    expect(await focused()).to.match(/^Remove fault status 500/);
  });

  it('says so when it has no connection, and when a change is refused', async function () {
    this.timeout(30_000);
    await upload('Email Address\nann@example.com\n');
    const page = await opened();
    const button = page.getByRole('button', { name: /to QUEUED$/ });
    await button.waitFor();
    await page.evaluate(
      'globalThis.realFetch = fetch; fetch = (path, ...rest) => path === "state" ? new Promise(() => {}) : realFetch(path, ...rest)',
    );
    await emulator.clock.advance('5m');
    await button.click();
    await page.locator('#failure', { hasText: 'COMPLETE already' }).waitFor();
    await page.evaluate('fetch = () => Promise.reject(new Error("gone"))');
    await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
    await page.waitForSelector('#link[data-state=lost]');
  });

  for (const [width, dark] of [
    [1280, false],
    [390, true],
  ] as const) {
    it(`fits a window ${width} wide, ${dark ? 'dark' : 'light'}, and shows what is hostile as text`, async function () {
      this.timeout(30_000);
      await upload(`Email Address,First Name\n${HOSTILE},${HOSTILE}\n`);
      await upload('', `activities/${encodeURIComponent(HOSTILE)}`);
      emulator.seed({ user: HOSTILE });
      await emulator.clock.advance('5m');
      const page = await opened(width, dark);
      expect(await page.locator('#lists tbody').textContent()).to.include(HOSTILE);
      await page.locator('#activities details summary').click();
      for (const summary of await page.locator('#requests summary').all()) await summary.click();
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).to.be.at.most(0);
      expect(await page.evaluate('globalThis.hacked')).to.equal(undefined);
      expect(await page.locator('main script, main img').count()).to.equal(0);
    });
  }

  it('can be used without seeing it: landmarks, names for all controls, headings in order', async function () {
    this.timeout(30_000);
    await upload('Email Address\nann@example.com\n');
    emulator.faults.add('slow');
    const page = await opened();
    for (const role of ['banner', 'main', 'contentinfo', 'log'] as const) {
      expect(await page.getByRole(role).count(), role).to.equal(1);
    }
    const regions = await page.getByRole('region').count();
    expect(regions).to.equal(await page.locator('main section').count());
    const nameless = await page.evaluate(
      `[...document.querySelectorAll('button, select')].filter((e) => e.getClientRects().length > 0 && !e.textContent.trim() && !e.labels?.length).length`,
    );
    expect(nameless).to.equal(0);
    expect(await page.getByLabel('What goes wrong').count()).to.equal(1);
    const headings = await page.evaluate(
      `[...document.querySelectorAll('h1, h2, h3')].map((e) => e.tagName).join(' ')`,
    );
    expect(headings).to.match(/^H1( H2)+$/);
  });

  it('is all the policy allows: its own three files, and nothing inline', async () => {
    const types: Record<string, string> = {
      '': 'text/html',
      'page.js': 'text/javascript',
      'page.css': 'text/css',
      'icon.svg': 'image/svg+xml',
    };
    for (const [path, type] of Object.entries(types)) {
      const answer = await fetch(`${url}/__emulator/${path}`);
      expect(answer.headers.get('content-type')).to.include(type);
      expect(answer.headers.get('x-content-type-options')).to.equal('nosniff');
      const policy = answer.headers.get('content-security-policy') ?? '';
      expect(policy)
        .to.include("default-src 'none'")
        .and.not.to.match(/unsafe|\*|https?:/);
    }
    const html = await (await fetch(`${url}/__emulator/`)).text();
    expect(html).not.to.match(
      /<script(?! src="page\.js")|<style|\sstyle=|\son\w+=|(?:src|href)="(?:https?:)?\/\//,
    );
  });
});
