import { expect } from 'chai';
import { inspect } from 'node:util';
import { CtctError, type ServiceError } from '../../src/activity/errors.js';
import type { Warning } from '../../src/activity/request.js';
import { V2Client } from '../../src/v2/client.js';
import { answering, closeServers } from '../http/loopback.js';
import { fixtures, plain, splitMessage } from '../support/fixtures.js';
import { complaints } from './schemas.js';

interface Expected {
  readonly call: 'create' | 'get';
  readonly schema?: boolean;
  readonly activity?: unknown;
  readonly warnings?: readonly string[];
  readonly error?: { readonly name: string; readonly code: string; status?: number; retryAfter?: number };
  readonly says?: string;
}

describe('v2 answers, as they were seen', () => {
  for (const fixture of fixtures('v2/answers')) {
    it(fixture.name, async () => {
      const expected = fixture.json('expected.json') as Expected;
      const raw = fixture.bytes('response.http');
      if (expected.schema !== undefined) {
        const schema =
          expected.error !== undefined ? 'errors' : expected.call === 'create' ? 'created' : 'activity';
        const complaint = complaints(schema, json(splitMessage(raw).body.toString()));
        expect(complaint === '', complaint).to.equal(expected.schema);
      }
      const { origin } = await answering(raw);
      const warnings: Warning[] = [];
      const client = new V2Client({
        credentials: { scheme: 'api_key', apiKey: 'k3y-s3cret', token: 't0ken-s3cret' },
        baseUrl: origin,
        retry: false,
        reconcile: false,
        onWarning: (warning) => warnings.push(warning),
      });
      const call =
        expected.call === 'get' ? client.get('a07e1il97e1hddalkpk') : client.clearLists({ lists: ['2'] });
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
          const { status, retryAfter } = error as ServiceError;
          expect(plain({ name, code, status, retryAfter })).to.deep.equal(expected.error);
          expect((error as Error).message).to.include(expected.says);
          for (const text of [
            (error as Error).message,
            (error as Error).stack,
            JSON.stringify(error),
            inspect(error),
          ]) {
            expect(text).not.to.match(/s3cret/);
          }
        }
        expect(warnings.map(({ message }) => message).join()).to.include(expected.warnings?.join() ?? '');
      } finally {
        await closeServers();
      }
    });
  }
});

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
