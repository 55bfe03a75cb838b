import { UsageError } from '../activity/errors.js';
import { parseDuration } from './duration.js';
import type { Exit } from './exit-codes.js';
import type { GlobalOption } from './global-options.js';
import type { OutputFormat, View } from './output.js';
import type { Session } from './session.js';

/** What stands after the command's name. */
export interface ArgumentSpec {
  readonly help: string;
  /** One or more of it, up to the end of the command line. Only the last argument can be so. */
  readonly several?: true;
  /** It may be left out. */
  readonly optional?: true;
  /** What it can be, where that is known; a shell completes it. */
  readonly choices?: readonly string[];
}

/** An option, by the kind of value it takes. The name is its key, `fileType` being written `--file-type`. */
export type OptionSpec = { readonly help: string } & (
  | { readonly kind: 'flag' }
  /** On, unless `--no-<name>` is given. */
  | { readonly kind: 'switch' }
  | { readonly kind: 'text'; readonly value: string; readonly required?: true; readonly fallback?: string }
  /** May be given again, and takes several with commas between. */
  | { readonly kind: 'texts'; readonly value: string; readonly required?: true }
  /** `shown`: the choices that help tells of, where there are others for the same. */
  | {
      readonly kind: 'choice';
      readonly choices: readonly string[];
      readonly shown?: readonly string[];
      readonly value?: string;
      readonly fallback?: string;
    }
  | {
      readonly kind: 'number';
      readonly value: string;
      readonly from: number;
      readonly to: number;
      readonly fallback?: number;
    }
  /** Milliseconds. `bare` is what the option means without a value. */
  | { readonly kind: 'duration'; readonly bare?: string; readonly fallback?: string }
);

type Given<O, T> = O extends { readonly required: true } | { readonly fallback: string | number }
  ? T
  : T | undefined;

export type OptionValue<O extends OptionSpec> = O extends { readonly kind: 'flag' | 'switch' }
  ? boolean
  : O extends { readonly kind: 'texts' }
    ? readonly string[]
    : O extends { readonly kind: 'choice'; readonly choices: readonly (infer C)[] }
      ? Given<O, C>
      : O extends { readonly kind: 'number' | 'duration' }
        ? Given<O, number>
        : Given<O, string>;

export type Arguments = Readonly<Record<string, ArgumentSpec>>;
export type Options = Readonly<Record<string, OptionSpec>>;
export type Values<A extends Arguments, O extends Options> = {
  readonly [K in keyof A]: A[K] extends { readonly several: true }
    ? readonly string[]
    : A[K] extends { readonly optional: true }
      ? string | undefined
      : string;
} & {
  readonly [K in keyof O]: OptionValue<O[K]>;
};

/** How a command puts out what it has, so that `--fields` is looked at before anything is done. */
type AnyView = View<never> | undefined;

/** One command, as help, parsing, completions and manual pages need to know it. */
export interface Command {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** What else there is to know, in a few sentences. */
  readonly details?: string;
  readonly arguments: Arguments;
  /** One that is called as a global option is takes its place: `output`, where other formats are to be had. */
  readonly options: Options;
  /** The global options that mean nothing to it: help does not tell of them, and who gives one is told so. */
  readonly without?: readonly GlobalOption[];
  /** Command lines that work, each with what it does. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** What it puts out, which a command has that takes `--fields`; undefined where it refuses them itself. */
  records?(values: Readonly<Record<string, unknown>>, format: OutputFormat): AnyView | Promise<AnyView>;
  run(session: Session, values: Readonly<Record<string, unknown>>): Promise<Exit>;
}

/** Commands on one subject: `ctct archive read`, `ctct archive check`. */
export interface CommandGroup extends Pick<Command, 'name' | 'summary' | 'details' | 'examples'> {
  readonly commands: readonly Command[];
  /** What its name alone does. Default: it explains itself. */
  readonly main?: Command;
}

/** The command, its `run` typed by the arguments and options it declares. */
export function command<const A extends Arguments, const O extends Options>(
  spec: Omit<Command, 'run' | 'records' | 'arguments' | 'options'> & {
    readonly arguments: A;
    readonly options: O;
    records?(values: Values<A, O>, format: OutputFormat): AnyView | Promise<AnyView>;
    run(session: Session, values: Values<A, O>): Promise<Exit>;
  },
): Command {
  // Sound, since parseOption makes each value by the kind that OptionValue reads.
  return {
    ...spec,
    ...(spec.records && { records: (values, format) => spec.records?.(values as Values<A, O>, format) }),
    run: (session, values) => spec.run(session, values as Values<A, O>),
  };
}

/** `fileType` as it is written on the command line: `--file-type`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * The value of an option from the texts it was given, in the order given; none when it was not given.
 * Of an option that takes one value, the last text counts.
 * @throws UsageError `OPTION_INVALID` when it cannot be read, or is required and missing.
 */
export function parseOption(name: string, spec: OptionSpec, given: readonly string[]): unknown {
  const flag = flagOf(name);
  if (spec.kind === 'flag') return given.length > 0;
  if (spec.kind === 'switch') return given.length === 0;
  if (spec.kind === 'texts') return severalTexts(flag, spec.required === true, given);
  const text = given.at(-1) ?? ('fallback' in spec ? String(spec.fallback) : undefined);
  if (text === undefined) {
    if ('required' in spec) throw new UsageError('OPTION_INVALID', `${flag}: is required`);
    return undefined;
  }
  switch (spec.kind) {
    case 'text':
      if (text !== '') return text;
      throw new UsageError('OPTION_INVALID', `${flag}: is empty`);
    case 'choice':
      return parseChoice(flag, spec.choices, text);
    case 'number':
      return parseNumber(flag, spec, text);
    case 'duration':
      return parseDuration(flag, text);
  }
}

function severalTexts(flag: string, required: boolean, given: readonly string[]): readonly string[] {
  const texts = given.flatMap((text) => text.split(',')).map((text) => text.trim());
  if (texts.includes('')) throw new UsageError('OPTION_INVALID', `${flag}: has an empty value`);
  if (required && texts.length === 0) throw new UsageError('OPTION_INVALID', `${flag}: is required`);
  return texts;
}

function parseChoice(flag: string, choices: readonly string[], text: string): string {
  const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  throw new UsageError('OPTION_INVALID', `${flag}: must be one of ${choices.join(', ')}; got "${text}"`);
}

function parseNumber(flag: string, { from, to }: { from: number; to: number }, text: string): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (number >= from && number <= to) return number;
  const range = to === Number.MAX_SAFE_INTEGER ? `of ${from} or more` : `from ${from} to ${to}`;
  throw new UsageError('OPTION_INVALID', `${flag}: must be a whole number ${range}, got "${text}"`);
}
