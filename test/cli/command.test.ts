import { expect } from 'chai';
import { UsageError } from '../../src/activity/errors.js';
import { flagOf, parseOption, type OptionSpec } from '../../src/cli/command.js';
import { GLOBAL_OPTIONS } from '../../src/cli/global-options.js';
import { COMMANDS } from '../../src/cli/commands/index.js';

const help = '';

describe('an option', () => {
  it('is written in lower case with hyphens', () => {
    expect(flagOf('list')).to.equal('--list');
    expect(flagOf('withListName')).to.equal('--with-list-name');
  });

  it('is read by its kind', () => {
    const cases: readonly [OptionSpec, readonly string[], unknown][] = [
      [{ kind: 'flag', help }, [], false],
      [{ kind: 'flag', help }, [''], true],
      [{ kind: 'switch', help }, [], true],
      [{ kind: 'switch', help }, [''], false],
      [{ kind: 'text', value: 'x', help }, [], undefined],
      [{ kind: 'text', value: 'x', help }, ['a', 'b'], 'b'],
      [{ kind: 'text', value: 'x', fallback: 'f', help }, [], 'f'],
      [{ kind: 'texts', value: 'x', help }, [], []],
      [{ kind: 'texts', value: 'x', help }, ['a, b', 'c'], ['a', 'b', 'c']],
      [{ kind: 'choice', choices: ['CSV', 'TXT'], help }, ['csv'], 'CSV'],
      [{ kind: 'choice', choices: ['CSV', 'TXT'], fallback: 'CSV', help }, [], 'CSV'],
      [{ kind: 'number', value: 'n', from: 0, to: 9, help }, ['9'], 9],
      [{ kind: 'number', value: 'n', from: 0, to: 9, fallback: 4, help }, [], 4],
      [{ kind: 'duration', help }, ['2m'], 120_000],
      [{ kind: 'duration', fallback: '30m', help }, [], 1_800_000],
    ];
    for (const [spec, given, value] of cases) {
      expect(parseOption('name', spec, given), `${spec.kind} ${given.join()}`).to.deep.equal(value);
    }
  });

  it('that is wrong is named, with what it should be', () => {
    const cases: readonly [OptionSpec, readonly string[], string][] = [
      [{ kind: 'text', value: 'x', required: true, help }, [], '--name: is required'],
      [{ kind: 'text', value: 'x', help }, [''], '--name: is empty'],
      [{ kind: 'texts', value: 'x', required: true, help }, [], '--name: is required'],
      [{ kind: 'texts', value: 'x', help }, ['a,,b'], '--name: has an empty value'],
      [{ kind: 'choice', choices: ['A', 'B'], help }, ['c'], '--name: must be one of A, B; got "c"'],
      [
        { kind: 'number', value: 'n', from: 0, to: 9, help },
        ['10'],
        '--name: must be a whole number from 0 to 9, got "10"',
      ],
      [
        { kind: 'number', value: 'n', from: 1, to: Number.MAX_SAFE_INTEGER, help },
        ['1.5'],
        '--name: must be a whole number of 1 or more, got "1.5"',
      ],
    ];
    for (const [spec, given, message] of cases) {
      expect(() => parseOption('name', spec, given)).to.throw(UsageError, message);
    }
  });
});

describe('the table of commands', () => {
  it('names each command once, with examples that call it and options that fit', () => {
    const names = COMMANDS.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
    for (const { name, summary, examples, options, without = [] } of COMMANDS) {
      expect(summary, name).to.match(/^[a-z].*[^.]$/);
      expect(examples, name).not.to.have.length(0);
      for (const [line] of examples) {
        expect(line).to.match(new RegExp(`(?:^|<\\()ctct ${name}( |$)`));
        for (const [flag] of line.matchAll(/--[a-z-]+/g)) {
          const globals = Object.keys(GLOBAL_OPTIONS).filter(
            (option) => !without.some((one) => one === option),
          );
          const known = [...Object.keys(options), ...globals].map(flagOf);
          expect(known, line).to.include(flag);
        }
      }
    }
  });

  it('has no option with a value to hold a secret', () => {
    const flags = COMMANDS.flatMap(({ options }) => Object.keys(options).map(flagOf));
    expect(flags.filter((flag) => /pass|token|key|secret/.test(flag))).to.deep.equal([]);
  });
});
