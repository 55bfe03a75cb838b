import { expect } from 'chai';
import {
  ERROR_CODES,
  ServiceError,
  UsageError,
  WaitTimeoutError,
  type ErrorCode,
} from '../../src/activity/errors.js';
import { EXIT_CODES, exitCodeLines, exitOf } from '../../src/cli/exit-codes.js';

describe('exit codes', () => {
  it('are the documented ones, each for one meaning', () => {
    const codes = Object.values(EXIT_CODES).map(({ code }) => code);
    expect(codes).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130]);
  });

  it('are 0 or 3 for no error whatever', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      expect(['ok', 'rows'], code).not.to.include(exitOf(new UsageError(code, '')));
    }
  });

  it('follow the code of the error', () => {
    const expected = {
      OPTION_INVALID: 'usage',
      CREDENTIALS_REQUIRED: 'credentials',
      UNAUTHORIZED: 'credentials',
      REQUEST_NOT_SENT: 'temporary',
      RATE_LIMITED: 'temporary',
      CREATE_AMBIGUOUS: 'ambiguous',
      NOT_FOUND: 'notFound',
      ABORTED: 'interrupted',
      ACTIVITY_FAILED: 'failure',
    } as const;
    for (const [code, exit] of Object.entries(expected)) {
      expect(exitOf(new UsageError(code as ErrorCode, ''))).to.equal(exit);
    }
    const facts = { activityId: 'a', lastStatus: undefined, waited: 1 };
    expect(exitOf(new WaitTimeoutError('', facts))).to.equal('waiting');
  });

  it('tell a service that is down for a while from one that refuses', () => {
    const refused = (status: number) => new ServiceError('SERVICE_REFUSED', '', { status, detail: '' });
    expect([400, 500, 502, 503, 504].map((status) => exitOf(refused(status)))).to.deep.equal([
      'failure',
      'failure',
      'temporary',
      'temporary',
      'temporary',
    ]);
  });

  it('are failure for what is no error of the package', () => {
    expect(exitOf(new TypeError('x'))).to.equal('failure');
    expect(exitOf('text')).to.equal('failure');
  });

  it('are told one a line', () => {
    expect(exitCodeLines()[3]).to.equal('    3  finished, but some rows or records had errors');
    expect(exitCodeLines()).to.have.length(11);
  });
});
