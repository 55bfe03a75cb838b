import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { ERROR_CODES } from '../../src/activity/errors.js';
import { ENVIRONMENT } from '../../src/cli/environment.js';
import { EXIT_CODES, EXIT_OF } from '../../src/cli/exit-codes.js';
import { allCommands, globalOptions, type OptionFacts } from '../../src/cli/reference.js';
import { PROJECT_FILE } from '../../src/cli/settings-layers.js';
import { SETTING_NAMES, SETTINGS } from '../../src/cli/settings-table.js';
import { mappingPage } from '../../src/translate/mapping-page.js';
import { QUIRKS } from '../../src/ws/quirks.js';
import { lock, runtimePackages } from '../package/installed.js';
import { manualPage } from './manual.js';
import { schemasPage } from './schemas-page.js';

/** The pages of docs/ that are made of the tables of the code, by `npm run docs`. */
const PAGES: Readonly<Record<string, () => string>> = {
  'mapping.md': mappingPage,
  'errors.md': errorsPage,
  'quirks.md': quirksPage,
  'cli.md': commandsPage,
  'licences.md': licencesPage,
  'schemas.md': () => schemasPage(table),
  'ctct.1': () => manualPage(version()),
};

export interface Page {
  readonly path: string;
  /** What it should say, in the form of all documents here. */
  readonly text: string;
}

export async function generatedPages(): Promise<Page[]> {
  const pages: Page[] = [];
  for (const [name, make] of Object.entries(PAGES)) {
    const path = fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
    const text = name.endsWith('.md')
      ? await format(make(), { ...(await resolveConfig(path)), parser: 'markdown' })
      : make();
    pages.push({ path, text });
  }
  return pages;
}

function errorsPage(): string {
  const codes = Object.entries(ERROR_CODES).map(([code, meaning]) => {
    const exit = EXIT_OF[code as keyof typeof EXIT_OF];
    return [`\`${code}\``, meaning, String(EXIT_CODES[exit].code)];
  });
  const exits = Object.values(EXIT_CODES).map(({ code, meaning }) => [String(code), meaning]);
  return `# Errors

Every error that the package throws on purpose is a \`CtctError\` with a stable \`code\`; its message says where, and what to
do. No error holds a secret. This page is made of the tables in src/activity/errors.ts and src/cli/exit-codes.ts, by
\`npm run docs\`.

| class | when |
|---|---|
| \`UsageError\` | the call was wrong; nothing was sent |
| \`UnsupportedError\` | the dialect in use cannot say this; nothing was sent |
| \`TransportError\` | no whole answer came; \`sent\` tells whether the service may have acted |
| \`ServiceError\` | the service said no: \`status\`, \`detail\`, \`retryAfter\` |
| \`DecodeError\` | an answer or a file makes no sense: \`position\` has line, column and byte offset |
| \`AmbiguousCreateError\` | an activity may exist; \`candidates\` are those that it may be |
| \`WaitTimeoutError\` | the time is over; nothing was stopped, and the wait can be taken up again |
| \`ActivityFailedError\` | the activity ended with ERROR; it is inside |

## Codes

The last column is the exit code of \`ctct\`.

${table(['code', 'when', 'exit'], codes)}

A \`ServiceError\` of status 408, 429, 502, 503 or 504 exits with ${EXIT_CODES.temporary.code}, whatever its code.

## Exit codes

A code that is not in this table means failure too.

${table(['exit code', 'meaning'], exits)}
`;
}

function quirksPage(): string {
  const grade = { D: 'documentation', C: 'code of a client', R: 'a client was run', I: 'inferred' } as const;
  const rows = Object.entries(QUIRKS).map(([name, { what, evidence, profiles }]) => [
    `\`${name}\``,
    what,
    grade[evidence],
    profiles.documented ? 'on' : 'off',
    profiles.observed ? 'on' : 'off',
  ]);
  return `# Quirks of the ws service

What the emulator and the gateway do that a reader of the documentation would not expect, or that the documentation and the
code of real clients tell differently. Each has a request with its answers, on and off, in test/fixtures/ws/quirks. Choose a
profile with \`createEmulator({ profile })\` or \`ctct emulator --profile\`, switch one with \`quirks\` or \`--quirk name=off\`.
This page is made of the table in src/ws/quirks.ts, by \`npm run docs\`.

${table(['quirk', 'what it does', 'known from', 'documented', 'observed'], rows)}
`;
}

