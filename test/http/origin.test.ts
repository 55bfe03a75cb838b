import { expect } from 'chai';
import fc from 'fast-check';
import { isLoopback, parseBaseUrl, placeOf, resolveLink, userPath } from '../../src/http/origin.js';
import { thrown } from './loopback.js';

const API = new URL('https://api.constantcontact.com');

describe('parseBaseUrl', () => {
  it('takes https anywhere, and http to this machine', () => {
    for (const url of [
      'https://api.constantcontact.com',
      'https://gateway.example.com:8443/prefix',
      'http://localhost:4000',
      'http://a.localhost',
      'http://127.0.0.1:43123',
      'http://127.255.255.254',
      'http://2130706433',
      'http://[::1]:80',
    ]) {
      expect(parseBaseUrl(url).href).to.equal(new URL(url).href);
    }
  });

  it('takes http to a host that is allowed by name, with its port or without', () => {
    expect(parseBaseUrl('http://gateway.example.com:8080', ['Gateway.Example.com']).port).to.equal('8080');
    expect(parseBaseUrl('http://gateway.example.com:8080', ['gateway.example.com:8080']).port).to.equal(
      '8080',
    );
    expect(
      thrown(() => parseBaseUrl('http://gateway.example.com:8080', ['gateway.example.com:80'])).code,
    ).to.equal('INSECURE_ORIGIN');
  });

  it('refuses http to any other host, and names the remedy', () => {
    for (const host of [
      'api.constantcontact.com',
      'localhost.example.com',
      'notlocalhost',
      '127.0.0.1.example.com',
      '128.0.0.1',
      '[::2]',
      '10.0.0.1',
    ]) {
      const error = thrown(() => parseBaseUrl(`http://${host}`));
      expect(error.code).to.equal('INSECURE_ORIGIN');
      expect(error.message).to.include(`https://${host}`).and.to.include(`allowHttp: ['${host}']`);
    }
  });

  it('refuses what is no http URL, and what has more in it than a place', () => {
    for (const url of [
      '',
      'api.constantcontact.com',
      'ftp://example.com',
      'https://',
      'https://key-7f3c11d2@example.com',
      'https://joe:key-7f3c11d2@example.com',
      'https://example.com?api_key=key-7f3c11d2',
      'https://example.com/#key-7f3c11d2',
      'joe:key-7f3c11d2@example.com',
      'key-7f3c11d2:joe@example.com',
    ]) {
      expect(thrown(() => parseBaseUrl(url)).code, url).to.equal('OPTION_INVALID');
    }
  });
});

describe('isLoopback', () => {
  it('holds for all of 127.0.0.0/8', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(octet, octet, octet, octet, (a, b, c, d) => {
        expect(isLoopback(`127.${b}.${c}.${d}`)).to.equal(true);
        expect(isLoopback(`${a}.${b}.${c}.${d}`)).to.equal(a === 127);
      }),
    );
  });

  it('knows names, and is not taken in by names that look alike', () => {
    for (const name of ['localhost', 'LOCALHOST', 'localhost.', 'x.localhost', '::1', '[::1]']) {
      expect(isLoopback(name), name).to.equal(true);
    }
    for (const name of ['xlocalhost', 'localhost.com', '127.0.0.256', '127.0.0', '127.1.1.1.1', '[::]', '']) {
      expect(isLoopback(name), name).to.equal(false);
    }
  });
});

