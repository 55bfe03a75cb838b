import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { createEmulator } from '../../src/emulator/emulator.js';
import { CtctError, UsageError } from '../../src/activity/errors.js';
import { translateCall } from '../../src/translate/call.js';
import type { HttpCall } from '../../src/translate/http-call.js';
import { readCalls } from '../../src/translate/read-calls.js';
import { shellCommands } from '../../src/translate/shell-words.js';
import { decodeRequest } from '../../src/ws/requests.js';
import { fixtures } from '../support/fixtures.js';
import { runs } from '../support/runs.js';

const FORM = 'activityType=SV_ADD&data=Email+Address%2CFirst+Name%0Aann%40example.com%2CAnn&lists=2&lists=5';
const URL_OF_WS = 'https://api.constantcontact.com/ws/customers/joesflowers/activities';

const files: Readonly<Record<string, string>> = {
  'up.csv': 'Email Address\nann@example.com\n',
  'form.txt': `${FORM}\n`,
  'list.txt': 'http://api.constantcontact.com/ws/customers/joesflowers/lists/2',
};
const readFile = (path: string) => {
  const text = files[path];
  if (text === undefined)
    return Promise.reject(new UsageError('FILE_UNREADABLE', `${path}: there is no such file`));
  return Promise.resolve(Buffer.from(text));
};

const read = (text: string | Uint8Array) => readCalls(Buffer.from(text), { source: 'in', readFile });

async function one(text: string | Uint8Array): Promise<HttpCall> {
  const [call, ...others] = await read(text);
  expect(others).to.deep.equal([]);
  return call!;
}

const meaning = async (call: HttpCall) => {
  const request = await decodeRequest(call.headers.get('content-type') ?? null, call.body);
  if (!('contacts' in request)) return request;
  const { contacts } = request;
  const text =
    'text' in contacts ? contacts.text : 'bytes' in contacts ? Buffer.from(contacts.bytes).toString() : '';
  return { ...request, contacts: text };
};

async function failure(text: string): Promise<string> {
  return read(text).then(
    () => 'none',
    (error: unknown) => (error instanceof UsageError ? error.message : `not ours: ${String(error)}`),
  );
}

