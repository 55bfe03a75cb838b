import { expect } from 'chai';
import { COLUMNS } from '../../src/activity/columns.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { translateActivity } from '../../src/translate/activity.js';
import { translateCall } from '../../src/translate/call.js';
import { API_KEY_PLACE, asHttp, TOKEN_PLACE } from '../../src/translate/print.js';
import { rawCall } from '../../src/translate/raw-http.js';
import { readCalls } from '../../src/translate/read-calls.js';
import { BODY_FORMS } from '../../src/translate/body-forms.js';
import { decodeRecord } from '../../src/v2/records.js';
import { decodeEntry } from '../../src/ws/records.js';
import { fixtures, splitMessage } from '../support/fixtures.js';
import { complaints, REQUEST_SCHEMAS } from '../v2/schemas.js';

/** The emulator with the members that the fixtures begin with. */
function start() {
  const clock = createVirtualClock();
  const members = {
    '2': ['old@example.com', 'user1@example.com'],
    '5': ['ann@example.com', 'old@example.com'],
  };
  const lists = Object.entries(members).map(([id, list]) => ({ id, name: `List ${id}`, members: list }));
  const emulator = createEmulator({ clock, accounts: [{ user: 'joesflowers', lists }] });
  const account = emulator.account('joesflowers')!;
  return { clock, emulator, account };
}

/** Who is in the lists, and what is known of them, where v2 keeps it. */
async function state({ account }: ReturnType<typeof start>) {
  const found: unknown[] = [];
  for (const list of ['2', '5']) {
    for await (const { emailAddress } of account.directory.members(list)) found.push([list, emailAddress]);
  }
  const emails = [...new Set(found.map((entry) => (entry as string[])[1] ?? ''))];
  for await (const { emailAddress, values } of account.directory.contacts({ emails })) {
    const kept = COLUMNS.flatMap(({ ws, v2Upload }) => {
      const value = values.get(ws);
      return v2Upload === undefined || value === undefined ? [] : [[ws, value]];
    });
    found.push([emailAddress, kept]);
  }
  return found;
}

async function sentToWs(raw: Buffer) {
  const run = start();
  const { startLine, headers, body } = splitMessage(raw);
  const target = startLine.split(' ')[1] ?? '';
  const response = await run.emulator.fetch(`http://localhost${target}`, { method: 'POST', headers, body });
  expect(response.status, await response.clone().text()).to.equal(201);
  const { id } = decodeEntry(Buffer.from(await response.arrayBuffer())).record;
  await run.clock.advance('1h');
  return { activity: await run.account.get(id), state: await state(run) };
}

describe('translated requests', () => {
  for (const fixture of fixtures('ws/requests').filter(({ name }) => !name.startsWith('refused'))) {
    for (const form of BODY_FORMS) {
      it(`${fixture.name}, as ${form}: v2 does the same`, async () => {
        const raw = fixture.bytes('request.http');
        const ws = await sentToWs(raw);
        const run = start();
        const [call] = await readCalls(raw, { source: fixture.name });
        const { counterpart } = await translateCall(call!, { to: 'v2', body: form });
        expect(counterpart).to.have.length(1);
        const { method, url, body } = counterpart[0]!;
        if (body?.form === 'json') {
          const operation = url.replace(/^.*\//, '') as keyof typeof REQUEST_SCHEMAS;
          expect(complaints(REQUEST_SCHEMAS[operation], body.json)).to.equal('');
        }
        // As it is printed, the credentials filled in.
        const printed = asHttp(counterpart[0]!).toString('latin1').replace(API_KEY_PLACE, 'k');
        const filled = printed.replace(TOKEN_PLACE, 'joesflowers');
        const sent = rawCall(Buffer.from(filled, 'latin1'), 'printed');
        expect(sent.method).to.equal(method);
        const response = await run.emulator.fetch(sent.url, {
          method: sent.method,
          headers: Object.fromEntries(
            [...sent.headers].filter(([name]) => !/^(?:host|content-length)$/.test(name)),
          ),
          body: Buffer.from(sent.body),
        });
        const answer = Buffer.from(await response.arrayBuffer());
        expect(response.status, answer.toString()).to.equal(201);
        await run.clock.advance('1h');
        const done = await run.account.get(decodeRecord(answer).record.id);
        expect(await state(run)).to.deep.equal(ws.state);
        const told = (activity: typeof done) => {
          const { type, status, error_count, contact_count } = translateActivity(activity, {
            to: 'v2',
          }).counterpart;
          return { type, status, error_count, contact_count };
        };
        expect(told(done)).to.deep.equal(told(ws.activity));
      });
    }
  }

  for (const fixture of fixtures('ws/requests').filter(({ name }) => name.startsWith('refused'))) {
    it(`${fixture.name}: what ws does not take is refused`, async () => {
      const [call] = await readCalls(fixture.bytes('request.http'), { source: 'request.http' });
      let error: unknown;
      await translateCall(call!, { to: 'v2' }).catch((reason: unknown) => (error = reason));
      expect(error)
        .to.be.an('error')
        .with.property('message')
        .that.matches(/^request\.http: ws itself does not take/);
    });
  }
});
