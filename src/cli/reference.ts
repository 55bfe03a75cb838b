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
  readonly arguments: readonly { readonly name: string; readonly help: string }[];
  /** Its own; those of every command are `globalOptions()`. */
  readonly options: readonly OptionFacts[];
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
        options: group.main === undefined ? [] : factsOf([group.name], group.main).options,
        examples: group.examples,
        commands: group.commands.map(({ name }) => name),
      },
      ...group.commands.map((command) => factsOf([group.name, command.name], command)),
    ]),
  ];
}

export function globalOptions(): readonly OptionFacts[] {
  return [
    ...Object.entries<OptionSpec>(GLOBAL_OPTIONS).map(([name, spec]) => optionFacts(name, spec)),
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
    arguments: Object.entries(command.arguments).map(([name, { help }]) => ({ name, help })),
    options: Object.entries(command.options).map(([name, spec]) => optionFacts(name, spec)),
    examples: command.examples,
    commands: [],
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
