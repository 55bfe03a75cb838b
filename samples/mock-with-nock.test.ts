// Mocks single answers of the service with nock:  npx mocha mock-with-nock.test.ts
import { ServiceError, WsClient } from 'ctct-activities';
import nock from 'nock';
import assert from 'node:assert/strict';

const HOST = 'https://api.constantcontact.com';

describe('what my code does with an answer of the service', () => {
  const client = new WsClient({
    user: 'joesflowers',
    credentials: { scheme: 'bearer', token: 'any' },
    limiter: false, // or four calls a second are all there are, in tests too
    retry: false,
    reconcile: false,
  });

  before(() => {
    nock.disableNetConnect();
  });
  afterEach(() => {
    nock.cleanAll();
  });
  after(() => {
    nock.enableNetConnect();
    nock.restore();
  });

  it('takes the id of a new activity from its Location', async () => {
    nock(HOST)
      .post('/ws/customers/joesflowers/activities', /activityType=CLEAR_CONTACTS_FROM_LISTS/)
      .reply(201, '', { location: `${HOST}/ws/customers/joesflowers/activities/a07e1ffaxjxffmvj6qd` });
    assert.equal((await client.clearLists({ lists: ['2'] })).id, 'a07e1ffaxjxffmvj6qd');
  });

  it('sees the reason of a refusal', async () => {
    nock(HOST)
      .post('/ws/customers/joesflowers/activities')
      .reply(400, 'list 99 does not exist', { 'content-type': 'text/plain' });
    await assert.rejects(client.clearLists({ lists: ['99'] }), (error: unknown) => {
      assert.ok(error instanceof ServiceError);
      assert.deepEqual([error.status, error.detail], [400, 'list 99 does not exist']);
      return true;
    });
  });
});
