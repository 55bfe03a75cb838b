import { Readable } from 'node:stream';
import { Busboy } from '@fastify/busboy';
import { expect } from 'chai';
import fc from 'fast-check';
import { DecodeError, UsageError } from '../../src/activity/errors.js';
import { decodeMultipart, multipartBody, type MultipartPart } from '../../src/format/multipart.js';

type FilePart = Extract<MultipartPart, { fileName: string }>;

function filePart(fields: Partial<FilePart> & { bytes?: Uint8Array }): FilePart {
  const bytes = fields.bytes ?? Buffer.from('x');
  return {
    name: 'dataFile',
    fileName: 'contacts.csv',
    contentType: 'text/csv',
    length: bytes.length,
    replayable: true,
    async *open() {
      await Promise.resolve();
      yield bytes;
    },
    ...fields,
  };
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The bytes cut into chunks of the given sizes, again and again; every chunk is overwritten once it was taken. */
async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length]!;
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function caught(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Text a header may hold; without what stands for a quote or a line break in a name, as any browser's form has it. */
const name = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(...'"\r\n\\;=%é/.\t \''),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
    maxLength: 12,
  })
  .filter((text) => !/%(22|0d|0a)/i.test(text) && !/(?![\t\r\n])\p{Cc}/u.test(text));
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
  fc
    .string({ unit: fc.constantFrom('\r', '\n', '-', '--', 'B', '\r\n--B', '\r\n--', 'x'), maxLength: 12 })
    .map((text) => Buffer.from(text)),
);
const part = fc.oneof(
  fc.record({ name, value: fc.string({ unit: 'grapheme', maxLength: 20 }) }),
  fc
    .record({
      name,
      fileName: name,
      contentType: fc.constantFrom('text/csv', 'text/plain; charset=utf-8'),
      bytes,
    })
    .map((fields) => filePart(fields)),
);
const parts = fc.array(part, { minLength: 1, maxLength: 5 });

async function plain(given: readonly MultipartPart[]) {
  return Promise.all(
    given.map(async (one) => ({
      name: one.name,
      fileName: 'value' in one ? undefined : one.fileName,
      contentType: 'value' in one ? undefined : one.contentType,
      bytes: 'value' in one ? Buffer.from(one.value) : await collect(one.open()),
    })),
  );
}

describe('multipartBody and decodeMultipart', () => {
  it('are inverse, however the body is cut, and the length is exact', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(parts, sizes, async (given, cuts) => {
        const body = multipartBody(given);
        const sent = await collect(body.open());
        expect(body.length).to.equal(sent.length);
        expect(await decodeMultipart(cut(sent, cuts), body.contentType)).to.deep.equal(await plain(given));
        expect(await decodeMultipart(new Uint8Array(sent), body.contentType)).to.have.length(given.length);
      }),
      { numRuns: 200 },
    );
  });

  it('are inverse at every single cut and byte by byte', async () => {
    const given = [
      { name: 'activityType', value: '' },
      filePart({ bytes: Buffer.from('\r\n--\r\n-----\r\n') }),
      { name: 'lists', value: 'http://example.com/2' },
    ];
    const body = multipartBody(given, { boundary: '-x' });
    const sent = await collect(body.open());
    const expected = await plain(given);
    for (let at = 1; at < sent.length; at++) {
      expect(await decodeMultipart(cut(sent, [at, sent.length]), body.contentType)).to.deep.equal(expected);
    }
    expect(await decodeMultipart(cut(sent, [1]), body.contentType)).to.deep.equal(expected);
  });
});

