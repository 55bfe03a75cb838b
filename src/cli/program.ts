import { readFileSync } from 'node:fs';
import { CommanderError, Command as Program, Option } from 'commander';
import { UsageError } from '../activity/errors.js';
import { similarField } from '../activity/fields.js';
import {
  flagOf,
  parseOption,
  type Command,
  type CommandGroup,
  type Options,
  type OptionSpec,
  type OptionValue,
} from './command.js';
import { COMMANDS, GROUPS } from './commands/index.js';
import { environmentLines } from './environment.js';
import { isDuration } from './duration.js';
import { EXIT_CODES, exitCodeLines, type Exit } from './exit-codes.js';
import { reportError, reportUsage } from './failure.js';
import type { CliIo } from './io.js';
import { GLOBAL_OPTIONS } from './global-options.js';
import { describeOption, placeOf } from './option-text.js';
import { OUTPUT_FORMATS } from './output.js';
import { valueFlags } from './reference.js';
import { Session, type SessionOptions } from './session.js';
import { Talk } from './talk.js';
import { plainText, widthOf } from './terminal.js';

const ABOUT = [
  "Bulk activities of Constant Contact's first API, /ws/customers/USER/activities.",
  '',
  'Examples:',
  '  $ ctct demo                              see it all at work; needs no account',
  '  $ ctct lists                             the contact lists of your account',
  '  $ ctct add contacts.csv --list 2 --wait  add the contacts of a file to list 2',
  '  $ ctct export --list 2 --out list2.csv   save the members of list 2',
  '  $ ctct archive check feeds/              see what is wrong in stored feeds',
];

/** Flags that would carry a secret. They do not exist, and a value beside one is never repeated. */
const SECRET_FLAG = /^--(?:pass(?:word|wd)?|api-?key|key|secret|(?:access-?)?token)(?:=|$)/i;

/**
 * Runs one command line; resolves to its exit code. Nothing but `io` is read or written, local files aside.
 * @param argv  what stands after `ctct`.
 */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  // What is said before the options are known.
  const talk = new Talk(io.stderr, {
    env: io.env,
    quiet: false,
    progress: false,
    secrets: () => [],
  });
  let exit: Exit = 'ok';
  const program = createProgram(io, async (command, values, options) => {
    const session = new Session(io, options);
    try {
      const view = await command.records?.(values, session.output.format);
      if (view !== undefined) session.output.checkFields(view);
      exit = await command.run(session, values);
    } catch (error) {
      exit = reportError(error, session, options.verbose);
    }
  });
  try {
    refuseSecrets(argv);
    await program.parseAsync(withBareValues(argv), { from: 'user' });
  } catch (error) {
    const wrong = usageError(error);
    if (wrong !== undefined) exit = reportUsage(wrong, talk, helpFor(argv));
  }
  return EXIT_CODES[exit].code;
}

/** What commander complains of, as errors of this package; undefined when help or the version was asked for. */
function usageError(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  if (error.exitCode === 0 || error.code === 'commander.help') return undefined;
  // What stands behind the = of an unknown option may be a secret.
  const text = error.message.replace(/^error: /, '').replace(/'(-[^'=]*)=.*?'/s, "'$1'");
  const [message = '', suggestion = ''] = text.split('\n');
  return new UsageError('OPTION_INVALID', `${message}${suggestion === '' ? '' : ` ${suggestion}`}`);
}

type Action = (
  command: Command,
  values: Readonly<Record<string, unknown>>,
  options: SessionOptions,
) => Promise<void>;

function createProgram(io: CliIo, act: Action): Program {
  const program = new Program('ctct')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain the command')
    .helpCommand(false)
    .addHelpText('before', `${ABOUT.join('\n')}\n`)
    .addHelpText('after', ['', 'Exit codes:', ...exitCodeLines(), '', ...environmentLines()].join('\n'))
    .exitOverride();
  const helpWidth = () => Math.min(widthOf(io.stdout) ?? 80, 100);
  // Help is what was asked for, so it is data; the errors are written by reportUsage.
  const write = (text: string) => void io.stdout.write(text, () => undefined);
  program.configureOutput({
    writeOut: write,
    writeErr: write,
    outputError: () => undefined,
    getOutHelpWidth: helpWidth,
    getErrHelpWidth: helpWidth,
  });
  program.configureHelp({
    showGlobalOptions: true,
    // Without those that the command has an option of its own for.
    visibleGlobalOptions: (sub) =>
      sub === program
        ? []
        : program.options.filter(({ long }) => !sub.options.some((own) => own.long === long)),
  });
  for (const [name, spec] of Object.entries(GLOBAL_OPTIONS)) addOption(program, name, spec);
  for (const command of COMMANDS) addCommand(program, command, act, helpWidth());
  for (const group of GROUPS) addGroup(program, group, act, helpWidth());
  addHelpCommand(program);
  return program;
}