describe('a recorded request', () => {
  it('is read from a form body, with a mark, blanks and lines around it', async () => {
    for (const text of [FORM, `\ufeff\n  ${FORM}\n`]) {
      const call = await one(text);
      expect(call).to.include({ method: 'POST', url: '/ws/customers/user/activities' });
      expect(await meaning(call))
        .to.have.property('lists')
        .that.deep.equals(['2', '5']);
    }
  });

  it('is read from an HTTP message, whole and as an editor leaves it', async () => {
    const wanted = await meaning(await one(FORM));
    const head = `POST /ws/customers/joesflowers/activities HTTP/1.1\nHost: api.constantcontact.com\nContent-Type: application/x-www-form-urlencoded\nX-Long: a\n  b\n`;
    const crlf = `${head}Content-Length: ${FORM.length}\n\n`.replaceAll('\n', '\r\n');
    const chunked = `${head}Transfer-Encoding: chunked\n\n`.replaceAll('\n', '\r\n');
    const pieces = `a\r\n${FORM.slice(0, 10)}\r\n${(FORM.length - 10).toString(16)}\r\n${FORM.slice(10)}\r\n0\r\n\r\n`;
    for (const text of [
      `${crlf}${FORM}`,
      `${crlf}${FORM}\r\n`,
      `${head}\n${FORM}\n`,
      `${chunked}${pieces}`,
      `${chunked}${FORM}`,
    ]) {
      const call = await one(text);
      expect(call.url).to.equal(`http://api.constantcontact.com/ws/customers/joesflowers/activities`);
      expect(await meaning(call)).to.deep.equal(wanted);
    }
    expect((await one(head)).body).to.have.length(0);
    expect(await failure('POST /x HTTP/1.1\nno header\n\n')).to.equal(
      'in: line 2 is no header; an empty line ends the headers',
    );
  });

  it('is read from every fixture whose lines an editor made LF, and from a multipart body alone', async () => {
    for (const fixture of fixtures('ws/requests').filter(
      ({ name }) => !/^refused|data-part|as-form/.test(name),
    )) {
      const raw = fixture.bytes('request.http').toString('latin1');
      const whole = await one(Buffer.from(raw, 'latin1'));
      const edited = await one(Buffer.from(raw.replaceAll('\r\n', '\n'), 'latin1'));
      const [a, b] = [await meaning(whole), await meaning(edited)];
      const lines = (value: typeof a) =>
        JSON.parse(JSON.stringify(value).replaceAll('\\r\\n', '\\n')) as unknown;
      expect(lines(b), fixture.name).to.deep.equal(lines(a));
      if (!raw.includes('multipart/form-data')) continue;
      const body = raw.slice(raw.indexOf('\r\n\r\n') + 4);
      expect(lines(await meaning(await one(Buffer.from(body, 'latin1'))))).to.deep.equal(lines(a));
    }
  });

  it('is read from command lines of curl, in all their ways', async () => {
    const wanted = await meaning(await one(FORM));
    const list = 'http://api.constantcontact.com/ws/customers/joesflowers/lists';
    const commands = [
      `curl -d '${FORM}' ${URL_OF_WS}`,
      `$ curl --data-raw "${FORM}" --url ${URL_OF_WS}`,
      `curl \\\n  -X POST -sS \\\n  -u 'key%user:pass' ${URL_OF_WS} -d @form.txt`,
      `curl ${URL_OF_WS} --data-binary @form.txt -H 'X: y' -H "Accept;" -o /dev/null`,
      `curl -XPOST ${URL_OF_WS} -dactivityType=SV_ADD --data-urlencode $'data=Email Address,First Name\\nann@example.com,Ann' -d lists=2 -d lists=5`,
      `# a comment\n/usr/bin/curl ${URL_OF_WS} -F activityType=SV_ADD -F 'data=Email Address,First Name\nann@example.com,Ann' -F lists=2 --form-string lists=5 | tail -1`,
    ];
    for (const command of commands) {
      const call = await one(command);
      expect(call.method, command).to.equal('POST');
      expect(await meaning(call), command).to.deep.equal(wanted.activityType === 'SV_ADD' ? wanted : {});
    }
    const upload = await one(
      `curl ${URL_OF_WS} -F activityType=SV_ADD -F 'dataFile=@up.csv;type=text/csv;filename="my.csv"' -F 'lists=<list.txt'`,
    );
    expect(await meaning(upload)).to.deep.equal({
      activityType: 'SV_ADD',
      contacts: files['up.csv'],
      lists: [`${list}/2`],
    });
    const read1 = await one(`curl -G -s ${URL_OF_WS} -d access_token=x --data-urlencode 'q=a b'`);
    expect(read1).to.include({ method: 'GET', url: `${URL_OF_WS}?access_token=x&q=a+b` });
    expect(await one(`curl -I ${URL_OF_WS}`)).to.include({ method: 'HEAD' });
    expect((await one(`curl --json '{}' ${URL_OF_WS}`)).headers.get('content-type')).to.equal(
      'application/json',
    );
    expect((await one(`curl --oauth2-bearer t -A agent ${URL_OF_WS}`)).headers.get('authorization')).to.equal(
      'Bearer t',
    );
    for (const [spec, text] of [
      ['=a b', 'a+b'],
      ['a b', 'a+b'],
      ['data@up.csv', 'data=Email+Address%0Aann%40example.com%0A'],
      ['@up.csv', 'Email+Address%0Aann%40example.com%0A'],
    ] as const) {
      const call = await one(`curl ${URL_OF_WS} --data-urlencode '${spec}'`);
      expect(Buffer.from(call.body).toString()).to.equal(text);
    }
    expect(await read(`curl ${URL_OF_WS}\ncurl ${URL_OF_WS}/a07e`)).to.have.length(2);
  });

  it('is read from command lines as Windows, and scripts, have them', async () => {
    const body = 'activityType=CLEAR_CONTACTS_FROM_LISTS&lists=http%3A%2F%2Fx%2Flists%2F4';
    const commands = [
      // As browsers copy it for cmd, before and since they put ^ in front of quotes.
      `curl "${URL_OF_WS}" ^\r\n  -H "X: a ^& b" ^\r\n  --data-raw "${body.replace(/[&%]/g, '^$&')}"`,
      `curl ^"${URL_OF_WS}^" ^\n  --data-raw ^"${body.replace(/%(?=\w)/g, '^%^').replace('&', '^&')}^" ^\n  --compressed`,
      `curl.exe -s ${URL_OF_WS} \`\r\n  -d "${body}"`,
      `sudo curl ${URL_OF_WS} -d '${body}'`,
      `#!/bin/sh\nset -e\nTOKEN=s3cret\nOUT=$(curl -s -d '${body}' -H "Authorization: Bearer $TOKEN" ${URL_OF_WS})\necho "$OUT"`,
      `if true; then\n  ID=\`/usr/bin/curl -s -d '${body}' ${URL_OF_WS}\`\nfi`,
    ];
    for (const command of commands) {
      const call = await one(command);
      expect(call, command).to.include({ method: 'POST', url: URL_OF_WS });
      expect(Buffer.from(call.body).toString(), command).to.equal(body);
    }
  });

  it('is read from a URL alone, and from a request line without an end', async () => {
    for (const text of [URL_OF_WS, ` ${URL_OF_WS}\n`, `GET ${URL_OF_WS} HTTP/1.1`, `GET ${URL_OF_WS}`]) {
      expect(await one(text), text).to.include({ method: 'GET', url: URL_OF_WS });
    }
  });

  it('is refused with words about what is wrong, and never with a secret', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['hello', /^in: holds no request that can be read; give a form body/],
      ['curl', /holds no request/],
      ['curl -d x', /^in: curl is given no URL$/],
      [`curl --wonder s3cret ${URL_OF_WS}`, /^in: --wonder is an option that is not known here/],
      [`curl -Z s3cret ${URL_OF_WS}`, /^in: -Z is an option/],
      [`curl ${URL_OF_WS} https://s3cret/`, /^in: curl is given more than one URL/],
      [
        `curl ${URL_OF_WS}\n  -d s3cret`,
        /^in: command 2 begins with an option of the one before it; .*backslash/,
      ],
      [`curl ${URL_OF_WS} -u`, /^in: --user has no value$/],
      [`curl -u 's3cret ${URL_OF_WS}`, /^line 1: the quote ' is not closed$/],
      [`curl -d @nothing.txt ${URL_OF_WS}`, /nothing\.txt: there is no such file/],
      ['{"log":{}}', /log\.entries is missing/],
      ['{"log":{"entries":[{}]}}', /^in, entry 1: has no request with a url/],
      ['[1]', /^in, request 1: is no request of the journal/],
      ['{"url":"/x"}\n{broken', /^in: line 2 is not JSON$/],
    ];
    for (const [text, words] of cases) {
      const message = await failure(text);
      expect(message).to.match(words);
      expect(message).not.to.include('s3cret');
    }
  });

  it('is read from a HAR file, its body as text, in base64 or as parameters', async () => {
    const wanted = await meaning(await one(FORM));
    const mimeType = 'application/x-www-form-urlencoded';
    const params = [
      { name: 'activityType', value: 'SV_ADD' },
      { name: 'data', value: 'Email Address,First Name\nann@example.com,Ann' },
      { name: 'lists', value: '2' },
      { name: 'lists', value: '5' },
    ];
    const har = (postData: object) =>
      JSON.stringify({
        log: {
          entries: [
            {
              request: {
                method: 'POST',
                url: URL_OF_WS,
                headers: [{ name: 'Accept', value: '*/*' }],
                postData,
              },
            },
          ],
        },
      });
    for (const postData of [
      { mimeType, text: FORM },
      { mimeType, text: Buffer.from(FORM).toString('base64'), encoding: 'base64' },
      { mimeType, params },
      { mimeType: 'multipart/form-data', params },
    ]) {
      expect(await meaning(await one(har(postData)))).to.deep.equal(wanted);
    }
    const withFile = [
      params[0],
      { ...params[1], name: 'dataFile', fileName: 'up.csv', contentType: 'text/csv' },
      ...params.slice(2),
    ];
    expect(
      await meaning(await one(har({ mimeType: 'multipart/form-data', params: withFile }))),
    ).to.deep.equal(wanted);
    expect((await one('{"log":{"entries":[{"request":{"url":"/x"}}]}}')).method).to.equal('GET');
  });

  it('is read from the journal of the emulator, which says when contacts are made up', async () => {
    for (const recordBodies of [false, true]) {
      const emulator = createEmulator({ recordBodies });
      const headers = { authorization: 'Bearer s3cret', 'content-type': 'application/x-www-form-urlencoded' };
      const url = 'http://localhost/ws/customers/joesflowers/activities';
      await emulator.fetch(url, { method: 'POST', headers, body: FORM });
      await emulator.fetch(url, { headers });
      const ndjson = emulator.requests.toNdjson();
      const entries = emulator.requests.matching();
      for (const text of [ndjson, JSON.stringify(entries), JSON.stringify({ requests: entries })]) {
        const [created, listed] = await read(text);
        expect(await meaning(created!))
          .to.have.property('lists')
          .that.deep.equals(['2', '5']);
        expect(created?.madeUp).to.equal(!recordBodies);
        expect(listed).to.include({ method: 'GET', url });
        const { losses } = await translateCall(created!, { to: 'v2' });
        expect(losses.some(({ code }) => code === 'CONTACTS_MADE_UP')).to.equal(!recordBodies);
      }
    }
  });
});

