import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { emulated, leapingClock } from './harness.js';

const CONTACTS = fileURLToPath(new URL('../../samples/contacts.csv', import.meta.url));
const ADD = ['add', CONTACTS, '--list', '2', '--output', 'json'];

/** A command line whose creations meet this; `answer` lets one through. */
function meeting(fate: (answer: () => Promise<Response>) => Promise<Response>) {
  const { emulator, ctct } = emulated();
  const fetch = (input: Request | string | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    const answer = () => emulator.fetch(request.clone());
    return request.method === 'GET' ? answer() : fate(answer);
  };
  const held = async () => {
    const ids: string[] = [];
    for await (const { id } of emulator.account('joesflowers')!.list()) ids.push(id);
    return ids;
  };
  return { held, ctct: (argv: readonly string[]) => ctct(argv, { fetch: fetch }) };
}

const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
const LOST =
  'POST https://api.constantcontact.com/ws/customers/joesflowers/activities got no answer: the connection was reset (ECONNRESET)';

describe('ctct, when the answer to a creation is lost', () => {
  it('finds the activity, says so, and goes on', async () => {
    const { ctct, held } = meeting(async (answer) => {
      await answer();
      throw reset();
    });
    const { exit, stdout, stderr } = await ctct(ADD);
    const [id] = await held();
    expect(exit).to.equal(0);
    expect(await held()).to.have.length(1);
    expect(stdout.text).to.include(`"${id}"`);
    expect(stderr.text)
      .to.include(`${LOST}; looking whether the activity is there all the same`)
      .and.to.include(`found it: activity ${id} was created`);
  });

  it('says what it looked at and what to do, when there is none', async () => {
    const { ctct, held } = meeting(() => Promise.reject(reset()));
    const { exit, stderr } = await ctct(ADD);
    expect(exit).to.equal(6);
    expect(await held()).to.deep.equal([]);
    expect(stderr.lines.slice(-2)).to.deep.equal([
      `ctct: ${LOST}; the activities were listed for 120 s, and no new one showed, so that most likely none was created. ` +
        'Look once more before you send it again',
      '  look before you try again: ctct list --limit 5',
    ]);
  });

  it('names those that may be it', async () => {
    const { ctct, held } = meeting(async (answer) => {
      await answer();
      await answer();
      throw reset();
    });
    const { exit, stderr } = await ctct(ADD);
    expect(exit).to.equal(6);
    const ids = await held();
    expect(stderr.lines.slice(-2)).to.have.members(
      ids.map((id) => `  look before you try again: ctct show ${id}`),
    );
  });

  it('says when the calls of the day are used up until', async () => {
    const { ctct } = meeting(() =>
      Promise.resolve(new Response('mashery.not.authorized.over.ratelimit', { status: 403 })),
    );
    const { exit, stderr } = await ctct(ADD);
    expect(exit).to.equal(5);
    expect(stderr.lines.at(-1)).to.equal('  try again from 2008-04-30T00:00:00.000Z on');
    expect(new Date(leapingClock().now()).toISOString()).to.include('2008-04-29');
  });
});
