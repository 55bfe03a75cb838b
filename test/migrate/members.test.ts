import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { createEmulator } from '../../src/emulator/emulator.js';
import { writeWhole } from '../../src/http/disk.js';
import { membersIn, readMembers } from '../../src/migrate/members.js';
import { V2Client } from '../../src/v2/client.js';
import { leapingClock } from '../cli/harness.js';

describe('the members of a list', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-members-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const many = Array.from({ length: 5_000 }, (_, n) => `Person${n}@Example.com`);

  function clientOf(answer?: (url: string) => Response | undefined) {
    const clock = leapingClock();
    const lists = [
      { id: '5', name: 'Shop', members: many },
      { id: '6', name: 'Empty' },
    ];
    const emulator = createEmulator({ clock, accounts: [{ user: 'joesflowers', lists }] });
    const fetch = async (input: Request | string | URL, init?: RequestInit) =>
      answer?.(input instanceof Request ? input.url : String(input)) ?? emulator.fetch(input, init);
    return new V2Client({
      credentials: { scheme: 'api_key', apiKey: 'k3y', token: 'joesflowers' },
      fetch,
      clock,
      random: () => 0,
    });
  }

  it('stand in a file of their own, for its owner only, in lower case', async () => {
    const file = path.join(folder, 'before');
    await writeFile(file, 'of an earlier try\n', { mode: 0o644 });
    expect(await readMembers(clientOf(), '5', file)).to.deep.equal({ count: many.length });
    const lines = (await readFile(file, 'utf8')).split('\n');
    expect(lines.pop()).to.equal('');
    expect(lines).to.have.members(many.map((address) => address.toLowerCase()));
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    const read: string[] = [];
    for await (const addresses of membersIn(file)) read.push(...addresses);
    expect(read).to.deep.equal(lines);
    expect(await readdir(folder)).to.deep.equal(['before']);
  });

  it('may be none', async () => {
    const file = path.join(folder, 'after');
    expect(await readMembers(clientOf(), '6', file)).to.deep.equal({ count: 0 });
    expect(await readFile(file, 'utf8')).to.equal('');
    const nothing = clientOf((url) => (url.includes('.csv') ? new Response('') : undefined));
    expect(await readMembers(nothing, '5', file)).to.deep.equal({ count: 0 });
    const blank = clientOf((url) =>
      url.includes('.csv') ? new Response('Name,Email\nAnn\nBob,B@example.com\n') : undefined,
    );
    expect(await readMembers(blank, '5', file)).to.deep.equal({ count: 1 });
    expect(await readFile(file, 'utf8')).to.equal('b@example.com\n');
  });

  it('are not taken from a file that has no addresses', async () => {
    const client = clientOf((url) =>
      url.includes('.csv')
        ? new Response('First Name\nAnn\n', { headers: { 'content-type': 'text/csv' } })
        : undefined,
    );
    const failed = await readMembers(client, '5', path.join(folder, 'x')).catch((error: unknown) => error);
    expect(failed).to.have.property('code', 'DOCUMENT_UNEXPECTED');
    expect(failed).to.have.property('message').that.includes('list 5');
    expect(await readdir(folder)).to.deep.equal([]);
  });
});

describe('a file that is written whole', () => {
  it('is as it was when its text breaks off, or cannot be written', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'ctct-whole-'));
    const file = path.join(folder, 'file');
    await writeFile(file, 'before');
    await writeFile(`${file}.part`, 'of a crash', { mode: 0o644 });
    async function* breaking(): AsyncGenerator<string> {
      yield await Promise.resolve('half');
      throw new Error('broken');
    }
    const failed = await writeWhole(file, breaking()).catch((error: unknown) => error);
    expect(failed).to.have.property('message', 'broken');
    expect(await readFile(file, 'utf8')).to.equal('before');
    const nowhere = await writeWhole(path.join(folder, 'no', 'file'), []).catch((error: unknown) => error);
    expect(nowhere).to.have.property('code', 'FILE_UNWRITABLE');
    await writeWhole(file, ['af', Buffer.from('ter')]);
    expect(await readFile(file, 'utf8')).to.equal('after');
    expect(await readdir(folder)).to.deep.equal(['file']);
    await rm(folder, { recursive: true });
  });
});