describe('a recording that could not keep some characters', () => {
  it('says so: they are not in the counterpart', async () => {
    const codesOf = async (data: string) => {
      const params = [
        { name: 'activityType', value: 'SV_ADD' },
        { name: 'lists', value: '2' },
        { name: 'data', value: data },
      ];
      const codes = [];
      for (const mimeType of ['application/x-www-form-urlencoded', 'multipart/form-data']) {
        const request = { method: 'POST', url: URL_OF_WS, headers: [], postData: { mimeType, params } };
        const call = await one(JSON.stringify({ log: { entries: [{ request }] } }));
        codes.push(...(await translateCall(call, { to: 'v2' })).losses.map(({ code }) => code));
      }
      return codes.filter((code) => code === 'CHARACTER_UNREADABLE').length;
    };
    expect(await codesOf('Email Address,First Name\nann@example.com,M\ufffdller')).to.equal(2);
    expect(await codesOf('Email Address,First Name\nann@example.com,Müller')).to.equal(0);
  });
});

describe('anything at all', () => {
  it('is read and translated, or refused with an error of the package', async () => {
    const har = JSON.stringify({
      log: {
        entries: [
          {
            request: {
              method: 'POST',
              url: URL_OF_WS,
              headers: [],
              postData: { params: [{ name: 'activityType', value: 'SV_ADD' }] },
            },
          },
        ],
      },
    });
    const begin = fixtures('ws/requests').map((fixture) => fixture.bytes('request.http'));
    const others = [FORM, har, `curl ${URL_OF_WS} -F 'data=@up.csv' -d "${FORM}" -H 'a: b'`].map((text) =>
      Buffer.from(text),
    );
    const piece = fc.oneof(
      fc.constantFrom(
        '',
        '%',
        '&',
        '"',
        "'",
        '\\',
        '\r\n\r\n',
        '--',
        'chunked',
        '{',
        ']',
        '\0',
        '\u{1f600}',
        '%E0%A4',
        ';boundary=x',
      ),
      fc.string({ maxLength: 4 }),
    );
    const damaged = fc
      .record({
        bytes: fc.constantFrom(...begin, ...others),
        at: fc.nat(),
        length: fc.nat({ max: 30 }),
        piece,
      })
      .map(({ bytes, at, length, piece: put }) => {
        const from = at % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, from), Buffer.from(put), bytes.subarray(from + length)]);
      });
    const property = fc.asyncProperty(damaged, async (bytes) => {
      try {
        for (const call of await read(bytes)) await translateCall(call, { to: 'v2' });
      } catch (error) {
        expect(error).to.be.instanceOf(CtctError);
      }
    });
    await fc.assert(property, { numRuns: runs(400) });
  }).timeout(20_000);
});

