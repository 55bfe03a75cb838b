import { expect } from 'chai';
import fc from 'fast-check';
import { describePage } from '../../src/http/html-page.js';
import { exceededQuota, nextMidnight, quotaReset } from '../../src/http/quota.js';
import { dateOf, retryAfterOf } from '../../src/http/retry-after.js';

const NOW = Date.UTC(2011, 2, 1, 12);

describe('the gateway’s quotas', () => {
  it('are told by its codes, in the body or in a header, and by nothing else', () => {
    const table: readonly (readonly [number, string, ReturnType<typeof exceededQuota>])[] = [
      [403, 'mashery.not.authorized.over.qps', 'second'],
      [403, 'ERR_403_DEVELOPER_OVER_QPS', 'second'],
      [403, 'Account Over Queries Per Second Limit', undefined],
      [403, 'The Mashery account is over its queries-per-second quota.', 'second'],
      [429, 'mashery.not.authorized.over.qps', 'second'],
      [403, 'mashery.not.authorized.over.ratelimit', 'day'],
      [403, 'ERR_403_DEVELOPER_OVER_RATE', 'day'],
      [403, '<h1>Developer Over Rate</h1>', 'day'],
      [403, '', undefined],
      [403, 'ERR_403_NOT_AUTHORIZED', undefined],
      [400, 'mashery.not.authorized.over.qps', undefined],
      [200, 'mashery.not.authorized.over.ratelimit', undefined],
    ];
    for (const [status, said, quota] of table) {
      expect(exceededQuota(status, new Headers(), said), said).to.equal(quota);
      const headers = new Headers({ 'x-mashery-error-code': said });
      expect(exceededQuota(status, headers, ''), said).to.equal(quota);
    }
  });

  it('are reset when the answer says so, else at midnight UTC', () => {
    const at = (headers: Record<string, string>) =>
      new Date(quotaReset(new Headers(headers), NOW)).toISOString();
    expect(at({})).to.equal('2011-03-02T00:00:00.000Z');
    expect(at({ 'retry-after': '90' })).to.equal('2011-03-01T12:01:30.000Z');
    expect(at({ 'x-plan-quota-reset': 'Wednesday, March 2, 2011 4:00:00 AM GMT' })).to.equal(
      '2011-03-02T04:00:00.000Z',
    );
    expect(at({ 'x-packagekey-quota-reset': 'Tuesday, March 1, 2011 8:00:00 PM GMT' })).to.equal(
      '2011-03-01T20:00:00.000Z',
    );
    for (const odd of ['soon', '', 'Wednesday, March 2, 1911 4:00:00 AM GMT']) {
      expect(at({ 'x-plan-quota-reset': odd })).to.equal('2011-03-02T00:00:00.000Z');
    }
  });

  it('the next midnight is ahead, and less than a day', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (now) => {
        const midnight = nextMidnight(now);
        expect(midnight - now).to.be.within(1, 86_400_000);
        expect(new Date(midnight).toISOString()).to.match(/T00:00:00\.000Z$/);
      }),
    );
  });
});

describe('Retry-After', () => {
  it('is as many seconds, or a time by the clock of the answer', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }),
        (seconds, day) => {
          const date = new Date(Math.floor(day.getTime() / 1000) * 1000);
          const then = new Date(date.getTime() + seconds * 1000).toUTCString();
          expect(retryAfterOf(new Headers({ 'retry-after': String(seconds) }), NOW)).to.equal(seconds * 1000);
          const headers = new Headers({ 'retry-after': then, date: date.toUTCString() });
          expect(retryAfterOf(headers, NOW)).to.equal(seconds * 1000);
          expect(retryAfterOf(new Headers({ 'retry-after': then }), date.getTime() - 500)).to.equal(
            seconds * 1000 + 500,
          );
          expect(dateOf(headers)).to.equal(date.getTime());
        },
      ),
    );
  });

  it('is nothing where it cannot be read, and never negative', () => {
    for (const value of ['', 'soon', '-1', '1e5', '3,', '3, soon', ' ']) {
      expect(retryAfterOf(new Headers({ 'retry-after': value }), NOW), value).to.equal(undefined);
    }
    expect(retryAfterOf(new Headers(), NOW)).to.equal(undefined);
    expect(retryAfterOf(new Headers({ 'retry-after': new Date(NOW - 5000).toUTCString() }), NOW)).to.equal(0);
    expect(dateOf(new Headers({ date: 'today' }))).to.equal(undefined);
  });

  it('is never cut short, however it is written', () => {
    const twice = new Headers({ 'retry-after': '3' });
    twice.append('retry-after', '90');
    expect(retryAfterOf(twice, NOW)).to.equal(90_000);
    expect(retryAfterOf(new Headers({ 'retry-after': '1.0005' }), NOW)).to.equal(1001);
    for (const value of ['99999999999', '9'.repeat(400)]) {
      const asked = retryAfterOf(new Headers({ 'retry-after': value }), NOW) ?? 0;
      expect(asked, value).to.be.at.least(99 * 365 * 86_400_000);
      expect(new Date(NOW + asked).toISOString(), 'can be told').to.match(/^21/);
    }
  });
});

describe('describePage', () => {
  it('knows HTML by how it begins', () => {
    for (const page of [
      '<html>',
      '<HTML lang="en">',
      ' \n<!DOCTYPE html>',
      '<!doctype HTML PUBLIC "">',
      '<!-- x --><html>',
    ]) {
      expect(describePage(page), page).to.equal('an HTML page; this looks like a proxy or a login page');
    }
    expect(describePage('<html><title>\n Sign  in\u0007 </title>')).to.include('titled "Sign in"');
    expect(describePage(`<html><title>${'x'.repeat(300)}</title>`)?.length).to.be.below(200);
    for (const other of [
      '',
      'html',
      '<htmlx>',
      '<feed/>',
      '<?xml version="1.0"?><entry><html/></entry>',
      'a <html>',
      '<!DOCTYPE feed>',
    ]) {
      expect(describePage(other), other).to.equal(undefined);
    }
  });

  it('is not kept busy by a long text', () => {
    for (const long of [
      '<!--'.repeat(50_000),
      '<!-- -->'.repeat(25_000),
      ' '.repeat(500_000),
      `<?xml ${' '.repeat(500_000)}`,
    ]) {
      expect(describePage(long)).to.equal(undefined);
    }
  });
});
