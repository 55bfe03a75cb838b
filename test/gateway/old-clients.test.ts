import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { fixtures, splitMessage } from '../support/fixtures.js';
import { liveEmulator, liveGateway, type Live } from './live.js';

const run = promisify(execFile);
const script = (name: string) => fileURLToPath(new URL(`clients/${name}`, import.meta.url));

/** Scripts in the manner of the libraries that there were, and what runs each. */
const CLIENTS = [
  ['client.php', 'php'],
  ['client.pl', 'perl'],
  ['client.rb', 'ruby'],
  ['client.py', 'python3'],
  ['Client.java', 'java'],
] as const;

/** Without what is of one run alone: ids, times, nonces, ports and the date. */
function withoutRun(text: string): string {
  return text
    .replace(/\ba07e[0-9a-z]+/g, 'ID')
    .replace(/\d\d\/\d\d\/\d{4} \d\d:\d\d [AP]M E[SD]T/g, 'DATE')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
    .replace(/nonce="[^"]*"/g, 'nonce')
    .replace(/127\.0\.0\.1:\d+/g, 'HOST')
    .replace(/^date: .*\r\n/gim, '')
    .replace(/^etag: .*\r\n/gim, '');
}

/** An export of all active contacts has no column for each list: that is declared. */
function withoutListColumns(text: string): string {
  return text.replace(/,List: .*/, '').replace(/(DATE,API)(?:,x?)+$/gm, '$1');
}

/** What curl is told to do, one call after another; `{id}` is the id of the activity that was created last. */
const CURL: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'a form, a poll and the feed': [
    ['-u', 'key%joesflowers:secret', '-d', 'activityType=SV_ADD', '-d', 'lists={account}/lists/2'].concat([
      '--data-urlencode',
      'data=Email Address,City\ncurl@example.com,Zürich\nnot-an-address,Rome',
      '{account}/activities',
    ]),
    ['-u', 'key%joesflowers:secret', '{account}/activities/{id}'],
    ['-u', 'key%joesflowers:secret', '{account}/activities'],
  ],
  'a file, with Expect: 100-continue': [
    [
      '-u',
      'key%joesflowers:secret',
      '-H',
      'Expect: 100-continue',
      '-F',
      'activityType=SV_ADD',
      '-F',
      'lists={account}/lists/2',
    ].concat(['-F', 'dataFile=@{file};type=text/csv', '{account}/activities']),
    ['-u', 'key%joesflowers:secret', '{account}/activities/{id}'],
  ],
  'an export, by HTTP/1.0, its head and its parts': [
    [
      '-0',
      '-u',
      'key%joesflowers:secret',
      '-d',
      'activityType=EXPORT_CONTACTS&columns=CITY&listId=2',
      '{account}/activities',
    ],
    ['-0', '-u', 'key%joesflowers:secret', '{account}/activities/{id}'],
    ['-0', '-u', 'key%joesflowers:secret', '{account}/activities/{id}.csv'],
    ['-I', '-u', 'key%joesflowers:secret', '{account}/activities/{id}.csv'],
    ['-r', '5-', '-u', 'key%joesflowers:secret', '{account}/activities/{id}.csv'],
    ['-r', '-9', '-u', 'key%joesflowers:secret', '{account}/activities/{id}.csv'],
    ['--compressed', '-u', 'key%joesflowers:secret', '{account}/activities/{id}.csv'],
  ],
  'credentials of every kind': [
    ['{account}/activities'],
    ['-u', 'key%joesflowers:wrong', '{account}/activities'],
    ['-u', 'key%somebody:secret', '{account}/activities'],
    ['--digest', '-u', 'key%joesflowers:secret', '{account}/lists'],
    ['--anyauth', '-u', 'key%joesflowers:secret', '{account}/lists'],
    [
      '--digest',
      '-u',
      'key%joesflowers:secret',
      '-d',
      'activityType=CLEAR_CONTACTS_FROM_LISTS&lists=1',
      '{account}/activities',
    ],
    ['-H', 'Authorization: Bearer t0ken', '{account}/activities'],
    ['-H', 'Authorization: Bearer other', '{account}/activities'],
    ['{account}/lists?access_token=t0ken'],
    ['-u', 'key%JoesFlowers:secret', '{origin}/ws/customers/JOESFLOWERS/lists'],
  ],
  'what was never allowed': [
    ['-X', 'DELETE', '-u', 'key%joesflowers:secret', '{account}/activities/a07e1'],
    ['-X', 'PUT', '-u', 'key%joesflowers:secret', '-d', 'x', '{account}/activities/a07e1'],
    ['-u', 'key%joesflowers:secret', '-d', 'activityType=SV_ADD&data=x', '{account}/activities'],
    [
      '-u',
      'key%joesflowers:secret',
      '-H',
      'Content-Type: application/json',
      '-d',
      '{}',
      '{account}/activities',
    ],
    ['-u', 'key%joesflowers:secret', '{origin}/'],
  ],
};

