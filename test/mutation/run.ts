import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

// `npm run mutate [-- activity format ws]`: changes each expression of the rooms in turn, and counts how often a test notices.
// `--share 0.2 --seed 1` tries a fifth of the changes, the same ones for the same seed; `--keep` lists what was not noticed.
// It works in a copy of the project, with packages of its own: the plugin for mocha is made for an older mocha.
//
// What is run only while modules load (tables, patterns) needs a new process for each change, and with `--load` gets it.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TOOLS = ['@stryker-mutator/core@9.6.1', '@stryker-mutator/mocha-runner@9.6.1', 'mocha@11.7.5'];

/** The rooms, and the tests that judge each. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  activity: ['test/activity/**/*.test.ts'],
  // The XML reader is judged by other readers. Not by what reads megabytes: each change would cost that again.
  format: [
    'test/format/xml-reader.test.ts',
    'test/format/!(xml-cuts|xml-hostile).test.ts',
    'test/conformance/xml-oracles.test.ts',
  ],
  ws: ['test/ws/**/*.test.ts', 'test/conformance/records-oracle.test.ts'],
};

const STRYKER = 'node_modules/@stryker-mutator/core/bin/stryker.js';
const REQUIRE = ['./test/support/secret-watch-hooks.ts', './test/mutation/brief.ts'];

interface MutationReport {
  readonly files: Readonly<Record<string, { readonly mutants: readonly { readonly status: string }[] }>>;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    keep: { type: 'boolean', default: false },
    load: { type: 'boolean', default: false },
    share: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
  },
});
const rooms = positionals.length === 0 ? Object.keys(ROOMS) : positionals;
const folder = mkdtempSync(path.join(tmpdir(), 'ctct-mutation-'));
try {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  for (const file of files.split('\n').filter((name) => name !== '' && existsSync(path.join(ROOT, name)))) {
    mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
    cpSync(path.join(ROOT, file), path.join(folder, file));
  }
  npm('ci');
  npm('install', '--no-save', '--legacy-peer-deps', ...TOOLS);
  const rows = rooms.map(measure);
  console.log(['room', 'mutants', 'noticed', 'survived', 'in no test', 'at load', 'score'].join('\t'));
  for (const row of rows) console.log(row.join('\t'));
} finally {
  if (!values.keep) rmSync(folder, { recursive: true, force: true });
}

function npm(...args: readonly string[]): void {
  execFileSync('npm', [...args, '--ignore-scripts'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

function measure(room: string): readonly (string | number)[] {
  const spec = ROOMS[room];
  if (spec === undefined) throw new Error(`there is ${Object.keys(ROOMS).join(', ')}, not ${room}`);
  const report = path.join(folder, `${room}.json`);
  const config = {
    testRunner: 'mocha',
    plugins: ['@stryker-mutator/mocha-runner', './test/mutation/sample.ts'],
    checkers: ['sample'],
    checkerNodeArgs: ['--import', 'tsx'],
    sample: { share: Number(values.share), seed: values.seed },
    ignoreStatic: !values.load,
    mutate: [`src/${room}/**/*.ts`],
    coverageAnalysis: 'perTest',
    testRunnerNodeArgs: ['--import', 'tsx', '--no-experimental-require-module'],
    mochaOptions: { spec, 'no-config': true, require: REQUIRE },
    disableTypeChecks: true,
    concurrency: 2,
    timeoutMS: 5_000,
    reporters: ['json', 'clear-text', 'progress-append-only'],
    jsonReporter: { fileName: report },
    clearTextReporter: { logTests: false, reportMutants: values.keep },
    ignorePatterns: ['dist', 'coverage', 'docs', 'bench'],
    tempDirName: path.join(folder, '.stryker'),
  };
  const name = path.join(folder, `${room}.stryker.json`);
  writeFileSync(name, JSON.stringify(config));
  execFileSync(process.execPath, ['--import', 'tsx', STRYKER, 'run', name], {
    cwd: folder,
    stdio: 'inherit',
  });
  const { files } = JSON.parse(readFileSync(report, 'utf8')) as MutationReport;
  const all = Object.values(files).flatMap(({ mutants }) => mutants);
  const count = (...statuses: readonly string[]) =>
    all.filter(({ status }) => statuses.includes(status)).length;
  const [noticed, survived, untested] = [count('Killed', 'Timeout'), count('Survived'), count('NoCoverage')];
  const score = (100 * noticed) / (noticed + survived + untested);
  return [
    room,
    noticed + survived + untested,
    noticed,
    survived,
    untested,
    count('Ignored'),
    `${score.toFixed(1)} %`,
  ];
}
