import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { readAccounts, rebased } from '../../src/migrate/accounts-file.js';
import { readListNames, readUploads } from '../../src/migrate/uploads-file.js';
import { rejection } from '../http/loopback.js';

describe('tables of a plan', () => {
  let folder: string;
  const at = (name: string) => path.join(folder, name);
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-tables-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function table(...lines: string[]): Promise<string> {
    await writeFile(at('table.csv'), lines.join('\n'));
    return at('table.csv');
  }

  describe('of accounts', () => {
    const read = async (...lines: string[]) => readAccounts(await table(...lines), folder);

    it('has references to credentials, paths of which start from the folder of the plan then', async () => {
      const found = await readAccounts(
        await table(
          '\ufeffAccount, API Key,access-token,user,source_api_key,source_password,source_access_token,base_url,source_base_url',
          'joe,env:KEY,file:joe.token,joesflowers,env:KEY,file:/run/joe.password,,https://v2.example.com,https://ws.example.com',
          '',
          'ann@example.com,file:keys/k,env:T,,,,env:OLD,,',
          'eve,env:KEY,env:EVE,,,,,,',
        ),
        path.join(folder, 'plans'),
      );
      expect(found).to.deep.equal([
        {
          account: 'joe',
          target: {
            api: 'v2',
            baseUrl: 'https://v2.example.com',
            apiKey: 'env:KEY',
            accessToken: 'file:../joe.token',
          },
          source: {
            user: 'joesflowers',
            baseUrl: 'https://ws.example.com',
            credentials: { scheme: 'basic', apiKey: 'env:KEY', password: 'file:/run/joe.password' },
          },
        },
        {
          account: 'ann@example.com',
          target: { api: 'v2', apiKey: 'file:../keys/k', accessToken: 'env:T' },
          source: { user: 'ann@example.com', credentials: { scheme: 'bearer', accessToken: 'env:OLD' } },
        },
        {
          account: 'eve',
          target: { api: 'v2', apiKey: 'env:KEY', accessToken: 'env:EVE' },
          source: undefined,
        },
      ]);
      expect(rebased('env:KEY', 'a', 'b')).to.equal('env:KEY');
    });

    const HEAD = 'account,api_key,access_token';
    const SECRET = 'zQ5ecret0f4ll';
    const wrong: [what: string, lines: string[], message: RegExp][] = [
      [
        'a file without a line',
        [''],
        /table\.csv: is empty; its first line must name the columns: account, user/,
      ],
      ['a file without a row', [HEAD], /table\.csv: there is no row under the heading/],
      [
        'a column that is not known',
        [`${HEAD},access_tokens`, 'a,b,c,d'],
        /csv:1: column 4 .* did you mean access_token\?/,
      ],
      ['no heading at all', [`joe,${SECRET},${SECRET}`], /csv:1: column 1 has a name that is not known here/],
      ['a column twice', [`${HEAD},API key`, 'a,b,c,d'], /csv:1: there are two columns api_key/],
      [
        'a column that is missing',
        ['account,api_key', 'a,env:A'],
        /csv:1: access_token: there is no such column/,
      ],
      ['an account without a name', [HEAD, ',env:A,env:B'], /csv:2: account: is empty/],
      ['a name that is a path', [HEAD, '../x,env:A,env:B'], /csv:2: account: must be letters, digits/],
      [
        'an account twice',
        [HEAD, 'joe,env:A,env:B', '', 'JOE,env:A,env:C'],
        /csv:4: account: is the account of line 2 again/,
      ],
      [
        'a token twice',
        [HEAD, 'joe,env:A,env:B', 'ann,env:A,env:B'],
        /csv:3: access_token: is that of line 2/,
      ],
      [
        'a secret',
        [HEAD, `joe,env:A,${SECRET}`],
        /csv:2: access_token: must be env:NAME or file:PATH.*take it out/,
      ],
      ['no reference', [HEAD, 'joe,,env:B'], /csv:2: api_key: is empty; write env:NAME/],
      [
        'half of the source',
        [`${HEAD},source_api_key,source_password`, 'a,env:A,env:B,env:C,'],
        /csv:2: source_password: is empty/,
      ],
      ['what is no URL', [`${HEAD},base_url`, `a,env:A,env:B,${SECRET}`], /csv:2: base_url: must be a URL/],
      [
        'a password in a URL',
        [`${HEAD},source_base_url`, `a,env:A,env:B,https://u:${SECRET}@example.com`],
        /csv:2: source_base_url: .*without any credentials/,
      ],
      [
        'rows of several lengths',
        [HEAD, `joe,env:A,env:B,${SECRET}`],
        /table\.csv: line 2:1 .*the row has 4 cells, the first row 3/,
      ],
    ];
    for (const [what, lines, message] of wrong) {
      it(`is refused with ${what}, and shows no value of it`, async () => {
        const error = await rejection(read(...lines));
        expect(error.code).to.equal('CONFIG_INVALID');
        expect(error.message).to.match(message).and.not.to.contain(SECRET);
      });
    }

    it('may have semicolons between its cells', async () => {
      const [found, ...others] = await read('account;api_key;access_token', 'joe;env:KEY;file:a,b', '');
      expect(others).to.deep.equal([]);
      expect(found?.target).to.deep.equal({ api: 'v2', apiKey: 'env:KEY', accessToken: 'file:a,b' });
      const [quoted] = await read('account,api_key,"access;token"', 'joe,env:KEY,env:T').catch(String);
      expect(quoted, 'the heading has commas').to.be.a('string');
    });

    it('is refused where it cannot be read', async () => {
      expect((await rejection(readAccounts(at('none.csv'), folder))).code).to.equal('FILE_UNREADABLE');
    });
  });

  describe('of uploads', () => {
    const read = async (accounts: string[], ...lines: string[]) =>
      readUploads(await table(...lines), accounts);

    it('has the steps of each account, in its order', async () => {
      const found = await read(
        ['joe', 'ann'],
        'account,activityType,file,lists,encoding,blanksEnabled,into',
        'joe,SV_ADD,a.csv,2 5;2,,,',
        'ann,clear_contacts_from_lists,,7,,,',
        'JOE,REMOVE_CONTACTS_FROM_LISTS,/data/b.txt,5,WINDOWS-1252,no,',
        'ann,,sub/c.csv,7,auto,Yes,MIDDLE NAME=CUSTOM FIELD 15; SUB POSTAL CODE = POSTAL CODE;',
      );
      const file = { origin: { kind: 'file' }, encoding: 'auto', blanksEnabled: false, into: {} };
      expect([...found]).to.deep.equal([
        [
          'joe',
          [
            {
              ...file,
              activityType: 'ADD_CONTACTS',
              file: path.relative('.', at('a.csv')),
              lists: ['2', '5'],
            },
            {
              ...file,
              activityType: 'REMOVE_CONTACTS_FROM_LISTS',
              file: '/data/b.txt',
              lists: ['5'],
              encoding: 'windows-1252',
            },
          ],
        ],
        [
          'ann',
          [
            { activityType: 'CLEAR_CONTACTS_FROM_LISTS', lists: ['7'] },
            {
              ...file,
              activityType: 'ADD_CONTACTS',
              file: path.relative('.', at('sub/c.csv')),
              lists: ['7'],
              blanksEnabled: true,
              into: { 'MIDDLE NAME': 'CUSTOM FIELD 15', 'SUB POSTAL CODE': 'POSTAL CODE' },
            },
          ],
        ],
      ]);
    });

    it('has lists with blanks, commas or semicolons between', async () => {
      const file = await table('file,lists', 'a.csv,"1,2;3 4, 5"');
      const steps = (await readUploads(file, ['joe'])).get('joe');
      expect(steps?.[0]?.lists).to.deep.equal(['1', '2', '3', '4', '5']);
    });

    it('need not name the account where there is one', async () => {
      expect([...(await read(['joe'], 'file,lists', 'a.csv,2')).keys()]).to.deep.equal(['joe']);
    });

    const wrong: [what: string, lines: string[], message: RegExp][] = [
      ['no account, of several', ['file,lists', 'a.csv,2'], /csv:2: account: is empty; there are joe, ann/],
      [
        'an account that is not there',
        ['account,file,lists', 'joee,a.csv,2'],
        /csv:2: account: "joee" is none of the accounts; did you mean joe\?/,
      ],
      ['one that is nothing alike', ['account,file,lists', 'xyzzy,a.csv,2'], /there are joe, ann$/],
      [
        'a type that is not there',
        ['account,activityType,file,lists', 'joe,ADD_CONTACT,a.csv,2'],
        /csv:2: activityType: "ADD_CONTACT" does not exist; did you mean ADD_CONTACTS\?/,
      ],
      [
        'one that is nothing alike',
        ['account,activityType,file,lists', 'joe,EXPORT,a.csv,2'],
        /"EXPORT" does not exist; it must be one of ADD_CONTACTS, SV_ADD/,
      ],
      [
        'a file to clear with',
        ['account,activityType,file,lists', 'joe,CLEAR_CONTACTS_FROM_LISTS,a.csv,2'],
        /csv:2: file: must be empty/,
      ],
      ['no file', ['account,lists', 'joe,2'], /csv:2: file: is empty; name the contact file/],
      ['no list', ['account,file,lists', 'joe,a.csv, '], /csv:2: lists: is empty; give numbers/],
      [
        'a system list',
        ['account,file,lists', 'joe,a.csv,2 removed'],
        /csv:2: lists: removed is a system list/,
      ],
      ['what is no list', ['account,file,lists', 'joe,a.csv,Spring'], /csv:2: lists: "Spring" is no list/],
      [
        'an encoding that is not there',
        ['account,file,lists,encoding', 'joe,a.csv,2,utf8'],
        /csv:2: encoding: must be auto or one of UTF-8, .*got "utf8"/,
      ],
      [
        'neither true nor false',
        ['account,file,lists,blanksEnabled', 'joe,a.csv,2,maybe'],
        /csv:2: blanksEnabled: must be true, false or empty, got "maybe"/,
      ],
      [
        'a place without a column',
        ['account,file,lists,into', 'joe,a.csv,2,MIDDLE NAME'],
        /csv:2: into: must be FROM=TO/,
      ],
      [
        'a place that is not there',
        ['account,file,lists,into', 'joe,a.csv,2,MIDDLE NAME=NOWHERE'],
        /csv:2: into: v2 takes no column "NOWHERE"/,
      ],
    ];
    for (const [what, lines, message] of wrong) {
      it(`is refused with ${what}`, async () => {
        expect((await rejection(read(['joe', 'ann'], ...lines))).message).to.match(message);
      });
    }

    it('tells a few of many accounts', async () => {
      const accounts = Array.from({ length: 30 }, (_, index) => `account-${index}`);
      const error = await rejection(read(accounts, 'account,file,lists', ',a.csv,2'));
      expect(error.message).to.match(/account-9 …$/);
    });
  });

  describe('of lists', () => {
    const read = async (...lines: string[]) => readListNames(await table(...lines), ['joe']);

    it('says what each becomes, and is called', async () => {
      const found = await read('from,to,name', '2,7,Spring', '5,,Shop', '6,6,');
      expect(found.get('joe')).to.deep.equal({
        to: new Map([
          ['2', '7'],
          ['5', '5'],
          ['6', '6'],
        ]),
        names: new Map([
          ['2', 'Spring'],
          ['5', 'Shop'],
        ]),
      });
    });

    it('is refused with a list twice, or none', async () => {
      expect((await rejection(read('from,to', '2,7', '2,8'))).message).to.match(
        /csv:3: from: list 2 was told already/,
      );
      expect((await rejection(read('from,to', '2,x'))).message).to.match(/csv:2: to: "x" is no list/);
    });
  });
});
