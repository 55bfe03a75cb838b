import { expect } from 'chai';
import type { ServiceError } from '../../src/activity/errors.js';
import { CtctError } from '../../src/activity/errors.js';
import type { Warning } from '../../src/activity/request.js';
import { WsClient } from '../../src/ws/client.js';
import { answering, closeServers } from '../http/loopback.js';
import { fixtures, plain } from '../support/fixtures.js';

interface Expected {
  readonly call: 'create' | 'get';
  readonly activity?: unknown;
  readonly warnings?: readonly string[];
  readonly error?: {
    readonly name: string;
    readonly code: string;
    status?: number;
    retryAfter?: number;
    retryAt?: string;
  };
  readonly says?: string;
}

describe('ws answers, as they were seen', () => {
  for (const fixture of fixtures('ws/answers')) {
    it(fixture.name, async () => {
      const expected = fixture.json('expected.json') as Expected;
      const { origin } = await answering(fixture.bytes('response.http'));
      const warnings: Warning[] = [];
      const client = new WsClient({
        user: 'joesflowers',
        credentials: { scheme: 'basic', apiKey: 'key', user: 'joesflowers', password: 's3cret' },
        baseUrl: origin,
        clock: { now: () => Date.UTC(2008, 3, 29, 19, 36, 10), sleep: () => Promise.resolve() },
        retry: false,
        reconcile: false,
        onWarning: (warning) => warnings.push(warning),
      });
      const call =
        expected.call === 'get' ? client.get('a07e1ffaxjyffmvqgiz') : client.clearLists({ lists: ['2'] });
      try {
        if (expected.error === undefined) {
          expect(plain(await call)).to.deep.equal(expected.activity);
        } else {
          const error = await call.then(
            () => undefined,
            (reason: unknown) => reason,
          );
          expect(error).to.be.instanceOf(CtctError);
          const { name, code } = error as CtctError;
          const { status, retryAfter, retryAt } = error as ServiceError;
          expect(plain({ name, code, status, retryAfter, retryAt })).to.deep.equal(expected.error);
          expect((error as Error).message).to.include(expected.says);
          // eslint-disable-next-line no-control-regex
          expect((error as Error).message).not.to.match(/[\u0000-\u001f]|s3cret|a2V5/);
          expect(JSON.stringify(error)).not.to.match(/s3cret|a2V5/);
        }
        expect(warnings.map(({ message }) => message).join()).to.include(expected.warnings?.join() ?? '');
      } finally {
        await closeServers();
      }
    });
  }
});
