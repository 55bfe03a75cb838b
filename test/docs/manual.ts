import { EXIT_CODES } from '../../src/cli/exit-codes.js';
import { ENVIRONMENT } from '../../src/cli/environment.js';
import { allCommands, globalOptions, type CommandFacts, type OptionFacts } from '../../src/cli/reference.js';

/** `ctct(1)`, in the macros of man. */
export function manualPage(version: string): string {
  const lines = [
    `.\\" Made of the table of commands, by: npm run docs`,
    `.TH CTCT 1 "" "ctct ${version}" "User commands"`,
    '.SH NAME',
    'ctct \\- bulk activities of the ws and v2 APIs of Constant Contact',
    '.SH SYNOPSIS',
    '.B ctct',
    '.I command',
    '[\\fIoptions\\fR] [\\fIarguments\\fR]',
    '.SH DESCRIPTION',
    'Data go to stdout, everything else to stderr. \\fBctct demo\\fR shows the whole of it at work, and needs no account.',
    '.SH COMMANDS',
    ...allCommands().flatMap(section),
    '.SH OPTIONS OF EVERY COMMAND',
    ...globalOptions().flatMap(option),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, means]) => ['.TP', `.B ${roff(name)}`, roff(means)]),
    '.SH EXIT STATUS',
    ...Object.values(EXIT_CODES).flatMap(({ code, meaning }) => ['.TP', `.B ${code}`, roff(meaning)]),
  ];
  return `${lines.join('\n')}\n`;
}

function section(facts: CommandFacts) {
  const { path, summary, details, synopsis, arguments: places, options, without, examples } = facts;
  return [
    `.SS "ctct ${path.join(' ')}"`,
    `.B ${roff(synopsis)}`,
    '.PP',
    roff(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`),
    ...(details === undefined ? [] : ['.PP', roff(details)]),
    ...places.flatMap(({ name, help }) => ['.TP', `.I ${roff(name)}`, roff(help)]),
    ...options.flatMap(option),
    ...(without.length === 0 ? [] : ['.PP', roff(`Takes no ${without.join(', ')}.`)]),
    '.PP',
    'Examples:',
    ...examples.flatMap(([line, does]) => ['.PP', '.RS', `.B ${roff(line)}`, '.br', roff(does), '.RE']),
  ];
}

function option({ flag, short, place, text }: OptionFacts): string[] {
  const shorter = short === undefined ? '' : `\\fB${roff(short)}\\fR, `;
  return ['.TP', `${shorter}\\fB${roff(flag)}\\fR${roff(place)}`, roff(text)];
}

/** The text as roff reads it back. */
function roff(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq');
  return /^[.]/.test(escaped) ? `\\&${escaped}` : escaped;
}
