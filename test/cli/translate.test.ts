import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import * as xlsx from '@e965/xlsx';
import { readCalls } from '../../src/translate/read-calls.js';
import { fixturePath, fixtures } from '../support/fixtures.js';
import { ctct, Sink } from './harness.js';

const EXPORT = fixturePath('ws/requests/justphp-export/request.http');
const LOSSY = fixturePath('ws/requests/export-documented/request.http');
const CLEAR = 'activityType=CLEAR_CONTACTS_FROM_LISTS&lists=2';

const schema = JSON.parse(
  readFileSync(new URL('../../schemas/translation.schema.json', import.meta.url), 'utf8'),
) as object;
const validate = new Ajv2020({ strict: true }).compile(schema);

/** What a shell makes of a command line of curl: its words, and stdin. */
function asShell(script: string): { readonly words: string[]; readonly input: string } {
  const curl = `curl() { printf '%s\\0' "$@"; printf '\\1'; if [ -p /dev/stdin ] || [ ! -t 0 ]; then cat; fi; }\n`;
  const out = execFileSync('bash', ['--norc', '--noprofile', '-c', curl + script], {
    env: { CTCT_API_KEY: 'KEY', CTCT_ACCESS_TOKEN: 'TOKEN', PATH: process.env.PATH },
    input: '',
  }).toString();
  const [words = '', input = ''] = out.split('\x01');
  return { words: words.split('\0').slice(0, -1), input };
}

