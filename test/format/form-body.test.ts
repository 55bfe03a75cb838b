import { expect } from 'chai';
import fc from 'fast-check';
import { formBody, type TextSource } from '../../src/format/form-body.js';
import { decodeForm, encodeForm, type FormParameter } from '../../src/format/form.js';

const TYPE = 'application/x-www-form-urlencoded';

/** The text as a source that yields it in pieces of so many bytes. */
function source(text: string, size: number): TextSource & { opened: number } {
  const bytes = Buffer.from(text);
  const made = {
    replayable: true,
    opened: 0,
    async *open() {
      made.opened++;
      for (let at = 0; at < bytes.length; at += size) {
        await Promise.resolve();
        yield bytes.subarray(at, at + size);
      }
    },
  };
  return made;
}

async function bytesOf(open: () => AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of open()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const text = fc.string({
  unit: fc.constantFrom('a', ' ', '&', '=', '+', '%', 'é', '€', '😀', '\r\n', '\0', '"'),
});

describe('formBody', () => {
  it('is what encodeForm writes, as long as it says, however a source is cut, and time after time', async () => {
    const parameter = fc.tuple(text, text, fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }));
    await fc.assert(
      fc.asyncProperty(fc.array(parameter, { maxLength: 5 }), async (parameters) => {
        const body = await formBody(
          TYPE,
          parameters.map(([name, value, size]) =>
            size === undefined ? ([name, value] as const) : ([name, source(value, size)] as const),
          ),
        );
        const plain = parameters.map(([name, value]): FormParameter => [name, value]);
        const bytes = await bytesOf(() => body.open());
        expect(bytes.toString('latin1')).to.equal(encodeForm(plain));
        expect(body.length).to.equal(bytes.length);
        expect(await bytesOf(() => body.open())).to.deep.equal(bytes);
        if (plain.every(([name, value]) => name !== '' || value !== '')) {
          expect(decodeForm(bytes)).to.deep.equal(plain);
        }
      }),
    );
  });

  it('says what it is, and whether it can be sent again', async () => {
    const once = { ...source('x', 1), replayable: false };
    expect(await formBody(TYPE, [['data', once]])).to.include({ contentType: TYPE, replayable: false });
    const again = source('x', 1);
    expect(await formBody(TYPE, [['data', again]])).to.include({ replayable: true, length: 6 });
    expect(again.opened).to.equal(1);
  });

  it('fails as its source does, before anything is sent', async () => {
    const broken: TextSource = {
      replayable: true,
      // eslint-disable-next-line require-yield
      async *open() {
        await Promise.resolve();
        throw new Error('unreadable');
      },
    };
    const outcome: unknown = await formBody(TYPE, [['data', broken]]).catch((error: unknown) => error);
    expect(outcome).to.have.property('message', 'unreadable');
  });
});
