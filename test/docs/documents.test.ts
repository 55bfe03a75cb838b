import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { createEmulator } from '../../src/emulator/emulator.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What people read and copy from: the README, and the pages of docs/. */
const DOCUMENTS = [
  'README.md',
  ...readdirSync(path.join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

/** Commands that a test cannot run inside itself, and where they are run instead. */
const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  'npm ci': 'installing is what came before this test; .ci/run does it on a fresh clone',
  'npm cit': 'this test is a part of it',
};

/** Commands that end with another exit code than 0, as their documents say. */
const EXITS: readonly (readonly [RegExp, number])[] = [
  [/^npx ctct (?:add|remove) .*--wait$/, 3],
  [/damaged-archive/, 3],
  [/migrate (?:run|status|report) plan\.json(?!.*--dry-run)/, 3],
];

function blocks(document: string, language: string): string[] {
  const text = readFileSync(path.join(ROOT, document), 'utf8');
  return [...text.matchAll(/^ *```(\w+)\n([\s\S]*?)^ *```/gm)].flatMap(([, found, block = '']) =>
    found === language ? [block] : [],
  );
}

/** The commands of all sh blocks, in order, `a && b` as two; a line that ends with \ goes on in the next. */
function commandsOf(document: string): string[] {
  return blocks(document, 'sh')
    .join('')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .flatMap((line) => line.split(' && '))
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the documents', () => {
  it('begin, in the README, with the two commands', () => {
    const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
    expect(readme.indexOf('```sh')).to.be.lessThan(40);
    expect(commandsOf('README.md').slice(0, 3)).to.deep.equal(['npm ci', 'npx ctct demo', 'npm cit']);
  });

  it('lead to files and headings that are there', () => {
    for (const document of DOCUMENTS) {
      const text = readFileSync(path.join(ROOT, document), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
        const [file = '', heading] = target.split('#');
        const found = file === '' ? document : path.posix.join(path.posix.dirname(document), file);
        expect(existsSync(path.join(ROOT, found)), `${document}: ${target}`).to.equal(true);
        if (heading === undefined) continue;
        const anchors = [...readFileSync(path.join(ROOT, found), 'utf8').matchAll(/^#+ (.*)$/gm)].map(
          ([, title = '']) =>
            title
              .toLowerCase()
              .replaceAll(/[^\w\s-]/g, '')
              .replaceAll(/\s/g, '-'),
        );
        expect(anchors, `${document}: ${target}`).to.include(heading);
      }
      for (const [named] of text.matchAll(/`(?:src|test|schemas|samples|docs|bench)\/[\w./-]+`/g)) {
        expect(existsSync(path.join(ROOT, named.slice(1, -1))), `${document}: ${named}`).to.equal(true);
      }
    }
  });

  describe('have commands that work when they are copied, in their order:', () => {
    for (const document of DOCUMENTS.filter((name) => commandsOf(name).length > 0)) {
      it(document, async function () {
        this.timeout(180_000);
        expect(existsSync(path.join(ROOT, 'dist/cli/main.js')), 'run "npm run build" first').to.equal(true);
        const home = mkdtempSync(path.join(tmpdir(), 'ctct-document-'));
        const emulator = createEmulator({
          accounts: [
            {
              user: 'joesflowers',
              lists: [
                { id: '2', name: 'Roses' },
                { id: '5', name: 'Tulips' },
              ],
            },
          ],
          latency: { pending: 5, queued: 5, running: 5 },
        });
        const { url } = await emulator.listen();
        const settings: Record<string, string> = {};
        const wrong: string[] = [];
        try {
          for (const command of commandsOf(document).filter((line) => RUN_ELSEWHERE[line] === undefined)) {
            if (command.startsWith('export ')) {
              for (const [, name = '', value = ''] of command.matchAll(/(CTCT_\w+)=(\S+)/g)) {
                settings[name] = value;
              }
              continue;
            }
            const { code, stderr } = await shell(command, home, {
              ...process.env,
              ...settings,
              // In the document it is the address of an emulator in another terminal.
              ...(settings.CTCT_BASE_URL === undefined ? {} : { CTCT_BASE_URL: url }),
              HOME: home,
              TMPDIR: home,
              XDG_CONFIG_HOME: home,
              XDG_STATE_HOME: home,
            });
            const expected = EXITS.find(([pattern]) => pattern.test(command))?.[1] ?? 0;
            if (code !== expected) wrong.push(`${command} -> ${code}, not ${expected}: ${stderr}`);
          }
        } finally {
          await emulator.close();
          rmSync(home, { recursive: true });
        }
        expect(wrong).to.deep.equal([]);
      });
    }
  });

  it('have TypeScript that is right', function () {
    this.timeout(60_000);
    const { config } = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) =>
      ts.sys.readFile(file),
    ) as {
      config: { compilerOptions: object };
    };
    const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, noEmit: true }, ROOT);
    // The blocks stand as files beside the README, but only in memory.
    const files = new Map(
      DOCUMENTS.flatMap((document) =>
        blocks(document, 'ts').map(
          (text, index) => [path.join(ROOT, `${document.replaceAll(/\W/g, '-')}-${index}.ts`), text] as const,
        ),
      ),
    );
    expect(files.size).to.be.greaterThan(4);
    const host = ts.createCompilerHost(options);
    host.fileExists = (file) => files.has(file) || ts.sys.fileExists(file);
    host.readFile = (file) => files.get(file) ?? ts.sys.readFile(file);
    host.getSourceFile = (file, target) => {
      const text = host.readFile(file);
      return text === undefined ? undefined : ts.createSourceFile(file, text, target);
    };
    const program = ts.createProgram([...files.keys()], options, host);
    // The sources that they import are checked by `npm run typecheck`.
    const problems = [...files.keys()]
      .flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
      .map(
        ({ file, messageText }) =>
          `${path.basename(file?.fileName ?? '')}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
      );
    expect(problems).to.deep.equal([]);
  });
});

/** Runs a command in a folder that has samples/ beside it, as a copy of the project has; files it writes stay there. */
function shell(
  command: string,
  home: string,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = path.join(ROOT, 'dist/cli/main.js');
  const script = `ln -sfn '${path.join(ROOT, 'samples')}' samples; npx() { shift; "${process.execPath}" '${program}' "$@"; }; ${command}`;
  return new Promise((resolve) => {
    execFile('/bin/sh', ['-c', script], { cwd: home, env, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
  });
}