describe('the words of a shell', () => {
  it('are those that a real shell reads', () => {
    const piece = fc.oneof(
      fc.string({
        unit: fc.constantFrom('a', 'ä', '1', '=', '%', '-', '_', ',', '.', '/', ':', '+', '@'),
        minLength: 1,
        maxLength: 5,
      }),
      fc
        .string({
          unit: fc.constantFrom('a', ' ', '"', '\\', '$', ';', '|', '#', '\n', '&', '`'),
          maxLength: 6,
        })
        .map((text) => `'${text}'`),
      fc
        .string({
          unit: fc.constantFrom(
            'a',
            ' ',
            "'",
            ';',
            '|',
            '#',
            '\n',
            '&',
            '\\\\',
            '\\"',
            '\\$',
            '\\`',
            '\\a',
            '\\\n',
          ),
          maxLength: 6,
        })
        .map((text) => `"${text}"`),
      fc
        .string({
          unit: fc.constantFrom(
            'a',
            ' ',
            '"',
            '\\n',
            '\\t',
            "\\'",
            '\\\\',
            '\\x41',
            '\\u00e4',
            '\\101',
            '\\e',
            '#',
          ),
          maxLength: 6,
        })
        .map((text) => `$'${text}'`),
      fc.constantFrom('\\ ', '\\"', "\\'", '\\\\', '\\\n', '\\#', '\\a', '\\;'),
    );
    const word = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => `w${pieces.join('')}`);
    const words = fc.array(word, { minLength: 1, maxLength: 4 });
    // One process for all: each line of words is a call of a function that prints them.
    const samples = fc.sample(words, { numRuns: runs(200), seed: 7 });
    const script = samples.map((sample) => `show ${sample.join(' ')}`).join('\n');
    const show = `show() { printf '%s\\0' "$@"; printf '\\1\\0'; }\n`;
    const told = execFileSync('bash', ['--norc', '--noprofile'], {
      input: show + script,
      maxBuffer: 2 ** 28,
      env: { LC_ALL: 'C.UTF-8', PATH: process.env.PATH },
    }).toString();
    const expected = told
      .split('\x01\0')
      .slice(0, -1)
      .map((line) => line.split('\0').slice(0, -1));
    expect(shellCommands(script).map(([, ...rest]) => rest)).to.deep.equal(expected);
  });

  it('end at separators, and pass over comments and Windows line ends', () => {
    expect(shellCommands('a b; c|d && e > f # x\r\n# y\r\ng \\\r\n h')).to.deep.equal([
      ['a', 'b'],
      ['c'],
      ['d'],
      ['e'],
      ['f'],
      ['g', 'h'],
    ]);
    expect(shellCommands("a$'\\U0010ffff\\q\\UFFFFFFFF'")).to.deep.equal([['a\u{10ffff}\\q\ufffd']]);
    expect(shellCommands('a\\')).to.deep.equal([['a']]);
  });
});
