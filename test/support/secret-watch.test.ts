import { expect } from 'chai';
import { CtctError, ServiceError, TransportError, UsageError } from '../../src/activity/errors.js';
import { revealedBy, secretsWritten, SecretWatch } from './secret-watch.js';

// Put together, so that the watch over the whole suite does not know it.
const PLANTED = ['pl4nted', 'in-a-test'].join('-');

describe('SecretWatch', () => {
  let watch: SecretWatch;

  beforeEach(() => {
    watch = new SecretWatch([PLANTED]);
    watch.start();
  });
  afterEach(() => watch.stop());

  it('finds a secret wherever an error holds it, in whatever class of the family', () => {
    const cause = new Error('inner', { cause: new Error(`deep: ${PLANTED}`) });
    const planted: Record<string, () => Error> = {
      message: () => new UsageError('OPTION_INVALID', `password ${PLANTED} is wrong`),
      inspect: () => new TransportError('RESPONSE_LOST', 'lost', { sent: 'maybe', cause }),
      field: () => new ServiceError('SERVICE_REFUSED', 'no', { status: 400, detail: `you said ${PLANTED}` }),
    };
    for (const [place, plant] of Object.entries(planted)) {
      plant();
      watch.check(place);
    }
    expect(watch.found).to.deep.equal([
      'message: message of UsageError',
      'inspect: inspect of TransportError',
      'field: inspect of ServiceError',
    ]);
    expect(watch.seen).to.equal(3);
  });

  it('finds it in the stack, and in what toJSON makes', () => {
    const error = new UsageError('OPTION_INVALID', 'no');
    error.stack = `UsageError: no\n    at ${PLANTED}`;
    expect(revealedBy(error, [PLANTED])).to.equal('stack');
    const hidden = Object.defineProperty(new Error('no'), 'toJSON', { value: () => ({ token: PLANTED }) });
    expect(revealedBy(hidden, [PLANTED])).to.equal('JSON');
  });

  it('finds credentials as they travel without knowing them', () => {
    for (const text of [
      'GET https://api.constantcontact.com/ws?access_token=abcdefgh failed',
      'sent Authorization: Bearer abcdefgh12345678',
      'GET https://joe:pw1@api.constantcontact.com/ failed',
    ]) {
      expect(revealedBy(new Error(text), []), text).to.equal('message');
    }
    for (const text of [
      'access_token=*** Bearer *** https://joe:***@host/',
      'credentials must be given as Bearer token, or ?access_token=',
      'file https://example.com:443/a@b',
    ]) {
      expect(revealedBy(new Error(text), []), text).to.equal(undefined);
    }
  });

  it('looks at every message, however many errors there are, and keeps only a few', () => {
    for (let index = 0; index < 5000; index++) new UsageError('OPTION_INVALID', `number ${index}`);
    new UsageError('OPTION_INVALID', `the last: ${PLANTED}`);
    watch.check('many');
    expect(watch.seen).to.equal(5001);
    expect(watch.found).to.have.length(1);
  });

  it('finds nothing where nothing is, and leaves the errors as they are', () => {
    const error = new UsageError('OPTION_INVALID', 'password must be text');
    watch.check('clean');
    expect(watch.found).to.deep.equal([]);
    expect(error).to.be.instanceOf(UsageError).and.instanceOf(CtctError).and.instanceOf(Error);
    expect(error.stack).to.match(/^UsageError: password must be text\n {4}at /);
    watch.stop();
    new UsageError('OPTION_INVALID', PLANTED);
    expect(watch.seen).to.equal(1);
  });

  it('takes the secrets from the tests themselves, in every spelling they are sent in', () => {
    const source = `
      const c = { scheme: 'basic', apiKey: 'k-77', user: 'joe', password: 'p%w:x-9' };
      const env = { CTCT_ACCESS_TOKEN: "to'ken-1", password: 'password', token: '' };
    `;
    const secrets = secretsWritten([source]);
    expect(secrets).to.include.members([
      'p%w:x-9',
      encodeURIComponent('p%w:x-9'),
      "to'ken-1",
      Buffer.from('k-77%joe:p%w:x-9').toString('base64'),
    ]);
    expect(secrets).not.to.include.members(['password']);
    expect(secrets.filter((secret) => secret.length < 6)).to.deep.equal([]);
  });
});