function addHelpCommand(program: Program): void {
  program
    .command('help')
    .summary('explain a command')
    .argument('[command...]')
    .action((names: readonly string[]) => {
      let found = program;
      for (const name of names) {
        const sub = found.commands.find((candidate) => candidate.name() === name);
        if (sub === undefined) {
          const similar = similarField(
            name,
            found.commands.map((command) => command.name()),
          );
          throw new UsageError(
            'OPTION_INVALID',
            `unknown command '${name}'${similar === undefined ? '' : ` (Did you mean ${similar}?)`}`,
          );
        }
        found = sub;
      }
      found.help();
    });
}

function addGroup(program: Program, group: CommandGroup, act: Action, width: number): void {
  const sub = program
    .command(group.name)
    .summary(group.summary)
    .helpCommand(false)
    .addHelpText('before', `${introduction(group, width).join('\n')}\n`);
  if (group.main !== undefined) declare(sub.enablePositionalOptions(), group.main, act);
  for (const command of group.commands) addCommand(sub, command, act, width);
  sub.exitOverride((error) => {
    // A word behind a command that does something alone was meant for one of its parts.
    if (error.code === 'commander.excessArguments') throw unknownPart(group, sub.args[0] ?? '');
    throw error;
  });
}

function unknownPart({ name, commands }: CommandGroup, word: string): UsageError {
  const names = commands.map((command) => command.name);
  const similar = similarField(word, names);
  const hint = similar === undefined ? `there are ${names.join(', ')}` : `did you mean ${similar}?`;
  return new UsageError('OPTION_INVALID', `unknown command '${name} ${plainText(word)}'; ${hint}`);
}

function addCommand(program: Program, command: Command, act: Action, width: number): void {
  const sub = program
    .command(command.name)
    .summary(command.summary)
    .addHelpText('before', `${introduction(command, width).join('\n')}\n`);
  declare(sub, command, act);
}

/** Its arguments and options, and what it does. */
function declare(sub: Program, command: Command, act: Action): void {
  for (const [name, { help, several, optional }] of Object.entries(command.arguments)) {
    const shown = several === true ? `${name}...` : name;
    sub.argument(optional === true ? `[${shown}]` : `<${shown}>`, help);
  }
  for (const [name, spec] of Object.entries(command.options)) addOption(sub, name, spec);
  const root = rootOf(sub);
  const hidden = [...Object.keys(command.options), ...(command.without ?? [])];
  sub.configureHelp({
    ...sub.configureHelp(),
    visibleGlobalOptions: () => root.options.filter((option) => !hidden.includes(option.attributeName())),
  });
  sub.action(async () => {
    const given = sub.optsWithGlobals<Record<string, unknown>>();
    const idle = command.without?.find((name) => given[name] !== undefined);
    if (idle !== undefined) {
      throw new UsageError(
        'OPTION_INVALID',
        `${flagOf(idle)}: means nothing to "${pathOf(sub)}"; leave it out`,
      );
    }
    const values = readOptions(command.options, given);
    Object.keys(command.arguments).forEach(
      (name, index) => (values[name] = sub.processedArgs[index] as unknown),
    );
    await act(command, values, globalValues(command, values, given));
  });
}

function rootOf(sub: Program): Program {
  return sub.parent === null ? sub : rootOf(sub.parent);
}

function pathOf(sub: Program): string {
  return sub.parent === null ? sub.name() : `${pathOf(sub.parent)} ${sub.name()}`;
}

type GlobalValues = { readonly [K in keyof typeof GLOBAL_OPTIONS]: OptionValue<(typeof GLOBAL_OPTIONS)[K]> };