describe('old clients over a socket', function () {
  this.timeout(60_000);

  let before: Live;
  let after: Live;
  beforeEach(async () => {
    [before, after] = await Promise.all([liveEmulator(), liveGateway()]);
  });
  afterEach(() => Promise.all([before.close(), after.close()]));

  for (const [name, command] of CLIENTS) {
    it(`${name} sees the same through the gateway as before`, async function () {
      const missing = await run(command, [command === 'java' ? '-version' : '--version']).then(
        () => false,
        () => true,
      );
      if (missing) {
        console.warn(`skipped, since there is no ${command} here`);
        this.skip();
      }
      const secret = name === 'client.rb' ? 't0ken' : 'secret';
      const play = async ({ url }: Live) => {
        const { stdout } = await run(command, [script(name), url, 'joesflowers', secret]);
        return withoutRun(stdout);
      };
      const [was, is] = await Promise.all([play(before), play(after)]);
      expect(is).to.equal(name === 'Client.java' ? withoutListColumns(was) : was);
      expect(was.split('\n').length).to.be.greaterThan(3);
    });
  }

  describe('curl', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'ctct-curl-'));
      await writeFile(path.join(folder, 'up.csv'), 'Email Address,City\ncurl@example.com,Rome\n');
    });
    afterEach(() => rm(folder, { recursive: true }));

    const curl = async (...args: readonly string[]) => {
      const { stdout } = await run('curl', ['-s', '-i', '-m', '20', ...args]);
      return stdout;
    };

    for (const [name, calls] of Object.entries(CURL)) {
      it(`${name}: sees the same through the gateway as before`, async () => {
        const play = async ({ url }: Live) => {
          const said: string[] = [];
          let id = '';
          for (const call of calls) {
            const names = {
              id,
              origin: url,
              account: `${url}/ws/customers/joesflowers`,
              file: path.join(folder, 'up.csv'),
            };
            const args = call.map((text) =>
              text.replace(/\{(id|origin|account|file)\}/g, (_, what: keyof typeof names) => names[what]),
            );
            let answer = await curl(...args);
            // An old client asks until it has ended.
            while (
              /<Status>(?:PENDING|QUEUED|RUNNING)</.test(answer) &&
              !args.some((text) => /^(?:-d|-F)$/.test(text))
            ) {
              await new Promise((resolve) => setTimeout(resolve, 20));
              answer = await curl(...args);
            }
            id = /^location: .*\/([^/\r]+)\r$/im.exec(answer)?.[1] ?? id;
            said.push(withoutRun(answer));
          }
          return said;
        };
        const [was, is] = [await play(before), await play(after)];
        for (const [index, call] of calls.entries()) expect(is[index], call.join(' ')).to.equal(was[index]);
      });
    }

    it('sends what real clients sent, byte by byte, and is answered as before', async () => {
      for (const fixture of fixtures('ws/requests')) {
        const { startLine, headers, body } = splitMessage(fixture.bytes('request.http'));
        const file = path.join(folder, 'body');
        await writeFile(file, body);
        const given = Object.entries(headers).filter(
          ([field]) => !['host', 'content-length'].includes(field),
        );
        const args = ['--path-as-is', '--data-binary', `@${file}`].concat(
          given.flatMap(([field, value]) => ['-H', `${field}: ${value}`]),
        );
        const target = startLine.split(' ')[1] ?? '';
        const [was, is] = await Promise.all(
          [before, after].map(async ({ url }) => withoutRun(await curl(...args, url + target))),
        );
        expect(is, fixture.name).to.equal(was);
        expect(was, fixture.name).to.match(/^HTTP\/1\.1 (?:100 |201|40\d|415)/);
      }
    });
  });
});
