import querystring from 'node:querystring';
import { expect } from 'chai';
import fc from 'fast-check';
import { DecodeError } from '../../src/activity/errors.js';
import { decodeForm, decodeFormInSteps, encodeForm, type FormParameter } from '../../src/format/form.js';

/** Well-formed text in which the characters that matter to a form are frequent. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...' \r\n\t+%&=#;!\'()*~-._,"@aA0é漢'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 20,
});
const parameters = fc.array(fc.tuple(text, text), { maxLength: 8 });

describe('encodeForm and decodeForm', () => {
  it('are inverse', () => {
    fc.assert(
      fc.property(parameters, fc.constantFrom('+' as const, '%20' as const), (given, blank) => {
        expect(decode(encodeForm(given, () => blank))).to.deep.equal(given);
      }),
    );
  });
});

describe('encodeForm', () => {
  it('writes what the serializer of the URL Standard writes, lone surrogates included', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 20 });
    const lone = fc.constantFrom('\ud800', 'a\udc00b', '\udc00\ud800');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.oneof(text, anything, lone), fc.oneof(text, anything, lone))),
        (given) => {
          expect(encodeForm(given)).to.equal(new URLSearchParams(given).toString());
        },
      ),
    );
  });

  it('reproduces the example of an addition to the byte', () => {
    expect(
      encodeForm([
        ['activityType', 'SV_ADD'],
        [
          'data',
          'Email Address,First Name,Last Name\n' +
            'wstest3@example.com, Fred, Test\nwstest4@example.com, Joan, Test\nwstest5@example.com, Ann, Test',
        ],
        ['lists', 'http://api.constantcontact.com/ws/customers/joesflowers/lists/2'],
        ['lists', 'http://api.constantcontact.com/ws/customers/joesflowers/lists/5'],
      ]),
    ).to.equal(
      'activityType=SV_ADD&data=Email+Address%2CFirst+Name%2CLast+Name%0A' +
        'wstest3%40example.com%2C+Fred%2C+Test%0Awstest4%40example.com%2C+Joan%2C+Test%0Awstest5%40example.com%2C+Ann%2C+Test' +
        '&lists=http%3A%2F%2Fapi.constantcontact.com%2Fws%2Fcustomers%2Fjoesflowers%2Flists%2F2' +
        '&lists=http%3A%2F%2Fapi.constantcontact.com%2Fws%2Fcustomers%2Fjoesflowers%2Flists%2F5',
    );
  });

  it('writes blanks as %20 where it is asked to, as the example of an export has them', () => {
    const blanks = (name: string) => (name === 'columns' ? '%20' : '+');
    expect(
      encodeForm(
        [
          ['columns', 'EMAIL ADDRESS'],
          ['columns', 'STATE/PROVINCE (US/CANADA)'],
          ['data', 'a b'],
        ],
        blanks,
      ),
    ).to.equal('columns=EMAIL%20ADDRESS&columns=STATE%2FPROVINCE%20%28US%2FCANADA%29&data=a+b');
  });

  it('keeps the order of parameters that repeat among others', () => {
    expect(
      encodeForm([
        ['lists', '1'],
        ['data', ''],
        ['lists', '2'],
        ['__proto__', 'x'],
      ]),
    ).to.equal('lists=1&data=&lists=2&__proto__=x');
  });
});

describe('decodeForm', () => {
  /** Bodies without what only our decoder takes: raw layout, and bytes that are not UTF-8. */
  const body = fc
    .string({
      unit: fc.constantFrom(
        ...'ab=&%+4C3a9fFé;?[].',
        '%C3%A9',
        '%26',
        '%3D',
        '%2B',
        '%%',
        '%zz',
        '%0D%0A',
        '&&',
        '==',
      ),
      maxLength: 40,
    })
    .filter((form) => !new URLSearchParams(`?${form}`).toString().includes('%EF%BF%BD'));

  it('reads what the parser of the URL Standard reads', () => {
    fc.assert(
      fc.property(body, (form) => {
        expect(decode(form)).to.deep.equal([...new URLSearchParams(`?${form}`)]);
      }),
      { numRuns: 500 },
    );
  });

  it('reads what node:querystring reads', () => {
    // A raw character beyond ASCII beside a broken escape is more than querystring can read.
    const readable = body.filter((form) => !form.includes('é') || !/%(?![0-9a-f]{2})/i.test(form));
    fc.assert(
      fc.property(readable, (form) => {
        const grouped = Object.create(null) as Record<string, string | string[]>;
        for (const [name, value] of decode(form)) {
          const earlier = grouped[name];
          grouped[name] = earlier === undefined ? value : [earlier, value].flat();
        }
        expect(grouped).to.deep.equal(querystring.parse(form, '&', '=', { maxKeys: 0 }));
      }),
      { numRuns: 500 },
    );
  });

  it('does not care how a body is laid out', () => {
    const layout = fc.string({ unit: fc.constantFrom(' ', '\r', '\n', '\t'), maxLength: 3 });
    fc.assert(
      fc.property(parameters, fc.array(layout, { minLength: 20, maxLength: 20 }), (given, around) => {
        const pieces = given.map((parameter) => encodeForm([parameter]));
        const laidOut = pieces
          .map((piece, index) => `${around[index] ?? ''}${piece}${around[index + 9] ?? ''}`)
          .join('&');
        expect(decode(laidOut)).to.deep.equal(given);
      }),
    );
  });

  it('reads the layout of real clients: breaks and tabs inside a value, blanks around parameters, CRLF at the end', () => {
    const sent =
      'activityType=SV_ADD \n&data=Email+Address%2CFirst+Name%0A\n\t\twstest4%40example.com%2C+Ann\n &lists=http%3A%2F%2Fx%2Flists%2F2\r\n';
    expect(decode(sent)).to.deep.equal([
      ['activityType', 'SV_ADD'],
      ['data', 'Email Address,First Name\nwstest4@example.com, Ann'],
      ['lists', 'http://x/lists/2'],
    ]);
  });

  it('keeps a list URI that was not encoded, and a parameter name with brackets', () => {
    expect(
      decode('lists=https://api.constantcontact.com/ws/customers/u/lists/1&lists[]=2&a b=c d'),
    ).to.deep.equal([
      ['lists', 'https://api.constantcontact.com/ws/customers/u/lists/1'],
      ['lists[]', '2'],
      ['a b', 'c d'],
    ]);
  });

  it('reads a value that is not UTF-8 as windows-1252, and its neighbours as they are', () => {
    const sent = Buffer.concat([
      Buffer.from('a=%E9t%E9+%93quoted%94+%80&b=%C3%A9&c='),
      Buffer.from([0xe9, 0x99]),
      Buffer.from('&d=é'),
    ]);
    expect(decodeForm(sent)).to.deep.equal([
      ['a', 'été “quoted” €'],
      ['b', 'é'],
      ['c', 'é™'],
      ['d', 'é'],
    ]);
  });

  it('reads a piece of a larger buffer, and nothing beside it', () => {
    const buffer = Buffer.from('xxa=1&b=2yy');
    const piece = new Uint8Array(buffer.buffer, buffer.byteOffset + 2, 7);
    expect(decodeForm(piece)).to.deep.equal([
      ['a', '1'],
      ['b', '2'],
    ]);
  });

  it('takes 100,000 parameters, and refuses more', () => {
    const most = Array.from({ length: 100_000 }, (_, index) => `lists=${index}`).join('&');
    const read = decode(most);
    expect(read).to.have.length(100_000);
    expect(read.at(-1)).to.deep.equal(['lists', '99999']);
    expect(() => decode(`${most}&&lists=1`))
      .to.throw(DecodeError, 'more than 100000 parameters')
      .with.property('code', 'FORM_MALFORMED');
    expect(() => decodeForm(Buffer.from('a&b&c'), { maxParameters: 2 })).to.throw(
      DecodeError,
      /more than 2 .*byte 4/,
    );
  });

  it('reads a value of some megabytes', () => {
    const value = 'a@example.com, Ann\n'.repeat(200_000);
    expect(decode(encodeForm([['data', value]]))).to.deep.equal([['data', value]]);
  });

  it('reads the same in steps, wherever one of them ends, and lets others go on between them', async () => {
    let turns = 0;
    let counting = true;
    const count = () => {
      turns++;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    // Steps end in all places of an escape.
    for (const before of ['', 'x', 'xy']) {
      const value = `${before}${'é%+&= \r\n'.repeat(60_000)}`;
      const form = `lists=1&data=${encodeURIComponent(value)}&lists=%zz`;
      const expected = [...new URLSearchParams(`?${form}`)];
      expect(await decodeFormInSteps(Buffer.from(form))).to.deep.equal(expected);
      expect(decode(form)).to.deep.equal(expected);
    }
    const many = Array.from({ length: 60_000 }, (_, index) => `lists=${index}`).join('&');
    expect(await decodeFormInSteps(Buffer.from(many))).to.deep.equal([...new URLSearchParams(many)]);
    counting = false;
    expect(turns).to.be.above(20);
    const refused = await decodeFormInSteps(Buffer.from('a&b&c'), { maxParameters: 2 }).catch(
      (e: unknown) => e,
    );
    expect(refused).to.be.instanceOf(DecodeError);
  });

  it('reads nothing from an empty body', () => {
    for (const empty of ['', '\r\n', '&', ' & \n &']) expect(decode(empty)).to.deep.equal([]);
  });
});

function decode(form: string): FormParameter[] {
  return decodeForm(Buffer.from(form));
}