function commandsPage(): string {
  const all = allCommands();
  const anchor = (path: readonly string[]) => `#ctct-${path.join('-')}`;
  const overview = all.map(({ path, summary }) => [`[\`ctct ${path.join(' ')}\`](${anchor(path)})`, summary]);
  const sections = all.map((facts) => {
    const { path, summary, details, synopsis, arguments: places, options, without, examples } = facts;
    const taken = places.map(({ name, help }) => [`\`${name}\``, help]);
    return [
      `## ctct ${path.join(' ')}`,
      `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.${details === undefined ? '' : ` ${details}`}`,
      `\`\`\`text\n${synopsis}\n\`\`\``,
      ...(taken.length === 0 ? [] : [table(['argument', 'what it is'], taken)]),
      ...(options.length === 0 ? [] : [optionTable(options)]),
      ...(without.length === 0 ? [] : [`Takes no ${without.map((flag) => `\`${flag}\``).join(', ')}.`]),
      `\`\`\`text\n${examples.map(([line, does]) => `${line}   # ${does}`).join('\n')}\n\`\`\``,
    ].join('\n\n');
  });
  return `# The command line

Data go to stdout, everything else to stderr. Credentials come from the environment or from a file that only you can read,
never from a flag. \`ctct completion bash\` (or zsh, fish) prints a script for your shell; installed with \`-g\`, \`man ctct\` says what stands here.
This page is made of the table of commands in src/cli/commands, by \`npm run docs\`; the exit codes are in
[errors.md](errors.md), what \`--output json\` and \`ndjson\` write in [schemas.md](schemas.md).

${table(['command', 'what it does'], overview)}

## Settings

What is set comes from flags, variables, \`${PROJECT_FILE}\` of the project (in this folder or above it), and your own file,
\`$XDG_CONFIG_HOME/ctct/config.json\`, or what CTCT_CONFIG names in place of both; the first of them that sets it wins.
\`ctct config show --origin\` tells which does. In your own file, profiles hold what \`--profile\` chooses, and go before what
stands beside them:

\`\`\`json
${JSON.stringify(CONFIG_EXAMPLE, undefined, 2)}
\`\`\`

A file that has a secret in it must be readable by you alone (\`chmod 600\`). The file of a project may have been written by
others: it sets ${projectSettings()} only, and no address but one on this machine.

${table(['variable', 'in a file', 'what it sets'], settingRows())}

## Options of every command

A command does not take those that mean nothing to it, as it says below.

${optionTable(globalOptions())}

${sections.join('\n\n')}
`;
}

/** Of the user's own file. */
export const CONFIG_EXAMPLE = {
  profile: 'shop',
  profiles: {
    shop: { user: 'joesflowers', apiKey: 'key-of-the-shop', passwordFile: 'shop.password' },
    agency: { api: 'v2', apiKey: 'key-of-the-agency', accessTokenCommand: 'pass show ctct' },
  },
};

function settingRows(): string[][] {
  return ENVIRONMENT.map(([variable, means]) => {
    const name = SETTING_NAMES.find((one) => SETTINGS[one].env === variable);
    return [`\`${variable}\``, name === undefined ? '' : `\`${name}\``, means];
  });
}

function projectSettings(): string {
  const names = SETTING_NAMES.filter((name) => 'project' in SETTINGS[name]).map((name) => `\`${name}\``);
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

function licencesPage(): string {
  const needed = runtimePackages({ optional: false, anywhere: true });
  const all = runtimePackages({ optional: true, anywhere: true });
  const rows = all.map((at) => {
    const { version = '', license = '' } = lock.packages[at] ?? {};
    const name = at.slice(at.lastIndexOf('node_modules/') + 'node_modules/'.length);
    return [name, version, license, needed.includes(at) ? '' : 'yes'];
  });
  const licences = [...new Set(rows.map(([, , license = '']) => license))].sort();
  const counts = licences.map((one) => `${one} (${rows.filter(([, , license]) => license === one).length})`);
  return `# Licences

The package itself is under the MIT licence. It is installed with these, which it needs at run time, themselves or through
others: ${counts.join(', ')}. Those that are optional can be left out, by \`npm install --omit=optional\`; of the builds of
libsql, only that for your machine is installed. This page is made of package-lock.json, by \`npm run docs\`.

${table(['package', 'version', 'licence', 'optional'], rows)}
`;
}

function optionTable(options: readonly OptionFacts[]): string {
  return table(
    ['option', 'what it does'],
    options.map(({ flag, short, place, text }) => [
      `\`${short === undefined ? '' : `${short}, `}${flag}${place}\``,
      text,
    ]),
  );
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
