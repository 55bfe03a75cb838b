import { expect } from 'chai';
import fc from 'fast-check';
import { UsageError } from '../../src/activity/errors.js';
import {
  applyCredentials,
  checkCredentials,
  readCredentials,
  secretsOf,
  type Credentials,
} from '../../src/http/credentials.js';
import { redact } from '../../src/http/failures.js';
import { BASIC, SECRETS, thrown, TOKEN } from './loopback.js';

function applied(credentials: Credentials, url = 'https://api.constantcontact.com/ws'): Request {
  const request = { url: new URL(url), headers: {} as Record<string, string> };
  applyCredentials(credentials, request);
  return new Request(request.url, { headers: request.headers });
}

function withHeader(authorization: string): Request {
  return new Request('https://api.constantcontact.com/ws', { headers: { authorization } });
}

function basic(text: string | Uint8Array): string {
  return Buffer.from(text as string).toString('base64');
}

const text = (forbidden: RegExp) =>
  fc.string({ unit: 'binary' }).map((string) => string.replace(forbidden, ''));
const anyCredentials: fc.Arbitrary<Credentials> = fc.oneof(
  fc.record({
    scheme: fc.constant('basic' as const),
    apiKey: text(/[%:\p{Cc}\p{Cs}]/gu),
    user: text(/[:\p{Cc}\p{Cs}]/gu),
    password: text(/[\p{Cc}\p{Cs}]/gu),
  }),
  fc.record({
    scheme: fc.constantFrom('bearer' as const, 'access_token' as const),
    token: fc.stringMatching(/^[!-~]+$/),
  }),
);

describe('credentials', () => {
  it('read back what was applied', () => {
    fc.assert(
      fc.property(anyCredentials, (credentials) => {
        expect(readCredentials(applied(credentials))).to.deep.equal(credentials);
      }),
    );
  });

  it('put the percent sign as it is between API key and user', () => {
    const header = applied({ scheme: 'basic', apiKey: 'k', user: 'joe%40', password: 'p:%ü' }).headers.get(
      'authorization',
    );
    expect(header).to.equal(`Basic ${basic('k%joe%40:p:%ü')}`);
  });

  it('leave the rest of the query as the service wrote it', () => {
    const url = 'https://api.constantcontact.com/ws?next=a%20b~%2B+c&access_token=old&x&access_token_type=1';
    expect(new URL(applied({ scheme: 'access_token', token: 'a+b' }, url).url).search).to.equal(
      '?next=a%20b~%2B+c&x&access_token_type=1&access_token=a%2Bb',
    );
    expect(applied({ scheme: 'bearer', token: 'b' }, url).url).to.equal(url);
  });

  it('of v2 are the key in the query, once, and the token in the header', () => {
    const word = fc.stringMatching(/^[!-~]+$/);
    fc.assert(
      fc.property(word, word, (apiKey, token) => {
        const request = applied(
          { scheme: 'api_key', apiKey, token },
          'https://api.constantcontact.com/v2/activities?api_key=old&status=ALL&api_key_2=x',
        );
        const { searchParams } = new URL(request.url);
        expect(searchParams.getAll('api_key')).to.deep.equal([apiKey]);
        expect([searchParams.get('status'), searchParams.get('api_key_2')]).to.deep.equal(['ALL', 'x']);
        expect(request.headers.get('authorization')).to.equal(`Bearer ${token}`);
      }),
    );
  });

  it('refuse what the scheme cannot carry, naming the field and not its value', () => {
    const cases: [Credentials, string][] = [
      [{ ...BASIC, apiKey: 'key-7f3c11d2:' }, 'credentials.apiKey'],
      [{ ...BASIC, apiKey: 'key-7f3c11d2%' }, 'credentials.apiKey'],
      [{ ...BASIC, user: 'a:b' }, 'credentials.user'],
      [{ ...BASIC, user: 'a\0' }, 'credentials.user'],
      [{ ...BASIC, password: `${BASIC.password}\n` }, 'credentials.password'],
      [{ ...BASIC, password: '\ud800' }, 'credentials.password'],
      [{ scheme: 'bearer', token: '' }, 'credentials.token'],
      [{ scheme: 'bearer', token: `${TOKEN}\r\nx: y` }, 'credentials.token'],
      [{ scheme: 'access_token', token: `${TOKEN} ` }, 'credentials.token'],
      [{ scheme: 'bearer', token: undefined as unknown as string }, 'credentials.token'],
      [{ scheme: 'api_key', apiKey: 'k y', token: TOKEN }, 'credentials.apiKey'],
      [{ scheme: 'api_key', apiKey: 'key', token: '' }, 'credentials.token'],
    ];
    for (const [credentials, field] of cases) {
      const error = thrown(() => {
        checkCredentials(credentials);
      });
      expect(error.code).to.equal('OPTION_INVALID');
      expect(error.message).to.include(field);
      expect(thrown(() => applied(credentials)).message).to.equal(error.message);
    }
  });

  it('that are none, or of no known scheme, are refused without telling what they hold', () => {
    const cases: [unknown, string, RegExp][] = [
      [
        undefined,
        'CREDENTIALS_REQUIRED',
        /^credentials: must be \{ scheme: 'basic', apiKey, user, password \}/,
      ],
      [null, 'CREDENTIALS_REQUIRED', /^credentials: must be/],
      [TOKEN, 'CREDENTIALS_REQUIRED', /^credentials: must be/],
      [{}, 'OPTION_INVALID', /^credentials.scheme: must be 'basic', 'bearer', 'access_token' or 'api_key'$/],
      [{ scheme: 'oauth', token: TOKEN }, 'OPTION_INVALID', /^credentials.scheme: must be/],
      [{ scheme: TOKEN }, 'OPTION_INVALID', /^credentials.scheme: must be/],
      [{ scheme: 'basic' }, 'OPTION_INVALID', /^credentials.apiKey: must be text$/],
      [{ ...BASIC, user: 5 }, 'OPTION_INVALID', /^credentials.user: must be text$/],
      [{ ...BASIC, password: undefined }, 'OPTION_INVALID', /^credentials.password: must be text$/],
      [{ scheme: 'bearer' }, 'OPTION_INVALID', /^credentials.token: must be text$/],
      [{ scheme: 'access_token', token: 5 }, 'OPTION_INVALID', /^credentials.token: must be text$/],
    ];
    for (const [credentials, code, says] of cases) {
      const error = thrown(() => {
        checkCredentials(credentials as Credentials);
      });
      expect(error).to.be.instanceOf(UsageError);
      expect(error.code).to.equal(code);
      expect(error.message).to.match(says);
      expect(thrown(() => applied(credentials as Credentials)).message).to.equal(error.message);
    }
  });

  it('have their secrets in every spelling that others on the way may echo', () => {
    const token = 'a\'b"c<d>e&f(g)~h!i*j%k+l';
    const url = applied({ scheme: 'access_token', token }).url;
    for (const echoed of [
      url,
      new URLSearchParams({ access_token: token }).toString(),
      url.replace(/%../g, (code) => code.toLowerCase()),
      'a&apos;b&quot;c&lt;d&gt;e&amp;f(g)~h!i*j%k+l',
      'a&#39;b&#34;c&lt;d&gt;e&amp;f(g)~h!i*j%k+l',
      'a&#039;b&quot;c&lt;d&gt;e&amp;f(g)~h!i*j%k+l',
      'a&#x27;b"c&lt;d>e&#38;f(g)~h!i*j%k+l',
    ]) {
      const shown = redact(`you sent ${echoed}.`, secretsOf({ scheme: 'access_token', token }));
      expect(shown, echoed).to.match(/^you sent (https:[^?]+\?)?(access_token=)?\*\*\*\.$/);
    }
  });

  it('have their secrets in every spelling they are sent in', () => {
    for (const credentials of [
      BASIC,
      { scheme: 'bearer', token: TOKEN },
      { scheme: 'access_token', token: TOKEN },
      { scheme: 'api_key', apiKey: BASIC.apiKey, token: TOKEN },
    ] as const) {
      const request = applied(credentials);
      let shown = `${request.url} ${request.headers.get('authorization') ?? ''} ${JSON.stringify(credentials)}`;
      for (const secret of secretsOf(credentials)) shown = shown.replaceAll(secret, '***');
      for (const secret of SECRETS) expect(shown).not.to.include(secret);
    }
    expect(secretsOf(undefined)).to.deep.equal([]);
    expect(secretsOf({ ...BASIC, password: '' })).not.to.include('');
  });
});

