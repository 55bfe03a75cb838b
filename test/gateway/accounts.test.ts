import { expect } from 'chai';
import { accountsOf, type SignIn } from '../../src/gateway/accounts.js';
import { hashPassword } from '../../src/gateway/password.js';
import { applyCredentials, type Credentials } from '../../src/http/credentials.js';
import { digestResponse, Nonces, parseDigest } from '../../src/http/digest.js';
import { readPresented, type PresentedCredentials } from '../../src/http/presented.js';

const USER = 'joesflowers';
const OLD = { apiKey: 'old-key-1', password: 'old-pass-1' };
const account = { user: USER, apiKey: 'new-key-1', accessToken: 'new-token-1' };
const URI = `https://gateway.example.com/ws/customers/${USER}/activities`;

/** What a server makes of what a client sends. */
function sent(credentials: Credentials): PresentedCredentials | undefined {
  const request = { url: new URL(URI), headers: {} as Record<string, string> };
  applyCredentials(credentials, request);
  return readPresented(new Request(request.url, { headers: request.headers }));
}

const basic = (user: string, apiKey: string, password: string) =>
  sent({ scheme: 'basic', user, apiKey, password });
const found = async (signIn: SignIn, presented: PresentedCredentials | undefined, user = USER) =>
  accountsOf([{ account, signIn }]).find(user, presented);

describe('the accounts of a gateway', () => {
  it('let in who shows what is expected, and nobody else', async () => {
    const withKey = { basic: OLD };
    expect(await found(withKey, basic(USER, OLD.apiKey, OLD.password))).to.equal(account);
    expect(await found(withKey, basic('JoesFlowers', OLD.apiKey, OLD.password), 'JOESFLOWERS')).to.equal(
      account,
    );
    for (const presented of [
      undefined,
      basic(USER, OLD.apiKey, 'other'),
      basic(USER, 'other', OLD.password),
      basic(USER, '', OLD.password),
      basic('ann', OLD.apiKey, OLD.password),
      // What the gateway itself has for v2 is nothing that an old client may come with.
      basic(USER, account.apiKey, account.accessToken),
      sent({ scheme: 'bearer', token: account.accessToken }),
      sent({ scheme: 'bearer', token: OLD.password }),
    ]) {
      expect(await found(withKey, presented)).to.equal(undefined);
    }
    expect(await found(withKey, basic('ann', OLD.apiKey, OLD.password), 'ann')).to.equal(undefined);
  });

  it('look at the API key only where one is given', async () => {
    const signIn = { basic: { password: OLD.password } };
    expect(await found(signIn, basic(USER, 'whatever', OLD.password))).to.equal(account);
    expect(await found(signIn, basic(USER, '', OLD.password))).to.equal(account);
    expect(await found(signIn, basic(USER, '', 'other'))).to.equal(undefined);
  });

  it('know a password by its hash', async () => {
    const signIn = { basic: { password: await hashPassword(OLD.password) } };
    expect(await found(signIn, basic(USER, '', OLD.password))).to.equal(account);
    expect(await found(signIn, basic(USER, '', signIn.basic.password))).to.equal(undefined);
  });

  it('know a token, in the header and in the query', async () => {
    const signIn = { token: 'old-token-1' };
    for (const scheme of ['bearer', 'access_token'] as const) {
      expect(await found(signIn, sent({ scheme, token: 'old-token-1' }))).to.equal(account);
      expect(await found(signIn, sent({ scheme, token: 'old-token-2' }))).to.equal(undefined);
      expect(await found({ basic: OLD }, sent({ scheme, token: 'old-token-1' }))).to.equal(undefined);
    }
  });

  it('verify Digest', async () => {
    const nonces = new Nonces();
    const nonce = nonces.make();
    const path = new URL(URI).pathname;
    const presented = (apiKey: string, user: string, password: string) => {
      const header = (response: string) =>
        `Digest username="${apiKey}%${user}", realm="r", nonce="${nonce}", uri="${path}", response="${response}"`;
      const answer = parseDigest(header('0'));
      const response = answer === undefined ? '' : (digestResponse(answer, 'GET', password) ?? '');
      return readPresented(new Request(URI, { headers: { authorization: header(response) } }), { nonces });
    };
    const signIn = { digest: OLD };
    expect(await found(signIn, presented(OLD.apiKey, USER, OLD.password))).to.equal(account);
    expect(await found(signIn, presented(OLD.apiKey, USER, 'other'))).to.equal(undefined);
    expect(await found(signIn, presented('other', USER, OLD.password))).to.equal(undefined);
    expect(await found(signIn, presented(OLD.apiKey, 'ann', OLD.password))).to.equal(undefined);
    expect(await found({ basic: OLD }, presented(OLD.apiKey, USER, OLD.password))).to.equal(undefined);
  });

  it('verify OAuth 1.0a', async () => {
    const presented = (consumer: string, token: string, consumerSecret: string, tokenSecret: string) =>
      readPresented(
        new Request(URI, {
          headers: {
            authorization:
              `OAuth oauth_consumer_key="${consumer}", oauth_token="${token}", ` +
              `oauth_signature_method="PLAINTEXT", oauth_signature="${consumerSecret}%26${tokenSecret}"`,
          },
        }),
        { oauth1: true },
      );
    const secrets = { consumerSecret: 'cs-1', tokenSecret: 'ts-1' };
    const named = { oauth1: { ...secrets, consumerKey: 'ck-1', token: 'tk-1' } };
    expect(await found({ oauth1: secrets }, presented('any', 'any', 'cs-1', 'ts-1'))).to.equal(account);
    expect(await found(named, presented('ck-1', 'tk-1', 'cs-1', 'ts-1'))).to.equal(account);
    expect(await found(named, presented('ck-1', '', 'cs-1', 'ts-1'))).to.equal(undefined);
    expect(await found(named, presented('ck-2', 'tk-1', 'cs-1', 'ts-1'))).to.equal(undefined);
    expect(await found(named, presented('ck-1', 'tk-1', 'cs-1', 'ts-2'))).to.equal(undefined);
    expect(await found({ basic: OLD }, presented('ck-1', 'tk-1', 'cs-1', 'ts-1'))).to.equal(undefined);
  });

  it('are had by user in any case, and all', () => {
    const ann = { user: 'Ann', apiKey: 'k', accessToken: 't' };
    const accounts = accountsOf([
      { account, signIn: {} },
      { account: ann, signIn: {} },
    ]);
    expect(accounts.get('JOESFLOWERS')).to.equal(account);
    expect(accounts.get('ann')).to.equal(ann);
    expect(accounts.get('bob')).to.equal(undefined);
    expect(accounts.all()).to.deep.equal([account, ann]);
  });
});
