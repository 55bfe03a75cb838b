import { flagOf, type Command, type OptionSpec } from './command.js';
import { COMMANDS, GROUPS } from './commands/index.js';
import { GLOBAL_OPTIONS } from './global-options.js';
import { describeOption, placeOf } from './option-text.js';

/** An option, as a reference tells it. */
export interface OptionFacts {
  /** `--file-type`, or `--no-progress`. */
  readonly flag: string;
  readonly short: string | undefined;
  /** What stands for its value, ` <type>`; empty for a flag. */
  readonly place: string;
  readonly text: string;
  readonly choices: readonly string[];
  /** Whether a word after it is its value. */
  readonly takesValue: boolean;
}

/** A command, as help, completions, the manual page and the documents tell it: all of it from the table of commands. */
export interface CommandFacts {
  /** `['archive', 'read']`. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly details: string | undefined;
  /** `ctct wait [options] <id...>`. */
  readonly synopsis: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly help: string;
    readonly choices: readonly string[];
  }[];
  /** Its own. */
  readonly options: readonly OptionFacts[];
  /** Those of `globalOptions()` that it takes too. */
  readonly globals: readonly OptionFacts[];
  /** The flags of those that it does not take. */
  readonly without: readonly string[];
  readonly examples: Command['examples'];
  /** Of a group: the names of its commands. */
  readonly commands: readonly string[];
}

/** Every command and group, a group before its commands. */
export function allCommands(): readonly CommandFacts[] {
  return [
    ...COMMANDS.map((command) => factsOf([command.name], command)),
    ...GROUPS.flatMap((group) => [
      {
        path: [group.name],
        summary: group.summary,
        details: group.details,
        synopsis: `ctct ${group.name} ${group.main === undefined ? '<command>' : '[options] [command]'}`,
        arguments: [],
        ...(group.main === undefined
          ? { options: [], globals: globalOptions(), without: [] }
          : optionsOf(group.main)),
        examples: group.examples,
        commands: group.commands.map(({ name }) => name),
      },
      ...group.commands.map((command) => factsOf([group.name, command.name], command)),
    ]),
  ];
}

/** The flags that a word follows which is their value, of any command. */
export function valueFlags(): readonly string[] {
  const all = [...globalOptions(), ...allCommands().flatMap(({ options }) => options)];
  return [...new Set(all.filter(({ takesValue }) => takesValue).map(({ flag }) => flag))];
}

/** Those of every command, but for these. */
export function globalOptions(not: readonly string[] = []): readonly OptionFacts[] {
  return [
    ...Object.entries<OptionSpec>(GLOBAL_OPTIONS)
      .filter(([name]) => !not.includes(name))
      .map(([name, spec]) => optionFacts(name, spec)),
    {
      flag: '--help',
      short: '-h',
      place: '',
      text: 'explain the command',
      choices: [],
      takesValue: false,
    },
  ];
}

function factsOf(path: readonly string[], command: Command): CommandFacts {
  const places = Object.entries(command.arguments).map(([name, { several, optional }]) => {
    const shown = several === true ? `${name}...` : name;
    return optional === true ? `[${shown}]` : `<${shown}>`;
  });
  return {
    path,
    summary: command.summary,
    details: command.details,
    synopsis: ['ctct', ...path, '[options]', ...places].join(' '),
    arguments: Object.entries(command.arguments).map(([name, { help, choices = [] }]) => ({
      name,
      help,
      choices,
    })),
    ...optionsOf(command),
    examples: command.examples,
    commands: [],
  };
}

function optionsOf({
  options,
  without = [],
}: Command): Pick<CommandFacts, 'options' | 'globals' | 'without'> {
  return {
    options: Object.entries(options).map(([name, spec]) => optionFacts(name, spec)),
    globals: globalOptions([...Object.keys(options), ...without]),
    without: without.map(flagOf),
  };
}

function optionFacts(name: string, spec: OptionSpec): OptionFacts {
  return {
    flag: spec.kind === 'switch' ? `--no-${name}` : flagOf(name),
    short: name === 'quiet' ? '-q' : undefined,
    place: placeOf(name, spec),
    text: describeOption(spec),
    choices: 'choices' in spec ? (spec.shown ?? spec.choices) : [],
    takesValue: spec.kind !== 'flag' && spec.kind !== 'switch' && !('bare' in spec),
  };
}
