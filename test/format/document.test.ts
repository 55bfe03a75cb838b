import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { stringify } from 'yaml';
import type { UsageError } from '../../src/activity/errors.js';
import { readDocument } from '../../src/format/document.js';

const read = (text: string, source = 'seed.yaml') =>
  readDocument<unknown>(text, { source, schema: 'emulator-seed' });

async function failure(text: string, source?: string): Promise<UsageError> {
  return read(text, source).then(
    (value) => {
      throw new Error(`read ${JSON.stringify(value)}`);
    },
    (error: unknown) => error as UsageError,
  );
}

describe('readDocument', () => {
  it('reads back what is written as JSON and as YAML, by name and by how it begins', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).map((some) => `x${some}`);
    const seed = fc.record({
      accounts: fc.array(
        fc.record(
          {
            user: text,
            credentials: fc.record({ password: text }),
            lists: fc.array(
              fc.record(
                { id: fc.nat().map(String), name: text, optInDefault: fc.boolean(), sortOrder: fc.integer() },
                { requiredKeys: ['id', 'name'] },
              ),
              { maxLength: 3 },
            ),
            doNotMail: fc.array(
              fc.oneof(text, fc.dictionary(text, fc.oneof(text, fc.integer(), fc.constant(null)))),
            ),
          },
          { requiredKeys: ['user'] },
        ),
        { maxLength: 3 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(seed, fc.boolean(), async (value, spread) => {
        const json = JSON.stringify(value, null, spread ? '\t' : undefined);
        const yaml = stringify(value);
        for (const [given, source] of [
          [json, 'seed.json'],
          [`\uFEFF${json}`, 'stdin'],
          [yaml, 'seed.yaml'],
          [yaml, 'seed.YML'],
          [yaml, 'stdin'],
        ] as const) {
          expect(await read(given, source), source).to.deep.equal(value);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('names the place, what was expected, and what may have been meant', async () => {
    const start = 'accounts:\n  - user: joesflowers\n';
    for (const [text, message] of [
      [
        `${start}    lists:\n      - id: 2\n        nam: Roses\n`,
        'seed.yaml:5:9: accounts[0].lists[0]: "nam" is not known here; did you mean name? (and 1 more)',
      ],
      [`${start}    lists:\n      - id: 2\n`, 'seed.yaml:4:9: accounts[0].lists[0]: "name" is missing'],
      [
        `${start}    lists: [{ id: two, name: x }]\n`,
        'seed.yaml:3:19: accounts[0].lists[0].id: must match ^[0-9]{1,20}$, such as "2", got "two"',
      ],
      [
        `${start}    lists: [{ id: true, name: x }]\n`,
        'seed.yaml:3:19: accounts[0].lists[0].id: must be text or a whole number, such as "2", got true',
      ],
      [
        `${start}    lists: [{ id: -2, name: x }]\n`,
        'seed.yaml:3:19: accounts[0].lists[0].id: must be 0 or more, got -2',
      ],
      [
        `${start}    lists: [{ id: 2, name: x, optInDefault: 1 }]\n`,
        'seed.yaml:3:45: accounts[0].lists[0].optInDefault: must be true or false, got 1',
      ],
      [
        `${start}    lists: [{ id: 2, name: " " }]\n`,
        'seed.yaml:3:28: accounts[0].lists[0].name: must not be blank, got " "',
      ],
      [
        `${start}    outcomes: [{ outcome: { stuckIn: RUNING } }]\n`,
        'seed.yaml:3:38: accounts[0].outcomes[0].outcome.stuckIn: must be one of PENDING, QUEUED, RUNNING, got "RUNING"',
      ],
      [
        `${start}    outcomes: [{ outcome: fine }]\n`,
        'seed.yaml:3:27: accounts[0].outcomes[0].outcome: must be one of complete, error, unconfirmed, got "fine"',
      ],
      [
        `${start}    doNotMail: [{ "e mail": [1] }]\n`,
        'seed.yaml:3:29: accounts[0].doNotMail[0]["e mail"]: must be text or a number or null, got an array',
      ],
      ['accounts:\n  - user: 5\n', 'seed.yaml:2:11: accounts[0].user: must be text; put it in quotes, got 5'],
      [
        `${start}    lists: [{ id: 2, name: x, optInDefault: maybe }]\n`,
        'seed.yaml:3:45: accounts[0].lists[0].optInDefault: must be true or false, got "maybe"',
      ],
      ['accounts: [5]\n', 'seed.yaml:1:12: accounts[0]: must be an object, got 5'],
      ['accounts: {}\n', 'seed.yaml:1:11: accounts: must be a list, got an object'],
      ['hello\n', 'seed.yaml:1:1: must be an object, got text'],
      ['acounts: []', 'seed.yaml:1:1: "acounts" is not known here; did you mean accounts? (and 1 more)'],
      ['zzz: []', 'seed.yaml:1:1: "zzz" is not known here; there are $schema, accounts (and 1 more)'],
      ['', 'seed.yaml: is empty'],
      ['# nothing\n', 'seed.yaml: is empty'],
    ] as const) {
      const error = await failure(text);
      expect(error.message).to.equal(message);
      expect(error.code).to.equal('CONFIG_INVALID');
    }
  });

  it('names any key as it is written, and where its value stands', async () => {
    const character = fc.oneof(
      fc.constantFrom(...'~~//01.[]" $-\\'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: character, maxLength: 8 }), async (key) => {
        const text = JSON.stringify({ accounts: [{ user: 'joe', doNotMail: ['x', { [key]: [1] }] }] });
        const name = /^[\w$-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
        const place = `seed.json:1:${text.lastIndexOf('[') + 1}: accounts[0].doNotMail[1]${name}: `;
        expect((await failure(text, 'seed.json')).message).to.include(`${place}must be text or a number`);
      }),
    );
  });

  it('says where a document is not well-formed, of JSON by the rules of JSON', async () => {
    for (const [text, source, message] of [
      ['{"accounts": [{"user": "joe",}]}', 'seed.json', /^seed\.json:1:\d+: is not JSON: /],
      ["{'accounts': []}", 'seed.json', /^seed\.json:1:2: is not JSON: /],
      ['accounts: []', 'seed.json', /^seed\.json(:1:1)?: is not JSON: /],
      [
        '{"accounts": [\n{"user": "a", "user": "b"}]}',
        'stdin',
        /^stdin:2:15: is not JSON: Map keys must be unique$/,
      ],
      ['{"accounts": [', 'stdin', /^stdin:1:15: is not JSON: /],
      ['accounts: [{user: joe}', 'seed.yaml', /^seed\.yaml:1:23: is not YAML: /],
      ['accounts: []\naccounts: []', 'seed.yaml', /^seed\.yaml:2:1: is not YAML: Map keys must be unique$/],
      ['[{user: joe}', 'seed.yml', /^seed\.yml:1:13: is not YAML: /],
      ['a: 1\n---\nb: 2\n', 'seed.yaml', /^seed\.yaml:2:1: is not YAML: /],
    ] as const) {
      expect((await failure(text, source)).message).to.match(message);
    }
  });

  it('quotes nothing of JSON that is broken behind a secret, nor does its cause', async () => {
    for (const text of [
      '{"accounts": [{"user": "joe", "credentials": {"password": ["918273",]}}]}',
      '{"accounts": [{"user": "joe", "credentials": {"password": "918273"}},]}',
      '["918273",]',
    ]) {
      const error = await failure(text, 'seed.json');
      expect(error.message).to.match(/^seed\.json: is not JSON: Unexpected token '\]'$/);
      expect(inspect(error, { depth: 10 })).not.to.include('918273');
    }
  });

  it('never shows a secret, nor what stands beside one that is broken', async () => {
    for (const text of [
      'accounts: [{user: joe, credentials: {password: 918273}}]',
      'accounts: [{user: joe, credentials: {password: [918273]}}]',
      'accounts: [{user: joe, credentials: {accessToken: " "}}]',
      'accounts: [{user: joe, credentials: "918273"}]',
      '{"accounts": [{"user": "joe", "credentials": {"password": "918273',
      '{"accounts": [{"user": "joe", "credentials": {"password": [918273, "x" "y"]}}]}',
      'accounts: [{user: joe, credentials: {password: *918273}}]',
      'accounts: [{user: joe, credentials: {password: "918273}}]',
    ]) {
      for (const source of ['seed.yaml', 'seed.json']) {
        const { message, code } = await failure(text, source);
        expect(code).to.equal('CONFIG_INVALID');
        expect(message).not.to.match(/918273/);
      }
    }
  });

  it('takes no keys for more than they are, and no flood of aliases', async () => {
    const keys = await failure('{"accounts": [], "__proto__": {"user": "x"}, "constructor": 1}', 'seed.json');
    expect(keys.message).to.include('"__proto__" is not known here');
    expect(({} as { user?: unknown }).user).to.equal(undefined);
    const many = (name: string) => Array.from({ length: 12 }, () => name).join();
    const flood = await failure(`a: &a [${many('x')}]\nb: &b [${many('*a')}]\nc: [${many('*b')}]\n`);
    expect(flood.code).to.equal('CONFIG_INVALID');
    expect(flood.message).to.match(/^seed\.yaml: Excessive alias count/);
    const lost = await failure('accounts: *roses\n');
    expect(lost.message)
      .to.match(/^seed\.yaml: Unresolved alias /)
      .and.not.include('roses');
  });
});
