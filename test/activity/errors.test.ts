import { expect } from 'chai';
import { inspect } from 'node:util';
import type { Activity } from '../../src/activity/activity.js';
import {
  ActivityFailedError,
  AmbiguousCreateError,
  CtctError,
  DecodeError,
  describePosition,
  ERROR_CODES,
  ServiceError,
  TransportError,
  UnsupportedError,
  UsageError,
  WaitTimeoutError,
} from '../../src/activity/errors.js';

const position = { source: 'feed.xml', line: 12, column: 5, byteOffset: 345 };
const one: readonly CtctError[] = [
  new UsageError('LIST_REQUIRED', 'usage'),
  new TransportError('RESPONSE_LOST', 'transport', { sent: 'maybe', cause: new Error('inner') }),
  new ServiceError('NOT_FOUND', 'service', { status: 404, detail: 'x'.repeat(5000), retryAfter: 3 }),
  new ServiceError('NOT_FOUND', 'service', { status: 404, detail: '', cause: new Error('inner') }),
  new DecodeError('XML_TRUNCATED', 'decode', position),
  new DecodeError('FORM_MALFORMED', 'decode'),
  new WaitTimeoutError('wait', { activityId: 'a07e1', lastStatus: 'RUNNING', waited: 1000 }),
  new AmbiguousCreateError('ambiguous', ['a07e1', 'a07e2']),
  new ActivityFailedError('failed', 'a07e1'),
  new UnsupportedError('unsupported'),
];

