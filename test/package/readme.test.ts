import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { EXIT_CODES } from '../../src/cli/exit-codes.js';
import { createEmulator, type Emulator } from '../../src/emulator/emulator.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8');

/** Commands that a test cannot run inside itself, and where they are run instead. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  'npm ci': 'installing is what came before this test; .ci/run does it on a fresh clone',
  'npm cit': 'this test is a part of it',
};

function blocks(language: string): string[] {
  return [...README.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].flatMap(([, found, text = '']) =>
    found === language ? [text] : [],
  );
}

/** The commands of all sh blocks, in order, `a && b` as two. */
const commands = blocks('sh')
  .join('')
  .split('\n')
  .map((line) => line.replace(/\s+#.*$/, ''))
  .flatMap((line) => line.split(' && '))
  .filter((line) => line !== '');

describe('README', () => {
  it('opens with the two commands', () => {
    const [first = ''] = blocks('sh');
    expect(README.indexOf('```sh')).to.be.lessThan(40);
    expect(first.split('\n').map((line) => line.replace(/\s+#.*$/, ''))).to.deep.equal([
      'npm ci && npx ctct demo',
      'npm cit',
      '',
    ]);
  });

  describe('its commands', () => {
    let emulator: Emulator;
    let home: string;
    let environment: NodeJS.ProcessEnv;
    before(async () => {
      expect(existsSync(path.join(ROOT, 'dist/cli/main.js')), 'run "npm run build" first').to.equal(true);
      home = mkdtempSync(path.join(tmpdir(), 'ctct-readme-'));
      const lists = [
        { id: '2', name: 'Roses' },
        { id: '5', name: 'Tulips' },
      ];
      emulator = createEmulator({
        accounts: [{ user: 'joesflowers', lists }],
        latency: { pending: 5, queued: 5, running: 5 },
      });
      const { url } = await emulator.listen();
      environment = { ...process.env, XDG_CONFIG_HOME: home, HOME: home, README_EMULATOR: url };
    });
    after(async () => {
      await emulator.close();
      rmSync(home, { recursive: true });
    });

    it('all run, in their order, and do what they say', async function () {
      this.timeout(120_000);
      const run = commands.filter((command) => RUN_ELSEWHERE[command] === undefined);
      expect(run).to.have.length.greaterThan(6);
      const exported = path.join(home, 'list2.csv');
      const results: string[] = [];
      const settings: Record<string, string> = {};
      for (const command of run) {
        if (command.startsWith('export ')) {
          for (const [, name = '', value = ''] of command.matchAll(/(CTCT_\w+)=(\S+)/g))
            settings[name] = value;
          settings.CTCT_BASE_URL = environment.README_EMULATOR ?? '';
          continue;
        }
        // Files go into a folder of the test's own.
        const runnable = command.replace(/(--(?:out|errors)) (\S+)/g, (_, option: string, file: string) => {
          return `${option} ${path.join(home, file)}`;
        });
        const { code } = await shell(runnable, { ...environment, ...settings });
        results.push(`${command} -> ${code}`);
      }
      const { rows } = EXIT_CODES;
      const damaged = new RegExp(`(?:--wait|damaged-archive.*) -> ${rows.code}$`);
      expect(results.filter((line) => !line.endsWith('-> 0') && !damaged.test(line))).to.deep.equal([]);
      expect(readFileSync(path.join(home, 'activities.csv'), 'utf8').trim().split('\n')).to.have.length(10);
      expect(readFileSync(path.join(home, 'report.html'), 'utf8')).to.match(/^<!doctype html>/i);
      expect(readFileSync(exported, 'utf8')).to.match(/^Email Address,First Name,City\r?\n[^\n]+@example/);
      expect(emulator.account('joesflowers')).not.to.equal(undefined);
    });
  });

  it('its TypeScript is right', function () {
    this.timeout(60_000);
    const { config } = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) =>
      ts.sys.readFile(file),
    ) as {
      config: { compilerOptions: object };
    };
    const { options } = ts.convertCompilerOptionsFromJson(
      {
        ...config.compilerOptions,
        noEmit: true,
        paths: { 'ctct-activities': [path.join(ROOT, 'src/index.ts')] },
      },
      ROOT,
    );
    // The blocks stand as files beside the README, but only in memory.
    const files = new Map(blocks('ts').map((text, index) => [path.join(ROOT, `readme-${index}.ts`), text]));
    expect(files.size).to.be.greaterThan(2);
    const host = ts.createCompilerHost(options);
    host.fileExists = (file) => files.has(file) || ts.sys.fileExists(file);
    host.readFile = (file) => files.get(file) ?? ts.sys.readFile(file);
    host.getSourceFile = (file, target) => {
      const text = host.readFile(file);
      return text === undefined ? undefined : ts.createSourceFile(file, text, target);
    };
    const program = ts.createProgram([...files.keys()], options, host);
    const problems = ts
      .getPreEmitDiagnostics(program)
      .map(
        ({ file, messageText }) =>
          `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
      );
    expect(problems).to.deep.equal([]);
  });

  it('its table of exit codes is the one of the code', () => {
    const rows = [...README.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => ({
      code: Number(code),
      meaning,
    }));
    expect(rows).to.deep.equal(Object.values(EXIT_CODES));
  });
});

function shell(
  command: string,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile('/bin/sh', ['-c', command], { cwd: ROOT, env, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
  });
}
