import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import type { ArchiveRecord } from '../../src/archive/record.js';
import { writeReport } from '../../src/archive/report.js';
import { openChromium } from '../support/chromium.js';
import { anActivity } from '../support/stub-service.js';
import { archiveOf, aRecord } from './records.js';

async function page(records: Iterable<ArchiveRecord>): Promise<string> {
  let html = '';
  for await (const piece of writeReport(records, { title: 'An archive', sources: ['feeds/'] })) html += piece;
  return html;
}

const withoutScript = (html: string) => html.replace(/<script>[^]*?<\/script>/, '');

const HOSTILE = '"><script>globalThis.hacked = true</script><img src=x onerror="globalThis.hacked = true">';

const hostile = aRecord(
  anActivity({
    id: HOSTILE,
    type: HOSTILE,
    status: HOSTILE,
    fileName: HOSTILE,
    title: `\u202e${'long '.repeat(2000)}`,
    errors: [{ lineNumber: 1, emailAddress: HOSTILE, message: HOSTILE }],
    insertTime: new Date('2010-01-01T00:00:00Z'),
  }),
);

describe('the report of an archive', () => {
  it('is one file that names nothing outside of it, and allows no script but its own', async () => {
    const html = await page([...archiveOf(3, 5), hostile]);
    expect(html).to.match(/^<!doctype html>/i);
    const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html) ?? [];
    const allowed = policy.replaceAll('&#39;', "'");
    expect(allowed).to.include("default-src 'none'").and.to.include("script-src 'sha256-");
    expect(allowed).not.to.match(/unsafe|\*/);
    expect(html).not.to.match(/(?:src|href)="(?:https?:)?\/\//);
    expect(html).not.to.include('<img src=x');
    expect(html.match(/<script/g)).to.have.length(1);
  });

  it('says what is missing, and of what there are more than are listed', async () => {
    const empty = await page([]);
    for (const text of ['There are no dated activities.', 'There are no errors.', 'There are none.']) {
      expect(empty).to.include(text);
    }

    const bare = await page([aRecord(anActivity({ id: '' }))]);
    expect(bare).to.include('<em>no id</em>').and.to.include('There are no dated activities.');
    expect(withoutScript(bare)).not.to.match(/undefined|NaN|Invalid Date/);

    const uncounted = await page([aRecord(anActivity({ id: 'a07e1', errorCount: 3 }))]);
    expect(uncounted).to.include('3 errors are counted, and none is listed with its message.');
    expect(uncounted).to.include('data-errors');

    const time = (second: number) => new Date(Date.UTC(2011, 2, 1, 0, 0, second));
    const errors = [
      { lineNumber: undefined, emailAddress: undefined, message: '' },
      { lineNumber: 7, emailAddress: undefined, message: 'Invalid email' },
    ];
    const times = { updated: time(0), runStartTime: time(9), runFinishTime: time(5) };
    const odd = await page([
      aRecord(anActivity({ id: 'a07e1', status: 'ERROR', errors, errorCount: 5, ...times }), {
        salvaged: true,
      }),
      aRecord(anActivity({ id: 'a07e2', status: 'ODD', runStartTime: time(0), transactionCount: 5 })),
    ]);
    expect(odd).to.include('<em>no message</em>').and.to.include('Line 7: ');
    expect(odd).to.include('Of 5 errors counted, 2 are listed.').and.to.include('and 3 more errors');
    expect(odd)
      .to.include('<span class="pill bad">')
      .and.to.include('<span class="pill warn">salvaged</span>');
    expect(odd).to.include('<dt>Updated</dt>').and.to.include('1 without a date between 1990 and 2089');
    expect(withoutScript(odd)).not.to.match(/undefined|NaN|Invalid Date/);
  });

  describe('in a browser', () => {
    let browser: Browser;
    let folder: string;
    before(async function () {
      this.timeout(30_000);
      browser = await openChromium(this);
      folder = mkdtempSync(path.join(tmpdir(), 'ctct-report-'));
    });
    after(async () => {
      // Skipped, there is nothing to close.
      if ((folder as string | undefined) === undefined) return;
      await browser.close();
      rmSync(folder, { recursive: true });
    });

    async function opened(html: string, width: number, height: number, dark = false): Promise<Page> {
      const file = path.join(folder, 'report.html');
      writeFileSync(file, html);
      const url = pathToFileURL(file).href;
      const view = await browser.newPage({
        viewport: { width, height },
        colorScheme: dark ? 'dark' : 'light',
      });
      const complaints: string[] = [];
      view.on('console', (message) => complaints.push(message.text()));
      view.on('pageerror', (error) => complaints.push(error.message));
      view.on('request', (request) => {
        if (request.url() !== url) complaints.push(`asked for ${request.url()}`);
      });
      await view.goto(url);
      expect(complaints).to.deep.equal([]);
      return view;
    }

    for (const [width, height] of [
      [1280, 900],
      [390, 844],
    ] as const) {
      it(`fits a window ${width} wide, light and dark, full, empty and hostile`, async function () {
        this.timeout(30_000);
        for (const records of [[...archiveOf(36, 6)], [], [hostile]]) {
          const html = await page(records);
          for (const dark of [false, true]) {
            const view = await opened(html, width, height, dark);
            const over = await view.evaluate('document.documentElement.scrollWidth - innerWidth');
            expect(over, 'scrolls sideways by').to.be.at.most(0);
            expect(await view.evaluate('globalThis.hacked')).to.equal(undefined);
            expect(await view.screenshot()).to.have.length.greaterThan(5000);
            await view.close();
          }
        }
      });
    }

    it('sorts, searches and filters its table', async function () {
      this.timeout(30_000);
      const records = [...archiveOf(12, 8)];
      const view = await opened(await page(records), 1280, 900);
      const shown = async () =>
        Number(/of ([\d,]+)/.exec((await view.textContent('#shown')) ?? '')?.[1]?.replace(',', ''));
      expect(await shown()).to.equal(records.length);

      await view.check('#errors-only');
      expect(await shown()).to.equal(records.filter(({ activity }) => activity.errorCount > 0).length);
      await view.uncheck('#errors-only');

      const wanted = records[20]?.activity.id ?? '';
      await view.fill('#search', wanted);
      await view.waitForFunction("document.querySelectorAll('#activities tbody tr').length === 1");
      expect(await view.textContent('#activities tbody tr summary')).to.equal(wanted);
      await view.fill('#search', '');

      await view.selectOption('#type', { label: 'EXPORT_CONTACTS' });
      const exports = records.filter(({ activity }) => activity.type === 'EXPORT_CONTACTS');
      expect(await shown()).to.equal(exports.length);
      await view.selectOption('#type', '');

      const errors = view.locator('#activities th', { hasText: 'Errors' });
      await errors.locator('button').click();
      expect(await errors.getAttribute('aria-sort')).to.match(/ascending|descending/);
      const cells = await view.locator('#activities tbody tr td:nth-child(7)').allTextContents();
      const counts = cells.map((cell) => Number(cell.replace(/\D/g, '')));
      const sorted = [...counts].sort((a, b) => a - b);
      expect([sorted, [...sorted].reverse()]).to.deep.include(counts);
      await view.close();
    });
  });
});