describe('multipartBody', () => {
  it('is read by fetch as it was meant', async () => {
    await fc.assert(
      fc.asyncProperty(parts, async (given) => {
        const body = multipartBody(given);
        const form = await new Response(await collect(body.open()), {
          headers: { 'content-type': body.contentType },
        }).formData();
        const read = await Promise.all(
          [...form].map(async ([key, value]) =>
            typeof value === 'string'
              ? { key, text: value }
              : { key, fileName: value.name, bytes: Buffer.from(await value.arrayBuffer()) },
          ),
        );
        const meant = (await plain(given)).map((one) =>
          one.fileName === undefined
            ? { key: one.name, text: one.bytes.toString() }
            : { key: one.name, fileName: one.fileName, bytes: one.bytes },
        );
        expect(read).to.deep.equal(meant);
      }),
      { numRuns: 200 },
    );
  });

  it('is read by busboy as it was meant', async () => {
    const given = [
      { name: 'activityType', value: 'SV_ADD' },
      { name: 'lists', value: 'http://example.com/ws/lists/2' },
      { name: 'lists', value: 'ü ü\r\n' },
      filePart({ fileName: 'Käufer 2009.csv', bytes: Buffer.from('Email Address\r\na@example.com\r\n') }),
    ];
    const body = multipartBody(given);
    const read = await new Promise((resolve, reject) => {
      const found: unknown[] = [];
      const busboy = new Busboy({ headers: { 'content-type': body.contentType } });
      busboy.on('field', (key, value) => found.push([key, value]));
      busboy.on('file', (key, file, fileName, _encoding, type) => {
        const chunks: Buffer[] = [];
        file.on('data', (chunk: Buffer) => chunks.push(chunk));
        file.on('end', () => found.push([key, fileName, type, Buffer.concat(chunks).toString()]));
      });
      busboy.on('finish', () => {
        resolve(found);
      });
      busboy.on('error', reject);
      Readable.from(body.open()).pipe(busboy);
    });
    expect(read).to.deep.equal([
      ['activityType', 'SV_ADD'],
      ['lists', 'http://example.com/ws/lists/2'],
      ['lists', 'ü ü\r\n'],
      ['dataFile', 'Käufer 2009.csv', 'text/csv', 'Email Address\r\na@example.com\r\n'],
    ]);
  });

  it('writes an upload as the document describes it', async () => {
    const body = multipartBody(
      [
        { name: 'activityType', value: 'SV_ADD' },
        { name: 'lists', value: 'http://api.constantcontact.com/ws/customers/joesflowers/lists/2' },
        filePart({ bytes: Buffer.from('Email Address\na@example.com\n') }),
      ],
      { boundary: 'AaB03x' },
    );
    expect(body.contentType).to.equal('multipart/form-data; boundary=AaB03x');
    expect((await collect(body.open())).toString()).to.equal(
      [
        '--AaB03x',
        'Content-Disposition: form-data; name="activityType"',
        '',
        'SV_ADD',
        '--AaB03x',
        'Content-Disposition: form-data; name="lists"',
        '',
        'http://api.constantcontact.com/ws/customers/joesflowers/lists/2',
        '--AaB03x',
        'Content-Disposition: form-data; name="dataFile"; filename="contacts.csv"',
        'Content-Type: text/csv',
        '',
        'Email Address\na@example.com\n',
        '--AaB03x--',
        '',
      ].join('\r\n'),
    );
  });

  it('has another boundary each time, and the same bytes at each opening', async () => {
    const body = multipartBody([{ name: 'a', value: 'b' }, filePart({})]);
    expect(multipartBody([{ name: 'a', value: 'b' }]).contentType).to.not.equal(body.contentType);
    expect((await collect(body.open())).equals(await collect(body.open()))).to.equal(true);
    expect(body.replayable).to.equal(true);
  });

  it('does not know its length, nor replays, when a part does not', () => {
    const body = multipartBody([filePart({ length: undefined, replayable: false })]);
    expect(body).to.include({ length: undefined, replayable: false });
  });

  it('lets nothing out of a name or a file name into the headers', async () => {
    const given = [
      { name: 'a"\r\nX-Evil: 1\r\n\r\nbody', value: '1' },
      filePart({ name: 'f', fileName: 'x"; name="y\r\n\r\n--B\r\n.csv' }),
    ];
    const sent = (await collect(multipartBody(given, { boundary: 'B' }).open())).toString();
    expect(sent).to.equal(
      '--B\r\nContent-Disposition: form-data; name="a%22%0D%0AX-Evil: 1%0D%0A%0D%0Abody"\r\n\r\n1\r\n' +
        '--B\r\nContent-Disposition: form-data; name="f"; filename="x%22; name=%22y%0D%0A%0D%0A--B%0D%0A.csv"\r\n' +
        'Content-Type: text/csv\r\n\r\nx\r\n--B--\r\n',
    );
  });

  it('refuses what no header can hold', () => {
    for (const refused of [
      () => multipartBody([]),
      () => multipartBody([{ name: 'a\0b', value: '' }]),
      () => multipartBody([filePart({ fileName: '\x1b[1m.csv' })]),
      () => multipartBody([filePart({ fileName: 'a\x7f.csv' })]),
      () => multipartBody([filePart({ contentType: 'text/csv\r\nX-Evil: 1' })]),
      () => multipartBody([filePart({ contentType: '' })]),
      () => multipartBody([filePart({ contentType: 'text/csv; name=é' })]),
      () => multipartBody([filePart({})], { boundary: '' }),
      () => multipartBody([filePart({})], { boundary: 'a\r\nb' }),
      () => multipartBody([filePart({})], { boundary: 'a"b' }),
      () => multipartBody([filePart({})], { boundary: 'x'.repeat(71) }),
    ]) {
      expect(refused).to.throw(UsageError).with.property('code', 'OPTION_INVALID');
    }
  });

  it('says which of them it refuses, and shows 100 characters of it at most', () => {
    const long = 'x'.repeat(100);
    for (const [field, part] of [
      ['name', { name: `${long}\0`, value: '' }],
      ['fileName', filePart({ fileName: `${long}\0` })],
      ['contentType', filePart({ contentType: `${long}é` })],
    ] as const) {
      expect(() => multipartBody([part])).to.throw(UsageError, new RegExp(`^${field}: [^]*"${long}"`));
    }
  });

  it('quotes a boundary that is no token', async () => {
    const body = multipartBody([{ name: 'a', value: 'b' }], { boundary: "a'()+_,-./:=?Z" });
    expect(body.contentType).to.equal('multipart/form-data; boundary="a\'()+_,-./:=?Z"');
    expect(await decodeMultipart(body.open(), body.contentType)).to.have.length(1);
  });

  it('passes on the error of a file, and closes files that are not read to their end', async () => {
    const events: string[] = [];
    const endless = filePart({
      length: undefined,
      async *open() {
        try {
          for (;;) {
            await Promise.resolve();
            yield Buffer.alloc(100_000);
          }
        } finally {
          events.push('closed');
        }
      },
    });
    let read = 0;
    for await (const chunk of multipartBody([endless]).open()) {
      read += chunk.length;
      if (read > 1_000_000) break;
    }
    await new Promise(setImmediate);
    expect(events).to.deep.equal(['closed']);

    const failing = filePart({
      async *open() {
        await Promise.resolve();
        yield Buffer.from('x');
        throw new UsageError('FILE_CHANGED', 'it changed');
      },
    });
    expect(await caught(collect(multipartBody([{ name: 'a', value: 'b' }, failing]).open())))
      .to.be.instanceOf(UsageError)
      .with.property('code', 'FILE_CHANGED');
  });

  it('reads a file no faster than the body is taken', async () => {
    let produced = 0;
    const file = filePart({
      length: undefined,
      async *open() {
        for (; produced < 200; produced++) {
          await new Promise(setImmediate);
          yield Buffer.alloc(64 * 1024);
        }
      },
    });
    const body = multipartBody([file]).open()[Symbol.asyncIterator]();
    await body.next();
    await body.next();
    for (let turn = 0; turn < 400; turn++) await new Promise(setImmediate);
    expect(produced).to.be.lessThan(20);
    await body.return?.();
  });
});