/** The global options; one that the command has of its own has the value that it has there, where it can. */
function globalValues(
  { options }: Command,
  values: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): GlobalValues {
  const others = Object.entries(GLOBAL_OPTIONS).filter(([name]) => !Object.hasOwn(options, name));
  const output = OUTPUT_FORMATS.find((format) => format === values.output) ?? GLOBAL_OPTIONS.output.fallback;
  return { output, ...readOptions(Object.fromEntries(others), given) } as GlobalValues;
}

function readOptions(options: Options, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(options)) {
    const texts = given[name];
    values[name] = parseOption(name, spec, Array.isArray(texts) ? texts.map(String) : []);
  }
  return values;
}

/** Declares an option so that commander hands over the texts it was given, one for each time. */
function addOption(program: Program, name: string, spec: OptionSpec): void {
  const flag = spec.kind === 'switch' ? `--no-${name}` : flagOf(name);
  const short = name === 'quiet' ? '-q, ' : '';
  const option = new Option(`${short}${flag}${placeOf(name, spec)}`, describeOption(spec));
  program.addOption(
    option.argParser((text: string | undefined, before: unknown) => [
      ...(Array.isArray(before) ? (before as string[]) : []),
      text ?? '',
    ]),
  );
}

/** What the help of a command begins with: what it does, then command lines to copy. */
function introduction(
  { summary, details, examples }: Omit<CommandGroup, 'commands'>,
  terminal: number,
): string[] {
  const width = Math.max(...examples.map(([line]) => line.length));
  return [
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    ...(details === undefined ? [] : ['', ...wrap(details, terminal)]),
    '',
    'Examples:',
    ...examples.map(([line, does]) => `  $ ${line.padEnd(width)}  ${does}`),
  ];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** `--wait` alone is given the time it stands for, so that it does not swallow the word after it. */
function withBareValues(argv: readonly string[]): string[] {
  const bare = new Map<string, string>();
  for (const { options } of [
    ...COMMANDS,
    ...GROUPS.flatMap(({ commands, main }) => [...commands, ...(main ? [main] : [])]),
  ]) {
    for (const [name, spec] of Object.entries(options)) if ('bare' in spec) bare.set(flagOf(name), spec.bare);
  }
  const end = argv.indexOf('--');
  return argv.map((word, index) => {
    const value = end === -1 || index < end ? bare.get(word) : undefined;
    return value === undefined || isDuration(argv[index + 1] ?? '') ? word : `${word}=${value}`;
  });
}

/** The help that fits a command line, right or wrong. */
function helpFor(argv: readonly string[]): string {
  const names: readonly { name: string; commands?: readonly Command[] }[] = [...COMMANDS, ...GROUPS];
  const words = argv.filter((_, index) => !takesNext(argv[index - 1] ?? ''));
  const at = words.findIndex((word) => names.some(({ name }) => name === word));
  const found = names.find(({ name }) => name === words[at]);
  if (found === undefined) return 'ctct --help';
  const inside = words.slice(at).find((word) => found.commands?.some(({ name }) => name === word));
  return ['ctct', found.name, ...(inside === undefined ? [] : [inside]), '--help'].join(' ');
}

/** Whether the word behind it is its value, as `--profile` has one. */
function takesNext(word: string): boolean {
  return valueFlags().includes(word);
}

/** @throws UsageError when a word before `--` would carry a secret. */
function refuseSecrets(argv: readonly string[]): void {
  const end = argv.indexOf('--');
  const word = argv.slice(0, end === -1 ? undefined : end).find((text) => SECRET_FLAG.test(text));
  if (word === undefined) return;
  const flag = word.replace(/=.*$/s, '');
  throw new UsageError(
    'OPTION_INVALID',
    `${flag}: a secret is not taken from the command line, where other users see it and the shell keeps it; ` +
      (/pass/i.test(flag)
        ? 'set CTCT_PASSWORD, or CTCT_PASSWORD_FILE to a file only you can read'
        : /token|secret/i.test(flag)
          ? 'set CTCT_ACCESS_TOKEN, or CTCT_ACCESS_TOKEN_FILE to a file only you can read'
          : 'set CTCT_API_KEY'),
  );
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