describe('ctct translate', () => {
  let folder: string;
  const file = (name: string) => path.join(folder, name);
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ctct-translate-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('prints the request as a command line of curl, and what is different on stderr', async () => {
    const { exit, stdout, stderr } = await ctct(['translate', EXPORT]);
    expect(exit).to.equal(0);
    const { words } = asShell(stdout.text);
    expect(words.slice(0, 5)).to.deep.equal([
      ...['-X', 'POST', 'https://api.constantcontact.com/v2/activities/exportcontacts?api_key=KEY'],
      ...['-H', 'Authorization: Bearer TOKEN'],
    ]);
    expect(JSON.parse(words.at(-1) ?? '')).to.deep.equal({
      file_type: 'CSV',
      sort_by: 'DATE_DESC',
      export_date_added: true,
      export_added_by: true,
      lists: ['opted-out'],
      column_names: ['Email', 'First Name', 'State'],
    });
    expect(stderr.text).to.include('change: fileType: v2 exports CSV only').and.to.include('(LIST_RENAMED)');
  });

  it('tells what is the same for several calls once', async () => {
    const { stderr } = await ctct(['translate', 'samples/ws-calls.har', '--allow-loss']);
    const credentials = stderr.lines.filter((line) => line.includes('CREDENTIALS_CHANGED'));
    expect(credentials).to.have.length(1);
    expect(credentials[0]).to.match(
      /^change: samples\/ws-calls\.har, entry 1, and 7 more calls: credentials: /,
    );
    const har = JSON.parse(await readFile('samples/ws-calls.har', 'utf8')) as { log: { entries: unknown[] } };
    const two = { log: { ...har.log, entries: har.log.entries.slice(2, 4) } };
    await writeFile(file('two.har'), JSON.stringify(two));
    expect((await ctct(['translate', file('two.har')])).stderr.lines[0]).to.include(
      'entry 1, and 1 more call: ',
    );
  });

  it('exits with 9 where something is lost, unless that is allowed', async () => {
    const lossy = await ctct(['translate', LOSSY]);
    expect(lossy.exit).to.equal(9);
    expect(lossy.stderr.text).to.include('ctct: warning: lost: exportListName: ');
    const allowed = await ctct(['translate', LOSSY, '--allow-loss']);
    expect([allowed.exit, allowed.stdout.text]).to.deep.equal([0, lossy.stdout.text]);
  });

  it('prints command lines that a shell and curl read as the request, contacts of any kind', async () => {
    const text = `Email Address,First Name\n"o'hara@example.com","$HOME \`x\` \\ ! ""q"""\nCSV,CSV\n`;
    await writeFile(file('up.csv'), text);
    const call = `curl https://api.constantcontact.com/ws/customers/joe/activities -F activityType=SV_ADD -F lists=2 -F dataFile=@${file('up.csv')}`;
    for (const body of ['json', 'multipart'] as const) {
      const { stdout } = await ctct(['translate', call, '--body', body]);
      const { words, input } = asShell(stdout.text);
      const [sent] = await readCalls(Buffer.from(stdout.text.replace(/ <<'CSV\d*'[^]*$/, '\n')), {
        source: 'printed',
        readFile: () => Promise.resolve(Buffer.from(input)),
      });
      const said = Buffer.from(sent!.body).toString();
      if (body === 'json') {
        expect(JSON.parse(words.at(-1) ?? '')).to.have.nested.property(
          'import_data[0].first_name',
          '$HOME `x` \\ ! "q"',
        );
      } else {
        expect(input).to.equal(
          'Email address,First Name\n' +
            text.split('\n').slice(1, 2).join('').replace(`"o'hara@example.com"`, `o'hara@example.com`) +
            '\nCSV,CSV\n',
        );
        expect(said)
          .to.include('name="data"; filename="contacts.csv"')
          .and.to.include('name="lists"\r\n\r\n2\r\n');
      }
    }
  });

  it('prints HTTP messages, which are read again as they are', async () => {
    const { stdout, exit } = await ctct(['translate', CLEAR, '--as', 'http']);
    expect(exit).to.equal(0);
    const body = '{"lists":["2"]}';
    expect(stdout.text).to.equal(
      [
        'POST /v2/activities/clearlists?api_key=$CTCT_API_KEY HTTP/1.1',
        'Host: api.constantcontact.com',
        'Authorization: Bearer $CTCT_ACCESS_TOKEN',
        'Accept: application/json',
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
        '',
        `${body}\n`,
      ].join('\r\n'),
    );
    const [again] = await readCalls(Buffer.from(stdout.text), { source: 'again' });
    expect(Buffer.from(again!.body).toString()).to.equal(body);
  });

  it('prints JSON by its schema, for each of the requests of clients, and none of their secrets', async () => {
    for (const { name } of fixtures('ws/requests').filter((one) => !one.name.startsWith('refused'))) {
      for (const body of ['auto', 'multipart'] as const) {
        const request = fixturePath(`ws/requests/${name}/request.http`);
        const { stdout, stderr } = await ctct(['translate', request, '--as', 'json', '--body', body]);
        expect(validate(JSON.parse(stdout.text)), JSON.stringify(validate.errors)).to.equal(true);
        expect(stdout.text + stderr.text, name).not.to.match(/a2V5|secret|t0ken|joesflowers/);
      }
    }
  });

  it('tells each call of a recording apart, and passes over all others', async () => {
    const entries = [
      'ws/customers/joe/activities/a07e',
      'other',
      'ws/customers/joe/activities/a07e.csv',
      'ws/customers/joe/contacts',
    ].map((target) => ({
      request: { method: 'GET', url: `https://joe:s3cret@api.constantcontact.com/${target}` },
    }));
    await writeFile(file('calls.har'), JSON.stringify({ log: { entries } }));
    const { exit, stdout, stderr } = await ctct(['translate', file('calls.har')]);
    expect(exit).to.equal(9);
    expect(stdout.text).to.include(`# ${file('calls.har')}, entry 1\ncurl -X GET`);
    expect(stdout.text)
      .to.include('/v2/activities/a07e?')
      .and.to.include('/v2/activities/exportfiles/a07e.csv?');
    expect(stderr.text).to.include('1 other requests are passed over').and.to.include('(CALL_UNSUPPORTED)');
    expect(stdout.text + stderr.text).not.to.include('s3cret');
    const asHttp = await ctct(['translate', file('calls.har'), '--as', 'http']);
    expect(asHttp.stdout.text).to.match(/^### /);
    const quiet = await ctct(['translate', '-', '-q'], { input: CLEAR });
    expect([quiet.exit, quiet.stderr.text]).to.deep.equal([0, '']);
  });

  it('translates all calls but those that ws itself did not take, and tells of each of these', async () => {
    const post = (body: string) =>
      `curl https://api.constantcontact.com/ws/customers/joe/activities -d '${body}'`;
    const script = [CLEAR, 'activityType=ONE', CLEAR.replace('2', '5'), 'activityType=TWO']
      .map(post)
      .join('\n');
    const { exit, stdout, stderr } = await ctct(['translate', script]);
    expect(exit).to.equal(2);
    expect(stdout.text.match(/"lists": \["\d"\]/g)).to.deep.equal(['"lists": ["2"]', '"lists": ["5"]']);
    for (const words of ['command 2: ws itself does not take this request: activityType "ONE"', '"TWO"']) {
      expect(stderr.text).to.include(words);
    }
    const json = await ctct(['translate', script, '--as', 'json']);
    expect((JSON.parse(json.stdout.text) as { data: unknown[] }).data).to.have.length(2);
  });

  it('never repeats a request that it took for the name of a file', async () => {
    for (const request of [
      'https://key%25joe:s3cret@api.constantcontact.com/ws/customers/joe/nothing',
      'wget https://api.constantcontact.com/ws/customers/joe/activities --password=s3cret',
      'curl.exe --password s3cret',
      'sudo curl -u joe:s3cret https://example.com/',
      'POST /ws/customers/joe/activities?password=s3cret',
      'password=s3cret&activityType=SV_ADD',
      '{"password":"s3cret"}',
    ]) {
      const { stdout, stderr } = await ctct(['translate', request]);
      expect(stdout.text + stderr.text, request).not.to.include('s3cret');
      expect(stderr.text, request).not.to.include('no such file');
    }
  });

  it('splits what is over the limits, and says the order', async () => {
    await writeFile(
      file('form.txt'),
      `activityType=REMOVE_CONTACTS_FROM_LISTS&lists=2&data=Email%0A${'a%40example.com%0A'.repeat(20_001)}`,
    );
    const { exit, stdout, stderr } = await ctct(['translate', file('form.txt'), '--body', 'multipart']);
    expect(exit).to.equal(0);
    expect(stdout.text.match(/^# .*, part [12]$/gm)).to.have.length(2);
    expect(stderr.text).to.include('(SPLIT)');
  }).timeout(20_000);

  it('rewrites an upload file, to stdout or to a file', async () => {
    await writeFile(file('up.txt'), 'Email Address\tMiddle Name\nann@example.com\tB\n');
    const lossy = await ctct(['translate', '--file', file('up.txt')]);
    expect([lossy.exit, lossy.stdout.text]).to.deep.equal([9, 'Email address\nann@example.com\n']);
    const kept = await ctct([
      'translate',
      '--file',
      file('up.txt'),
      '--out',
      file('new.csv'),
      '--into',
      'MIDDLE NAME=CUSTOM FIELD 15',
    ]);
    expect([kept.exit, kept.stdout.text]).to.deep.equal([0, '']);
    expect(await readFile(file('new.csv'), 'utf8')).to.equal(
      'Email address,Custom Field 15\nann@example.com,B\n',
    );
    expect(kept.stderr.text)
      .to.include(`The file is ${file('new.csv')}`)
      .and.to.include('(SEPARATOR_CHANGED)');
    const piped = await ctct(['translate', '--file', '-', '--for', 'remove'], {
      input: 'Email\nann@example.com\n',
    });
    expect([piped.exit, piped.stdout.text]).to.deep.equal([0, 'ann@example.com\n']);
  });

  it('reads the first sheet of a spreadsheet, and says so where there are others', async () => {
    const book = xlsx.utils.book_new();
    const sheet = xlsx.utils.aoa_to_sheet([
      ['Email Address', 'Postal Code'],
      ['ann@example.com', '02451'],
    ]);
    xlsx.utils.book_append_sheet(book, sheet, 'One');
    xlsx.utils.book_append_sheet(book, xlsx.utils.aoa_to_sheet([['x']]), 'Two');
    await writeFile(file('up.xls'), xlsx.write(book, { type: 'buffer', bookType: 'xls' }) as Buffer);
    const read = await ctct(['translate', '--file', file('up.xls')]);
    expect([read.exit, read.stdout.text]).to.deep.equal([
      0,
      'Email address,Zip/Postal Code\nann@example.com,02451\n',
    ]);
    expect(read.stderr.text).to.include('Only the first of 2 sheets was read');
    await writeFile(file('bad.xls'), Buffer.from('d0cf11e0a1b11ae1', 'hex'));
    const bad = await ctct(['translate', '--file', file('bad.xls')]);
    expect(bad.exit).to.equal(2);
    expect(bad.stderr.text).to.include('bad.xls: the spreadsheet cannot be read');
  }).timeout(30_000);

  it('says what is wrong with the command, and leaves nothing behind', async () => {
    await writeFile(file('up.csv'), 'Email\nann@example.com\n');
    await writeFile(file('bad.csv'), 'Name\nAnn\n');
    await writeFile(file('semicolons.csv'), 'Name;Email Address\nAnn;ann@example.com\n');
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['translate'], /give either a request to translate, or --file/],
      [['translate', CLEAR, '--file', file('up.csv')], /give either/],
      [['translate', CLEAR, '--out', file('x')], /--out: goes with --file/],
      [['translate', file('none.txt')], /none\.txt: there is no such file/],
      [['translate', folder], /is a folder/],
      [['translate', 'curl https://example.com/'], /none of the requests in it is to \/ws\/customers/],
      [
        ['translate', 'activityType=SV_EXPLODE'],
        /argument: ws itself does not take this request: activityType "SV_EXPLODE"/,
      ],
      [
        ['translate', '--file', file('up.csv'), '--out', file('up.csv'), '--force'],
        /--out: is the file that is read/,
      ],
      [['translate', '--file', file('up.csv'), '--out', file('bad.csv')], /bad\.csv: is there already/],
      [['translate', '--file', file('none.csv')], /none\.csv: there is no such file/],
      [['translate', '--file', file('bad.csv'), '--out', file('x.csv')], /no column is called EMAIL ADDRESS/],
      [['translate', '--file', file('up.csv'), '--into', 'x'], /--into: must be FROM=TO/],
      [['translate', '--file', file('up.csv'), '--into', 'CITY=x'], /into: v2 takes no column "x"/],
      [['translate', CLEAR, '--into', 'CITY=x'], /^ctct: into: v2 takes no column "x"/],
      [['translate', '--file', folder], /is a folder; name a file/],
      [
        ['translate', '--file', file('semicolons.csv')],
        /commas or tabs between them: here they are semicolons/,
      ],
    ];
    for (const [argv, words] of cases) {
      const { exit, stderr, stdout } = await ctct(argv);
      expect(stderr.text, argv.join(' ')).to.match(words).and.not.to.include('s3cret');
      expect([exit, stdout.text]).to.deep.equal([2, '']);
    }
    const closed = new Sink();
    closed.failure = Object.assign(new Error('gone'), { code: 'EPIPE' });
    expect((await ctct(['translate', CLEAR], { stdout: closed })).exit).to.equal(0);
    const aborted = AbortSignal.abort();
    const interrupted = await ctct(['translate', '--file', file('up.csv'), '--out', file('x.csv')], {
      signal: aborted,
    });
    expect(interrupted.exit).to.equal(130);
    expect(await readFile(file('x.csv')).catch(() => 'none')).to.equal('none');
  });
});