describe('readCredentials', () => {
  it('takes blanks, any case of the scheme, no padding, and no API key', () => {
    const joe = { scheme: 'basic', apiKey: '', user: 'joe', password: 'pw' };
    expect(readCredentials(withHeader(`  bAsIc   ${basic('joe:pw')}  `))).to.deep.equal(joe);
    expect(readCredentials(withHeader(`BASIC ${basic('joe:pw').replace(/=+$/, '')}`))).to.deep.equal(joe);
    expect(readCredentials(withHeader('bearer  abc'))).to.deep.equal({ scheme: 'bearer', token: 'abc' });
  });

  it('splits at the first percent sign and at the first colon', () => {
    expect(readCredentials(withHeader(`Basic ${basic('k%j%oe:p%w:x')}`))).to.deep.equal({
      scheme: 'basic',
      apiKey: 'k',
      user: 'j%oe',
      password: 'p%w:x',
    });
    expect(readCredentials(withHeader(`Basic ${basic('joe:p%w')}`))).to.include({ apiKey: '', user: 'joe' });
  });

  it('reads Latin-1 where it is not UTF-8', () => {
    const latin1 = Buffer.from('k%joe:Gänse', 'latin1');
    expect(readCredentials(withHeader(`Basic ${basic(latin1)}`))).to.include({ password: 'Gänse' });
  });

  it('finds none where there are none that can be read', () => {
    for (const header of [
      '',
      'Basic',
      'Basic !!!!',
      'Basic YQ=x',
      `Basic ${basic('no colon')}`,
      'Digest x',
      'Bearer',
    ]) {
      expect(readCredentials(withHeader(header)), header).to.equal(undefined);
    }
    expect(readCredentials(new Request('https://example.com/?access_token='))).to.equal(undefined);
  });

  it('takes the header before the query', () => {
    const request = new Request('https://example.com/?access_token=q', {
      headers: { authorization: 'Bearer h' },
    });
    expect(readCredentials(request)).to.deep.equal({ scheme: 'bearer', token: 'h' });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]*$/), (value) => {
        for (const scheme of ['Basic', 'Bearer', '']) {
          const read = readCredentials(withHeader(`${scheme} ${value}`));
          expect(['basic', 'bearer', 'access_token', undefined]).to.include(read?.scheme);
        }
      }),
    );
  });
});
