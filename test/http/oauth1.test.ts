import { expect } from 'chai';
import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { readOAuth, signatureBase, verifyOAuth, type SignedRequest } from '../../src/http/oauth1.js';

const request = (
  url: string,
  parts: { method?: string; authorization?: string; form?: [string, string][] } = {},
): SignedRequest => ({
  method: parts.method ?? 'GET',
  url: new URL(url),
  authorization: parts.authorization,
  form: parts.form ?? [],
});

const SECRETS = { consumerSecret: 'kd94hf93k423kf44', tokenSecret: 'pfkkdhi9sl3r4s00' };

/** OAuth Core 1.0, appendix A.5. */
const PHOTOS_PARAMETERS =
  'oauth_consumer_key="dpf43f3p2l4k3l03",oauth_token="nnch734d00sl2jdk",oauth_signature_method="HMAC-SHA1",' +
  'oauth_signature="tR3%2BTy81lMeYAr%2FFid0kMTYa%2FWM%3D",oauth_timestamp="1191242096",' +
  'oauth_nonce="kllo9940pd9333jh",oauth_version="1.0"';
const PHOTOS = 'http://photos.example.net/photos?file=vacation.jpg&size=original';

/** RFC 5849 section 1.2. */
const RFC_PHOTOS =
  'OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="nnch734d00sl2jdk", ' +
  'oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131202", oauth_nonce="chapoH", ' +
  'oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"';

/** Does the answer to a signed request hold with these secrets? */
function holds(signed: SignedRequest, secrets = SECRETS): boolean {
  const answer = readOAuth(signed);
  return answer !== undefined && verifyOAuth(answer, signed, secrets);
}

describe('OAuth 1.0a', () => {
  it('the base string is that of RFC 5849 section 3.4.1.1', () => {
    const signed = request('http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b', {
      method: 'POST',
      authorization:
        'OAuth realm="Example", oauth_consumer_key="9djdj82h48djs9d2", oauth_token="kkk9d7dh3k39sjv7", ' +
        'oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201", oauth_nonce="7d8f3e4a", ' +
        'oauth_signature="bYT5CMsGcbgUdFHObYMEfcx6bsw%3D"',
      form: [
        ['c2', ''],
        ['a3', '2 q'],
      ],
    });
    expect(signatureBase(signed, 'http:', readOAuth(signed)!.parameters)).to.equal(
      'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26' +
        'c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26' +
        'oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7',
    );
  });

  it('the signatures of both specifications hold, in the header and in the query', () => {
    expect(
      holds(request(PHOTOS, { authorization: `OAuth realm="http://p/",${PHOTOS_PARAMETERS}` })),
    ).to.equal(true);
    expect(holds(request(PHOTOS, { authorization: RFC_PHOTOS }))).to.equal(true);
    const query = PHOTOS_PARAMETERS.replaceAll('"', '').replaceAll(',', '&');
    expect(holds(request(`${PHOTOS}&${query}`))).to.equal(true);
  });

  it('a signature does not hold with another secret, method, path or parameter', () => {
    const good = { authorization: RFC_PHOTOS };
    expect(holds(request(PHOTOS, good), { ...SECRETS, tokenSecret: '' })).to.equal(false);
    expect(holds(request(PHOTOS, good), { ...SECRETS, consumerSecret: 'other' })).to.equal(false);
    expect(holds(request(PHOTOS, { ...good, method: 'POST' }))).to.equal(false);
    expect(holds(request(PHOTOS.replace('original', 'large'), good))).to.equal(false);
    expect(holds(request(PHOTOS.replace('/photos?', '/photo?'), good))).to.equal(false);
    const other = RFC_PHOTOS.replace('HMAC-SHA1', 'RSA-SHA1');
    expect(holds(request(PHOTOS, { authorization: other }))).to.equal(false);
  });

  it('holds whichever scheme the server was reached by, and with the default port or without', () => {
    expect(holds(request(PHOTOS.replace('http:', 'https:'), { authorization: RFC_PHOTOS }))).to.equal(true);
    expect(holds(request(PHOTOS.replace('.net', '.net:80'), { authorization: RFC_PHOTOS }))).to.equal(true);
    expect(holds(request(PHOTOS.replace('.net', '.net:8080'), { authorization: RFC_PHOTOS }))).to.equal(
      false,
    );
  });

  it('PLAINTEXT is the secrets themselves', () => {
    const plain = (signature: string) =>
      request(
        `https://example.com/?oauth_consumer_key=k&oauth_signature_method=PLAINTEXT&oauth_signature=${encodeURIComponent(signature)}`,
      );
    expect(holds(plain('a%20b&c'), { consumerSecret: 'a b', tokenSecret: 'c' })).to.equal(true);
    expect(holds(plain('a b&c'), { consumerSecret: 'a b', tokenSecret: 'c' })).to.equal(false);
  });

  it('reads nothing where there is no key or signature', () => {
    for (const authorization of [undefined, 'Basic abc', 'OAuth', 'OAuth oauth_consumer_key="k"']) {
      const signed = { ...request('https://example.com/'), authorization };
      expect(readOAuth(signed), authorization ?? 'none').to.equal(undefined);
    }
    expect(readOAuth(request('https://example.com/?oauth_signature=x'))).to.equal(undefined);
    const broken = readOAuth(
      request('https://example.com/', {
        authorization: 'OAuth oauth_consumer_key="%zz", oauth_signature="x", oauth_token="", =',
      }),
    );
    expect(broken).to.include({ consumerKey: '%zz', signature: 'x', token: undefined });
  });

  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  const parameters = fc.array(fc.tuple(text, text), { maxLength: 4 });

  /** Written from the RFC's own words, in another way than the source. */
  function sign(method: string, uri: string, all: [string, string][], secret: string): string {
    const encode = (part: string) =>
      [...Buffer.from(part)]
        .map((byte) =>
          /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte))
            ? String.fromCharCode(byte)
            : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
        )
        .join('');
    const sorted = all
      .map(([name, value]) => ({ name: encode(name), value: encode(value) }))
      .sort(
        (a, b) =>
          Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) ||
          Buffer.compare(Buffer.from(a.value), Buffer.from(b.value)),
      );
    const normalized = sorted.map(({ name, value }) => `${name}=${value}`).join('&');
    const base = `${method}&${encode(uri)}&${encode(normalized)}`;
    return createHmac('sha1', secret).update(base).digest('base64');
  }

  it('any request signed by another implementation holds, its form signed or not', () => {
    fc.assert(
      fc.property(parameters, parameters, fc.boolean(), (query, form, signsForm) => {
        const own: [string, string][] = [
          ['oauth_consumer_key', 'key'],
          ['oauth_signature_method', 'HMAC-SHA1'],
        ];
        const uri = 'https://api.constantcontact.com/ws/customers/joe/activities';
        const signature = sign('POST', uri, [...query, ...own, ...(signsForm ? form : [])], 'c&t');
        const url = new URL(uri);
        for (const [name, value] of [...query, ...own, ['oauth_signature', signature] as const]) {
          url.searchParams.append(name, value);
        }
        const signed = request(url.href, { method: 'POST', form });
        expect(holds(signed, { consumerSecret: 'c', tokenSecret: 't' })).to.equal(true);
        expect(holds(signed, { consumerSecret: 'c', tokenSecret: 'u' })).to.equal(false);
      }),
    );
  });
});
