import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { expectation, inOrder } from '../../src/format/document-problem.js';

const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: false });

function problems(schema: object, value: unknown): string[] {
  const validate = ajv.compile(schema);
  expect(validate(value)).to.equal(false);
  return inOrder(validate.errors ?? []).map(expectation);
}

describe('what a document should have said', () => {
  it('is told in plain words', () => {
    for (const [schema, value, told] of [
      [{ type: 'string' }, 5, 'must be text; put it in quotes'],
      [{ type: 'string' }, [], 'must be text'],
      [{ type: 'integer' }, 'x', 'must be a whole number'],
      [{ type: ['string', 'boolean', 'null'] }, 5, 'must be text or true or false or null'],
      [{ type: 'object', examples: [{ a: 1 }] }, 'x', 'must be an object, such as {"a":1}'],
      [{ required: ['user'] }, {}, '"user" is missing'],
      [{ enum: ['CSV', 'TXT'] }, 'XLS', 'must be one of CSV, TXT'],
      [{ const: 2 }, 3, 'must be 2'],
      [{ pattern: '^a' }, 'b', 'must match ^a'],
      [{ pattern: '\\S' }, ' ', 'must not be blank'],
      [{ pattern: '^a', title: 'a name', examples: ['ann'] }, 'b', 'must be a name, such as "ann"'],
      [{ pattern: '^a', examples: ['ann', 'amy'] }, 'b', 'must match ^a, such as "ann"'],
      [{ minLength: 1 }, '', 'must not be empty'],
      [{ minLength: 3 }, 'x', 'must have 3 characters or more'],
      [{ minItems: 1 }, [], 'must have 1 item or more'],
      [{ minItems: 2 }, [], 'must have 2 items or more'],
      [{ minimum: 1 }, 0, 'must be 1 or more'],
      [{ maximum: 9 }, 10, 'must be 9 or less'],
      [{ uniqueItems: true }, [1, 1], 'must NOT have duplicate items (items ## 0 and 1 are identical)'],
    ] as const) {
      expect(problems(schema, value), JSON.stringify(schema)).to.deep.equal([told]);
    }
  });

  it('begins with what the reader should mend first', () => {
    const properties = { name: { type: 'string' }, list: { properties: { id: { type: 'integer' } } } };
    const schema = { properties, required: ['name', 'b'], additionalProperties: false };
    expect(problems(schema, { nam: 'x', list: { id: 'x' } })).to.deep.equal([
      'must NOT have additional properties',
      'must be a whole number',
      '"name" is missing',
      '"b" is missing',
    ]);
  });

  it('begins with what stands deepest, however long the names on the way', () => {
    const number = { type: 'number' };
    const properties = { aLongNameAtTheTop: number, a: { properties: { b: { minimum: 1 } } } };
    const value = { aLongNameAtTheTop: 'x', a: { b: 0 } };
    expect(problems({ properties }, value)).to.deep.equal(['must be 1 or more', 'must be a number']);
  });

  it('says of alternatives what is wrong with the one that was meant', () => {
    const anyOf = [{ type: 'string' }, { type: 'object', properties: { errors: { minimum: 1 } } }];
    expect(problems({ anyOf }, { errors: 0 })[0]).to.equal('must be 1 or more');
    expect(problems({ oneOf: [{}, {}] }, 5)).to.deep.equal(['must match exactly one schema in oneOf']);
  });
});
