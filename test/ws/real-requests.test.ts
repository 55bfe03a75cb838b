import { expect } from 'chai';
import { findColumn } from '../../src/activity/columns.js';
import { createEmulator } from '../../src/emulator/emulator.js';
import { createVirtualClock } from '../../src/emulator/virtual-clock.js';
import { readCsv } from '../../src/format/csv.js';
import { decodeEntry } from '../../src/ws/records.js';
import { fixtures } from '../support/fixtures.js';
import { RawConnection } from '../support/raw-socket.js';

interface Expected {
  readonly status?: number;
  readonly says?: string;
  readonly activityType: string;
  readonly rows?: readonly (readonly string[])[];
  readonly listId?: string;
  readonly fileType?: 'CSV' | 'TXT';
  readonly columns?: readonly string[];
}

const AUTHORIZATION = 'Authorization: Basic a2V5JWpvZXNmbG93ZXJzOnNlY3JldA==';
const GET = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: api.constantcontact.com\r\n${AUTHORIZATION}\r\n\r\n`;

/** The emulator on a port, with the members that the fixtures begin with, and a connection to it. */
async function start() {
  const clock = createVirtualClock();
  const members = {
    '2': ['old@example.com', 'user1@example.com'],
    '5': ['ann@example.com', 'old@example.com'],
  };
  const lists = Object.entries(members).map(([id, list]) => ({ id, name: `List ${id}`, members: list }));
  const emulator = createEmulator({ clock, accounts: [{ user: 'joesflowers', lists }] });
  const { url } = await emulator.listen();
  const connection = await RawConnection.open(url);
  const account = emulator.account('joesflowers')!;
  return {
    clock,
    account,
    exchange: (bytes: string | Uint8Array) => {
      connection.send(bytes);
      return connection.answer();
    },
    members: async (list: string) => {
      const found: string[] = [];
      for await (const { emailAddress } of account.directory.members(list)) found.push(emailAddress);
      return found.sort();
    },
    stop: async () => {
      connection.close();
      await emulator.close();
    },
  };
}

describe('requests of real clients, over a socket as they were sent', () => {
  for (const fixture of fixtures('ws/requests')) {
    const expected = fixture.json('expected.json') as Expected;
    it(fixture.name, async () => {
      const { clock, account, exchange, members, stop } = await start();
      try {
        const created = await exchange(fixture.bytes('request.http'));
        if (expected.status !== undefined) {
          expect(created.status).to.equal(expected.status);
          expect(created.body.toString()).to.include(expected.says);
          return;
        }
        expect(created.status, created.body.toString()).to.equal(201);
        const { record } = decodeEntry(created.body);
        expect(record.status).to.equal('PENDING');

        await clock.advance('1h');
        const done = await account.get(record.id);
        expect(done).to.include({ status: 'COMPLETE', errorCount: 0 });
        const after = fixture.json('members.json') as Record<string, string[]>;
        for (const [list, wanted] of Object.entries(after)) {
          expect(await members(list), `list ${list}`).to.deep.equal(wanted);
        }

        const [heading = [], ...rows] = expected.rows ?? [];
        for await (const contact of account.directory.contacts({
          emails: rows.map(([address]) => address ?? ''),
        })) {
          const row = rows.find(([address]) => address === contact.emailAddress) ?? [];
          for (const [index, name] of heading.entries()) {
            const column = findColumn(name)?.ws;
            if (index === 0 || column === undefined || (row[index] ?? '') === '') continue;
            expect(contact.values.get(column), `${contact.emailAddress}: ${name}`).to.equal(row[index]);
          }
        }

        const { listId, columns = [] } = expected;
        if (listId === undefined) return;
        const extension = expected.fileType === 'TXT' ? 'txt' : 'csv';
        const file = await exchange(GET(`/ws/customers/joesflowers/activities/${record.id}.${extension}`));
        expect(file.status).to.equal(200);
        const table: (readonly string[])[] = [];
        for await (const { cells } of readCsv(file.body)) table.push(cells);
        const [names = [], ...exported] = table;
        expect(exported.map(([address]) => address).sort()).to.deep.equal(await members(listId));
        for (const column of columns) {
          expect(
            names.some((name) => findColumn(name)?.ws === column),
            column,
          ).to.equal(true);
        }
      } finally {
        await stop();
      }
    });
  }

  it('there is one for each client and purpose that is known', () => {
    const names = fixtures('ws/requests').map(({ name }) => name);
    expect(names).to.include.members(
      [
        'php-official-add',
        'python-official-add',
        'justphp-add',
        'ruby-httparty-add',
        'ruby-activeresource-add',
      ]
        .concat(['java-quoted-add', 'dotnet-add', 'coldfusion-add', 'python-official-clear'])
        .concat(['java-internal-clear', 'ruby-httparty-remove', 'python-official-export', 'justphp-export'])
        .concat(['java-export', 'dotnet-export', 'coldfusion-export', 'ruby-httparty-export'])
        .concat(['php-official-multipart', 'multipart-data-part', 'justphp-multipart-as-form']),
    );
  });
});

describe('a connection of an old client', () => {
  it('goes on behind the CRLF that stands after a body, beyond its length', async () => {
    const { exchange, stop } = await start();
    try {
      const body = 'activityType=CLEAR_CONTACTS_FROM_LISTS&lists=2';
      const post =
        `POST /ws/customers/joesflowers/activities HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}\r\n` +
        `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}\r\n`;
      expect((await exchange(post)).status).to.equal(201);
      expect((await exchange(post)).status).to.equal(201);
      const feed = await exchange(GET('/ws/customers/joesflowers/activities'));
      expect(feed.body.toString().match(/<entry>/g)).to.have.length(2);
    } finally {
      await stop();
    }
  });

  it('may first ask without credentials, and again with those it was asked for', async () => {
    const { exchange, stop } = await start();
    try {
      const path = '/ws/customers/joesflowers//';
      const asked = await exchange(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(asked.status).to.equal(401);
      expect(asked.head).to.match(/^www-authenticate: Basic realm="[^"]+"/im);
      const given = await exchange(GET(path));
      expect(given.status).to.equal(200);
      expect(given.head).to.match(/^content-type: application\/atomsvc\+xml$/im);
    } finally {
      await stop();
    }
  });
});
