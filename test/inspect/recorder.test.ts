import { expect } from 'chai';
import { createEmulator } from '../../src/emulator/emulator.js';

const authorization = `Basic ${Buffer.from('key-1234%joesflowers:pass-5678').toString('base64')}`;

describe('recorded', () => {
  it('writes down a request that broke off, too', async () => {
    const emulator = createEmulator();
    let pieces = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (pieces++ === 0) controller.enqueue(Buffer.from('activityType=SV_ADD&data='));
        else controller.error(new Error('gone'));
      },
    });
    const request = new Request('http://localhost/ws/customers/joesflowers/activities', {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
      body,
      duplex: 'half',
    });
    expect(await emulator.fetch(request).catch(String)).to.include('gone');
    expect([...emulator.requests]).to.have.length(1);
    expect(emulator.requests.last).to.deep.include({
      method: 'POST',
      user: 'joesflowers',
      scheme: 'basic',
      refusal: { reason: 'The body of the request broke off.' },
    });
    expect(emulator.requests.last).not.to.have.property('status');
    expect(emulator.account('joesflowers')!.activityCount).to.equal(0);
  });
});
