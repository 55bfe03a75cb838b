import { expect } from 'chai';
import type { CredentialsSeed } from '../../src/emulator/seed.js';
import { admits } from '../../src/emulator/admission.js';
import type { PresentedCredentials } from '../../src/http/presented.js';

const basic = (user: string, password: string, apiKey = 'key'): PresentedCredentials => ({
  scheme: 'basic',
  apiKey,
  user,
  password,
});
const digest = (user: string, password: string, apiKey = 'key'): PresentedCredentials => ({
  scheme: 'digest',
  apiKey,
  user,
  verify: (wanted) => wanted === password,
});
const signed = (
  secrets: string,
  token: string | undefined = 't0ken',
  consumerKey = 'key',
): PresentedCredentials => ({
  scheme: 'oauth1',
  consumerKey,
  token,
  verify: ({ consumerSecret, tokenSecret }) => `${consumerSecret}&${tokenSecret}` === secrets,
});
const bearer: PresentedCredentials = { scheme: 'bearer', token: 't0ken' };

describe('admits', () => {
  const check = (credentials: CredentialsSeed | undefined, presented: PresentedCredentials | undefined) =>
    admits({ user: 'JoesFlowers', credentials }, presented);

  it('nobody without credentials', () => {
    expect(check(undefined, undefined)).to.equal(false);
  });

  it('anybody who names the user, or none, where the seed wants nothing', () => {
    for (const presented of [basic('joesflowers', 'x'), digest('joesflowers', 'x'), signed('x'), bearer]) {
      expect(check(undefined, presented), presented.scheme).to.equal(true);
      expect(check({}, presented), presented.scheme).to.equal(true);
    }
    expect(check(undefined, basic('other', 'x'))).to.equal(false);
    expect(check(undefined, digest('other', 'x'))).to.equal(false);
  });

  it('passwords and API keys, sent or proved, that are the seed’s', () => {
    const wanted = { apiKey: 'key', password: 'secret' };
    for (const make of [basic, digest]) {
      expect(check(wanted, make('joesflowers', 'secret'))).to.equal(true);
      expect(check(wanted, make('joesflowers', 'wrong'))).to.equal(false);
      expect(check(wanted, make('joesflowers', 'secret', 'other'))).to.equal(false);
      expect(check({ apiKey: 'key' }, make('joesflowers', 'any'))).to.equal(true);
      expect(check({ password: 'secret' }, make('joesflowers', 'secret', ''))).to.equal(true);
    }
    expect(check(wanted, bearer)).to.equal(false);
    expect(check(wanted, signed('x'))).to.equal(false);
  });

  it('signatures made with the seed’s secrets, and with any where it has none', () => {
    const secrets = { consumerSecret: 'c', tokenSecret: 's' };
    expect(check(secrets, signed('c&s'))).to.equal(true);
    expect(check(secrets, signed('c&x'))).to.equal(false);
    expect(check({ consumerSecret: 'c' }, signed('c&'))).to.equal(true);
    expect(check({ tokenSecret: 's' }, signed('&s'))).to.equal(true);
    expect(check({ ...secrets, apiKey: 'other' }, signed('c&s'))).to.equal(false);
    expect(check({ ...secrets, accessToken: 'other' }, signed('c&s'))).to.equal(false);
    expect(check({ apiKey: 'key', accessToken: 't0ken' }, signed('any'))).to.equal(true);
    expect(check(secrets, basic('joesflowers', 'x'))).to.equal(false);
    expect(check(secrets, bearer)).to.equal(false);
  });

  it('a token that is the seed’s', () => {
    expect(check({ accessToken: 't0ken' }, bearer)).to.equal(true);
    expect(check({ accessToken: 'other' }, bearer)).to.equal(false);
    expect(check({ accessToken: 't0ken' }, basic('joesflowers', 'x'))).to.equal(false);
  });
});
