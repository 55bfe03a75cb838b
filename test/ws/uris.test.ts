import { expect } from 'chai';
import fc from 'fast-check';
import { accountUris, activityIdOf, lastSegment } from '../../src/ws/uris.js';

const BASE = 'http://api.constantcontact.com/ws/customers/joesflowers';

describe('the URIs of an account', () => {
  it('end with the id, whatever it is', () => {
    const id = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(id, (text) => {
        const uris = accountUris('http://api.constantcontact.com', 'joesflowers');
        for (const uri of [uris.activity(text), uris.list(text), uris.contact(text)]) {
          expect(uri.startsWith(`${BASE}/`)).to.equal(true);
          expect(lastSegment(uri)).to.equal(text);
          expect(lastSegment(`${uri}/?x=/y#/z`)).to.equal(text);
          expect(lastSegment(uri.replace(/.$/, '\u200b\n $&\ufeff'))).to.equal(text);
        }
        expect(activityIdOf(uris.activity(text))).to.equal(text);
        expect(activityIdOf(`${uris.activity(text)}/`)).to.equal(text);
        for (const other of [
          uris.list(text),
          uris.activities,
          `${uris.activities}/`,
          `${uris.activity(text)}/x`,
          `${uris.activity(text)}?x`,
          `${uris.activity(text)}#x`,
          `${uris.activity(text)}//`,
        ]) {
          expect(activityIdOf(other), other).to.equal(undefined);
        }
      }),
    );
    expect(accountUris('http://api.constantcontact.com', 'joesflowers')).to.deep.include({
      activities: `${BASE}/activities`,
      lists: `${BASE}/lists`,
      contacts: `${BASE}/contacts`,
    });
  });

  it('have no last segment where there is none, and one that is no percent-encoding as it stands', () => {
    for (const [uri, segment] of [
      ['', ''],
      ['/', ''],
      ['?a', ''],
      ['a', 'a'],
      ['a/%zz', '%zz'],
      ['a/b?c?d', 'b'],
      ['a/b#c\nd', 'b'],
      [`${'x'.repeat(4094)}/y`, 'y'],
      [`${'x/'.repeat(2048)}y`, 'x'],
    ] as const) {
      expect(lastSegment(uri), uri.slice(-9)).to.equal(segment);
    }
    expect(activityIdOf(`${'x'.repeat(4083)}/activities/y`)).to.equal('y');
    expect(activityIdOf(`${'x'.repeat(4084)}/activities/y`)).to.equal(undefined);
  });
});
