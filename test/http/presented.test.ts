import { expect } from 'chai';
import { digestResponse, Nonces, parseDigest } from '../../src/http/digest.js';
import { readPresented } from '../../src/http/presented.js';

const URL_ = 'https://api.constantcontact.com/ws/customers/joe/lists?next=a';
const withHeader = (authorization: string, url = URL_) => new Request(url, { headers: { authorization } });

function digestHeader(nonce: string, uri: string, password: string): string {
  const fields = `username="key%joe", realm="r", nonce="${nonce}", uri="${uri}", qop=auth, nc=00000001, cnonce="c"`;
  const answer = parseDigest(`Digest ${fields}, response="x"`)!;
  return `Digest ${fields}, response="${digestResponse(answer, 'GET', password) ?? ''}"`;
}

describe('readPresented', () => {
  it('reads Basic, bearer and access tokens as they are, and nothing from nothing', () => {
    const basic = `Basic ${btoa('key%joe:secret')}`;
    expect(readPresented(withHeader(basic), { nonces: new Nonces(), oauth1: true })).to.deep.equal({
      scheme: 'basic',
      apiKey: 'key',
      user: 'joe',
      password: 'secret',
    });
    expect(readPresented(withHeader('Bearer t0ken'))).to.deep.equal({ scheme: 'bearer', token: 't0ken' });
    expect(readPresented(new Request(URL_), { oauth1: true })).to.equal(undefined);
    expect(readPresented(new Request(URL_))).to.equal(undefined);
  });

  it('Digest is verified against password, nonce and the URI asked for', () => {
    const nonces = new Nonces();
    const verified = (header: string, password = 'secret', url = URL_) => {
      const presented = readPresented(withHeader(header, url), { nonces });
      return presented?.scheme === 'digest' && presented.verify(password);
    };
    const path = '/ws/customers/joe/lists?next=a';
    expect(verified(digestHeader(nonces.make(), path, 'secret'))).to.equal(true);
    expect(verified(digestHeader(nonces.make(), URL_, 'secret'))).to.equal(true);
    expect(verified(digestHeader(nonces.make(), path, 'secret'), 'other')).to.equal(false);
    expect(verified(digestHeader('0123456789abcdef', path, 'secret'))).to.equal(false);
    expect(verified(digestHeader(nonces.make(), '/ws/customers/joe/lists', 'secret'))).to.equal(false);
    expect(verified(digestHeader(nonces.make(), 'http://[', 'secret'))).to.equal(false);
    const presented = readPresented(withHeader(digestHeader('n', path, 'secret')), { nonces });
    expect(presented).to.include({ scheme: 'digest', apiKey: 'key', user: 'joe' });
  });

  it('Digest is nothing where no nonces are given out, and a user without an API key has none', () => {
    expect(readPresented(withHeader(digestHeader('n', '/', 'secret')))).to.equal(undefined);
    const bare = digestHeader('n', '/', 'secret').replace('key%joe', 'joe');
    expect(readPresented(withHeader(bare), { nonces: new Nonces() })).to.include({ apiKey: '', user: 'joe' });
  });

  it('OAuth is read from header, query or form, where it is taken', () => {
    const own = {
      oauth_consumer_key: 'key',
      oauth_token: 't',
      oauth_signature: 'c&u',
      oauth_signature_method: 'PLAINTEXT',
    };
    const header = Object.entries(own).map(([name, value]) => `${name}="${encodeURIComponent(value)}"`);
    const signed = [
      readPresented(withHeader(`OAuth ${header.join(', ')}`), { oauth1: true }),
      readPresented(new Request(`${URL_}&${new URLSearchParams(own).toString()}`), { oauth1: true }),
      readPresented(new Request(URL_), { oauth1: true, form: Object.entries(own) }),
    ];
    for (const presented of signed) {
      expect(presented).to.include({ scheme: 'oauth1', consumerKey: 'key', token: 't' });
      if (presented?.scheme !== 'oauth1') return;
      expect(presented.verify({ consumerSecret: 'c', tokenSecret: 'u' })).to.equal(true);
      expect(presented.verify({ consumerSecret: 'c', tokenSecret: 'x' })).to.equal(false);
    }
    expect(readPresented(withHeader(`OAuth ${header.join(', ')}`))).to.equal(undefined);
  });
});