describe('resolveLink', () => {
  const from = new URL('https://api.constantcontact.com/ws/customers/joe/activities?next=1');

  it('resolves relative, empty and absolute links', () => {
    const links = {
      '/ws/customers/joe/activities/a1': '/ws/customers/joe/activities/a1',
      'a1.csv': '/ws/customers/joe/a1.csv',
      '': '/ws/customers/joe/activities?next=1',
      '?next=2': '/ws/customers/joe/activities?next=2',
      'https://API.constantcontact.com:443/x#top': '/x',
      '//api.constantcontact.com/y': '/y',
      'https://joe:pw@api.constantcontact.com/z': '/z',
    };
    for (const [href, path] of Object.entries(links)) {
      expect(resolveLink(href, from, API).href, href).to.equal(`https://api.constantcontact.com${path}`);
    }
  });

  it('upgrades http links to the host of an https base', () => {
    const upgraded = resolveLink('http://api.constantcontact.com/ws/x', from, API);
    expect(upgraded.href).to.equal('https://api.constantcontact.com/ws/x');
    const base = new URL('https://gateway.example.com:8443');
    for (const host of ['gateway.example.com', 'gateway.example.com:8443']) {
      expect(resolveLink(`http://${host}/x`, base, base).href).to.equal('https://gateway.example.com:8443/x');
    }
    expect(() => resolveLink('http://gateway.example.com:8444/x', base, base)).to.throw(
      /gateway.example.com:8444/,
    );
  });

  it('refuses other origins', () => {
    for (const href of [
      'https://evil.example.com/x',
      '//evil.example.com/x',
      '\\\\evil.example.com/x',
      'https://api.constantcontact.com.example.com/',
      'https://api.constantcontact.com@evil.example.com/',
      'https://api.constantcontact.com:444/',
      'http://api.constantcontact.com:8080/',
      'blob:https://api.constantcontact.com/x',
      'file:///etc/passwd',
      'javascript:alert(1)',
      'ftp://api.constantcontact.com/',
      'https://[/',
    ]) {
      expect(thrown(() => resolveLink(href, from, API)).code, href).to.equal('FOREIGN_ORIGIN');
    }
    const local = new URL('http://127.0.0.1:4000');
    expect(thrown(() => resolveLink('http://127.0.0.1:4001/x', local, local)).code).to.equal(
      'FOREIGN_ORIGIN',
    );
    expect(thrown(() => resolveLink('https://127.0.0.1:4000/x', local, local)).code).to.equal(
      'FOREIGN_ORIGIN',
    );
  });

  it('never returns another origin, nor a user, whatever the link', () => {
    const odd = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc
        .array(
          fc.constantFrom(
            'http:',
            'https:',
            '/',
            '//',
            '\\',
            '@',
            ':',
            '..',
            'api.constantcontact.com',
            '#',
            '?',
            'x',
          ),
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(odd, (href) => {
        let url: URL;
        try {
          url = resolveLink(href, from, API);
        } catch (error) {
          expect(error).to.have.property('code', 'FOREIGN_ORIGIN');
          return;
        }
        expect(url.href.startsWith('https://api.constantcontact.com/')).to.equal(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('tells of a link that is no URL no user, no password and no query, nor a secret', () => {
    for (const [href, told] of [
      ['https://joe:pw-12345@[x/y?access_token=abcdefgh', 'https://***@[x/y?…'],
      ['//x:http://http:?@:..', '//x:http://***@:..'],
      ['https://[tok-5d0aa81c/', 'https://[***/'],
    ] as const) {
      const error = thrown(() => resolveLink(href, from, API, ['tok-5d0aa81c']));
      expect(error.message).to.equal(`the service gave a link that is no URL: "${told}"`);
    }
  });

  it('tells where the link led, without its query, and not at any length', () => {
    const error = thrown(() =>
      resolveLink('https://evil.example.com/x?access_token=tok-5d0aa81c', from, API),
    );
    expect(error.message).to.include('https://evil.example.com/x').and.not.to.include('?');
    const long = thrown(() => resolveLink(`https://evil.example.com/${'x'.repeat(9000)}`, from, API));
    expect(long.message.length).to.be.lessThan(500);
  });
});

describe('placeOf', () => {
  it('shows a URL without query, user and password', () => {
    expect(placeOf(new URL('https://joe:pw@example.com/a?b#c'))).to.equal('https://example.com/a');
    expect(placeOf(new URL('data:text/plain,key-7f3c11d2'))).to.equal('data:');
  });
});

describe('userPath', () => {
  it('is one segment that decodes to the user', () => {
    const user = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter(
        (text) => text.trim() !== '' && !/[/\\\p{Cc}\p{Cs}]/u.test(text) && !/^(\.|%2e){1,2}$/i.test(text),
      );
    fc.assert(
      fc.property(user, (name) => {
        const url = new URL(`https://example.com/ws/customers/${userPath(name)}/activities`);
        const segments = url.pathname.split('/');
        expect(segments).to.have.length(5);
        expect(decodeURIComponent(segments[3]!)).to.equal(name);
        expect(url.search + url.hash).to.equal('');
      }),
    );
  });

  it('encodes what old accounts have in their names', () => {
    expect(userPath("joe's flowers & co")).to.equal("joe's%20flowers%20%26%20co");
    expect(userPath('joe@example.com')).to.equal('joe%40example.com');
  });

  it('refuses what would be another path', () => {
    for (const user of ['', ' ', '.', '..', '%2e', '%2E%2e', '.%2e', 'a/b', 'a\\b', 'a\nb', '\0', '\ud800']) {
      expect(thrown(() => userPath(user)).code, JSON.stringify(user)).to.equal('OPTION_INVALID');
    }
  });
});