describe('errors', () => {
  it('are one family, each with its name and a known code', () => {
    for (const error of one) {
      expect(error).to.be.instanceOf(CtctError).and.instanceOf(Error);
      expect(error.name).to.equal(error.constructor.name);
      expect(Object.keys(ERROR_CODES)).to.include(error.code);
      expect(inspect(error)).to.include(error.name);
    }
  });

  it('become plain data without cause and stack', () => {
    for (const error of one) {
      const data = JSON.parse(JSON.stringify(error)) as Record<string, unknown>;
      expect(data).to.include({ name: error.name, code: error.code, message: error.message });
      expect(data).not.to.have.any.keys('cause', 'stack');
    }
    expect(JSON.parse(JSON.stringify(one[6]))).to.deep.equal({
      name: 'WaitTimeoutError',
      code: 'WAIT_EXPIRED',
      message: 'wait',
      activityId: 'a07e1',
      activityIds: ['a07e1'],
      lastStatus: 'RUNNING',
      waited: 1000,
      tally: {},
      hint: 'wait for it again by its id',
    });
  });

  it('show their stack and public facts, and of what is behind them no more than stacks', () => {
    const secret = 's3cret';
    const inner = Object.assign(new Error('inner'), { request: { authorization: secret } });
    const outer = Object.assign(new TypeError('outer', { cause: inner }), { headers: [secret] });
    const error = new TransportError('RESPONSE_LOST', 'lost', { sent: 'maybe', cause: outer });
    for (const options of [{}, { depth: 20, showHidden: true, getters: true }]) {
      const shown = inspect({ error }, options);
      expect(shown).to.match(/TransportError \[RESPONSE_LOST\]: lost\n +at .*errors\.test/);
      expect(shown)
        .to.include('{"sent":"maybe"}')
        .and.match(/\[cause\]: TypeError: outer\n +at /);
      expect(shown).to.include('[cause]: Error: inner').and.not.include(secret);
    }
    expect(inspect(new UsageError('OPTION_INVALID', 'wrong'))).not.to.include('{');
    const odd = new TransportError('RESPONSE_LOST', 'lost', { sent: 'maybe', cause: { secret } });
    expect(inspect(odd)).to.include('[cause]: object').and.not.include(secret);
    delete odd.stack;
    expect(inspect(odd)).to.match(/^TransportError \[RESPONSE_LOST\]: lost \{/);
    const bare = Object.assign(new Error('bare'), { stack: undefined });
    const telling = new TransportError('RESPONSE_LOST', 'lost', { sent: 'maybe', cause: bare });
    expect(inspect(telling)).to.match(/\n {2}\[cause\]: bare$/);
    const long = Object.assign(new Error('long'), { stack: 'x'.repeat(20_000) });
    telling.cause = long;
    expect(inspect(telling)).to.match(/\[cause\]: x{10000}$/);
    const circle = new TransportError('RESPONSE_LOST', 'lost', { sent: 'maybe' });
    circle.cause = circle;
    expect(inspect(circle).split('[cause]')).to.have.length(6);
  });

  it('show their facts behind their stack, and nothing where there are none', () => {
    const bare = new UsageError('OPTION_INVALID', 'two\nlines');
    expect(inspect(bare)).to.match(/^UsageError \[OPTION_INVALID\]: two\nlines\n {4}at [^{}]*$/);
    delete bare.stack;
    expect(inspect(bare)).to.equal('UsageError [OPTION_INVALID]: two\nlines');
    const failed = new ActivityFailedError('failed', 'a07e1');
    delete failed.stack;
    expect(inspect(failed)).to.equal('ActivityFailedError [ACTIVITY_FAILED]: failed {"activityId":"a07e1"}');
  });

  it('of a wait tell what was seen last, but not in the JSON', () => {
    const seen = (id: string) => ({ id }) as Activity;
    const facts = { activityId: 'a07e2', lastStatus: 'RUNNING', waited: 5, tally: { RUNNING: 2 }, hint: 'x' };
    const lastActivities = [seen('a07e1'), seen('a07e2')];
    const error = new WaitTimeoutError('wait', { ...facts, activityIds: ['a07e1', 'a07e2'], lastActivities });
    expect(error.lastActivities).to.deep.equal(lastActivities);
    expect(error.lastActivity).to.equal(lastActivities[1]);
    expect(JSON.parse(JSON.stringify(error))).to.deep.equal({
      ...facts,
      name: 'WaitTimeoutError',
      code: 'WAIT_EXPIRED',
      message: 'wait',
      activityIds: ['a07e1', 'a07e2'],
    });
    const unseen = new WaitTimeoutError('wait', facts);
    expect(unseen.lastActivities).to.deep.equal([]);
    expect(unseen.lastActivity).to.equal(undefined);
  });

  it('keep what is behind them, and have no cause where there is none', () => {
    const cause = new Error('inner');
    for (const error of [
      new UsageError('OPTION_INVALID', 'x', { cause }),
      new TransportError('RESPONSE_LOST', 'x', { sent: 'no', cause }),
      new ServiceError('NOT_FOUND', 'x', { status: 404, detail: '', cause }),
      new DecodeError('FORM_MALFORMED', 'x', undefined, { cause }),
      new AmbiguousCreateError('x', [], { cause }),
    ]) {
      expect(error.cause).to.equal(cause);
    }
    const restacked = new UsageError('OPTION_INVALID', 'x', { cause });
    delete restacked.stack;
    Object.assign(restacked, { stack: 'at home', cause: 'behind' });
    expect(restacked.toJSON()).to.deep.equal({ name: 'UsageError', code: 'OPTION_INVALID', message: 'x' });
    for (const error of [one[0], one[2], one[4], one[6], one[7], one[8], one[9]]) {
      expect(error).not.to.have.property('cause');
    }
  });

  it('say when to try again', () => {
    const retryAt = new Date(0);
    const facts = { status: 429, detail: '', retryAt };
    expect(new ServiceError('RATE_LIMITED', 'x', facts).toJSON()).to.include({ retryAt });
    expect(new TransportError('RATE_LIMITED', 'x', { sent: 'no', retryAt }).toJSON()).to.include({ retryAt });
  });

  it('bound what they keep of an answer, and keep the cause', () => {
    expect((one[2] as ServiceError).detail).to.have.length(2000);
    expect(one[1]?.cause).to.be.instanceOf(Error);
    expect(one[3]?.cause).to.be.instanceOf(Error);
  });

  it('name the place first', () => {
    expect(one[4]?.message).to.equal('feed.xml:12:5 (byte 345): decode');
    expect(describePosition({ ...position, source: undefined })).to.equal('line 12:5 (byte 345)');
  });

  it('every code is explained in a sentence', () => {
    for (const [code, text] of Object.entries(ERROR_CODES)) {
      expect(code).to.match(/^[A-Z]+(?:_[A-Z0-9]+)*$/);
      expect(text, code).to.match(/^[A-Z].*\.$/);
    }
  });
});