describe('decodeMultipart', () => {
  const type = 'multipart/form-data; boundary=B';
  const raw = (text: string, contentType = type) => decodeMultipart(Buffer.from(text, 'latin1'), contentType);
  const partOf = (disposition: string, body = 'x') =>
    `--B\r\nContent-Disposition: ${disposition}\r\n\r\n${body}\r\n--B--\r\n`;

  it('reads what a PHP client of the time sent under a urlencoded type, as attachments', async () => {
    const sent =
      '------------------------------8f\r\nContent-Disposition: attachment; name="activityType"\r\n\r\nSV_ADD\r\n' +
      '------------------------------8f\r\nContent-Disposition: attachment; name="lists"\r\n\r\nhttp://x/lists/2\r\n' +
      '------------------------------8f--\r\n';
    const read = await raw(
      sent,
      'application/x-www-form-urlencoded; boundary=----------------------------8f',
    );
    expect(read.map((one) => [one.name, one.bytes.toString()])).to.deep.equal([
      ['activityType', 'SV_ADD'],
      ['lists', 'http://x/lists/2'],
    ]);
  });

  it('takes a line break before the first boundary, a preamble and an epilogue', async () => {
    for (const [before, after] of [
      ['\r\n', ''],
      ['This is a form.\r\n', '\r\n'],
      ['\r\n\r\n', 'epilogue\r\n--B\r\nno part'],
    ] as const) {
      const read = await raw(before + partOf('form-data; name="a"') + after);
      expect(read, JSON.stringify(before)).to.have.length(1);
      expect(Buffer.from(read[0]!.bytes).toString()).to.equal('x');
    }
  });

  it('finds the boundary whatever its case, quotes and neighbours', async () => {
    for (const contentType of [
      'multipart/form-data; boundary="B"',
      'Multipart/Form-Data;BOUNDARY=B',
      'multipart/form-data; charset=UTF-8; boundary=B ; x=y',
      'multipart/form-data; boundary = "B" ; boundary=C',
    ]) {
      expect(await raw(partOf('form-data; name="a"'), contentType), contentType).to.have.length(1);
    }
  });

  it('reads names and file names as browsers, curl and mailers write them', async () => {
    const names: [disposition: string, name: string, fileName: string | undefined][] = [
      ['form-data; name="a"', 'a', undefined],
      ['form-data; name=a', 'a', undefined],
      ['form-data; name=a; filename=b.csv', 'a', 'b.csv'],
      ['form-data; name=""; filename=""', '', ''],
      ['FORM-DATA; NAME="a"; FileName="b"', 'a', 'b'],
      ['form-data ;name = "a" ;filename= "b" ', 'a', 'b'],
      ['form-data; name="a%22%0D%0Ab%20"; filename="%0a%"', 'a"\r\nb%20', '\n%'],
      ['form-data; name="a"; filename="say \\"hi\\".csv"', 'a', 'say "hi".csv'],
      ['form-data; name="a"; filename="say "hi".csv"', 'a', 'say "hi".csv'],
      [
        'form-data; name="a"; filename="C:\\Documents and Settings\\x.csv"',
        'a',
        'C:\\Documents and Settings\\x.csv',
      ],
      ['form-data; name="a"; filename="C:\\"', 'a', 'C:\\'],
      ['form-data; name="a\\"; filename="b"', 'a\\', 'b'],
      ['form-data; name="a; b=c"; filename="x; y.csv"', 'a; b=c', 'x; y.csv'],
      ['form-data; name="a"; filename="K\xc3\xa4ufer.csv"', 'a', 'Käufer.csv'],
      ['form-data; name="a"; filename="K\xe4ufer.csv"', 'a', 'Käufer.csv'],
      [
        'form-data; name="a"; filename="x.csv"; filename*=UTF-8\'\'na%C3%AFve%20%E2%82%AC.csv',
        'a',
        'naïve €.csv',
      ],
      ["form-data; filename*=iso-8859-1'de'K%e4ufer.csv; name=a", 'a', 'Käufer.csv'],
      ['form-data; name="a"; filename="x.csv"; filename*=nonsense', 'a', 'x.csv'],
      ['form-data; name="a"; filename="never closed', 'a', 'never closed'],
      ['form-data; name="a"; name="b"; filename="../../etc/passwd"', 'a', '../../etc/passwd'],
      ['form-data; xname="a"; name="b"', 'b', undefined],
      ['form-data;\r\n name="a";\r\n\tfilename="b"', 'a', 'b'],
    ];
    for (const [disposition, expected, fileName] of names) {
      const [read] = await raw(partOf(disposition));
      expect([read?.name, read?.fileName], disposition).to.deep.equal([expected, fileName]);
    }
  });

  it('keeps the content type and whatever else a part has, and the body as it is', async () => {
    const [read] = await raw(
      '--B\r\ncontent-type: text/csv; charset=iso-8859-1\r\nContent-Transfer-Encoding: binary\r\n' +
        'content-disposition: form-data; name="a"\r\n\r\n\r\n--\r\n\r\nBx\xff\r\n--B--',
    );
    expect(read?.contentType).to.equal('text/csv; charset=iso-8859-1');
    expect(Buffer.from(read?.bytes ?? []).toString('latin1')).to.equal('\r\n--\r\n\r\nBx\xff');
  });

  it('reads no part, and parts without content', async () => {
    expect(await raw('--B--\r\n')).to.deep.equal([]);
    const read = await raw('--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n--B--\r\n');
    expect(read[0]?.bytes).to.have.length(0);
  });

  it('refuses a body that makes no sense, and says what and where', async () => {
    const whole = partOf('form-data; name="a"');
    for (const [text, contentType, reason] of [
      [whole, 'multipart/form-data', /names no boundary/],
      [whole, '', /names no boundary/],
      [whole, 'multipart/form-data; boundary=', /not 1 to 200/],
      [whole, 'multipart/form-data; boundary="a\x01"', /not 1 to 200/],
      [whole, `multipart/form-data; boundary=${'x'.repeat(201)}`, /not 1 to 200/],
      ['', type, /ends at byte 0, in part 0, without its closing boundary "--B--"/],
      ['a=b&c=d', type, /ends at byte 7/],
      [whole.replace('--B--\r\n', ''), type, /ends at byte 52, in part 1/],
      [whole.replace('--B--', '--B'), type, /without its closing boundary/],
      [whole.replaceAll('--B', '--C'), type, /without its closing boundary/],
      ['--B\r\nContent-Disposition: form-data; name="a"\r\n--B--\r\n', type, /part 1 has no name/],
      ['--B\r\n\r\nx\r\n--B--\r\n', type, /part 1 has no name/],
      [partOf('form-data'), type, /part 1 has no name/],
      [partOf('form-data; name="a\nb"'), type, /part 1 has no name/],
    ] as const) {
      const error = await caught(raw(text, contentType));
      expect(error, JSON.stringify([text, contentType])).to.be.instanceOf(DecodeError);
      expect(error).to.have.property('code', 'FORM_MALFORMED');
      expect(error).to.have.property('message').that.matches(reason);
    }
  });

  it('reads no more bytes and parts than it may', async () => {
    const many = `${'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'.repeat(3)}--B--\r\n`;
    expect(
      await decodeMultipart(Buffer.from(many), type, { maxParts: 3, maxBytes: many.length }),
    ).to.have.length(3);
    expect(await caught(decodeMultipart(Buffer.from(many), type, { maxParts: 2 })))
      .to.be.instanceOf(DecodeError)
      .with.property('message', 'multipart: the body has more than 2 parts');
    let taken = 0;
    const endless = (async function* () {
      for (;;) {
        taken++;
        await Promise.resolve();
        yield Buffer.alloc(1000);
      }
    })();
    expect(await caught(decodeMultipart(endless, type, { maxBytes: 10_000 })))
      .to.be.instanceOf(DecodeError)
      .with.property('code', 'BODY_TOO_LARGE');
    expect(taken).to.equal(11);
  });

  it('reads ten thousand parts', async () => {
    const many = `${'--B\r\nContent-Disposition: form-data; name="lists"\r\n\r\n2\r\n'.repeat(10_000)}--B--\r\n`;
    expect(await raw(many)).to.have.length(10_000);
  });

  it('settles for any bytes, with parts or a DecodeError', async () => {
    const piece = fc.constantFrom(
      '--B',
      '\r\n',
      '--',
      'Content-Disposition: form-data; name="a"',
      '"',
      ';',
      ':',
      'x',
      '\0',
      '\xff',
      'name=',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 25 }), async (pieces) => {
        const error = await caught(raw(pieces.join('')));
        if (error !== undefined) expect(error).to.be.instanceOf(DecodeError);
      }),
      { numRuns: 500 },
    );
  });
});
