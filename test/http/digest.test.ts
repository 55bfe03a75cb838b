import { expect } from 'chai';
import fc from 'fast-check';
import { digestChallenge, digestResponse, isSame, Nonces, parseDigest } from '../../src/http/digest.js';

/** RFC 2617 section 3.5. */
const EXAMPLE =
  'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", ' +
  'uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", ' +
  'response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"';

describe('parseDigest', () => {
  it('reads the example of the RFC', () => {
    expect(parseDigest(EXAMPLE)).to.deep.equal({
      username: 'Mufasa',
      realm: 'testrealm@host.com',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      uri: '/dir/index.html',
      response: '6629fae49393a05397450978507c4ef1',
      qop: 'auth',
      nc: '00000001',
      cnonce: '0a4f113b',
      algorithm: 'MD5',
    });
  });

  it('takes fields in any order, with and without quotes, and escapes in quotes', () => {
    const answer = parseDigest(
      String.raw`digest  response=ABC , nonce = n1,algorithm=MD5-sess, uri="/a,b", username="a\"b\\c"`,
    );
    expect(answer).to.include({
      username: 'a"b\\c',
      nonce: 'n1',
      uri: '/a,b',
      response: 'abc',
      qop: undefined,
      algorithm: 'MD5-sess',
    });
  });

  it('is undefined for other schemes, and where something is missing', () => {
    for (const header of [
      'Basic abc',
      'Digest',
      'Digest username="a", nonce="b"',
      'Digest nonce="b", response="c"',
      'Digest username="a", response="c"',
    ]) {
      expect(parseDigest(header), header).to.equal(undefined);
    }
  });

  it('never throws, and takes no time over any header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
        parseDigest(`Digest ${text}`);
      }),
    );
    expect(parseDigest(`Digest username="${'\\'.repeat(50_000)}`)).to.equal(undefined);
  });
});

describe('digestResponse', () => {
  const answer = parseDigest(EXAMPLE)!;

  it('is that of the RFC', () => {
    expect(digestResponse(answer, 'GET', 'Circle Of Life')).to.equal('6629fae49393a05397450978507c4ef1');
    expect(digestResponse(answer, 'GET', 'circle of life')).not.to.equal(answer.response);
    expect(digestResponse(answer, 'POST', 'Circle Of Life')).not.to.equal(answer.response);
  });

  // Reckoned with md5sum(1): of "user:realm:pass", of "GET:/", and of the two with the nonce between.
  it('knows RFC 2069, which had no qop, and MD5-sess', () => {
    const plain = { ...answer, qop: undefined, username: 'user', realm: 'realm', nonce: 'n', uri: '/' };
    expect(digestResponse(plain, 'GET', 'pass')).to.equal('271bc7c16015f163ba68234c74f88486');
    expect(digestResponse({ ...plain, algorithm: 'MD5-sess', cnonce: 'c' }, 'GET', 'pass')).to.equal(
      'c21d813847ac0c2aa3792928e8cc5ec5',
    );
  });

  it('is undefined for what it does not know', () => {
    expect(digestResponse({ ...answer, qop: 'auth-int' }, 'GET', 'p')).to.equal(undefined);
    expect(digestResponse({ ...answer, algorithm: 'SHA-256' }, 'GET', 'p')).to.equal(undefined);
  });
});

describe('Nonces', () => {
  it('know their own, and no others', () => {
    const nonces = new Nonces();
    const made = Array.from({ length: 50 }, () => nonces.make());
    expect(new Set(made)).to.have.property('size', 50);
    for (const nonce of made) {
      expect(nonces.made(nonce)).to.equal(true);
      expect(nonces.made(nonce.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).to.equal(false);
      expect(new Nonces().made(nonce)).to.equal(false);
    }
    expect(nonces.made('')).to.equal(false);
  });

  it('stand in a challenge', () => {
    expect(digestChallenge('the realm', 'n1')).to.equal(
      'Digest qop="auth", realm="the realm", nonce="n1", algorithm=MD5',
    );
  });
});

describe('isSame', () => {
  it('is true for equal texts only', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(isSame(a, a)).to.equal(true);
        expect(isSame(a, b)).to.equal(a === b);
      }),
    );
  });
});
