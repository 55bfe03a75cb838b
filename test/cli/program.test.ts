import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { EXIT_CODES } from '../../src/cli/exit-codes.js';
import { ctct, emulated, Sink } from './harness.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

describe('ctct', () => {
  it('tells its version', async () => {
    const { exit, stdout } = await ctct(['--version']);
    expect([exit, stdout.text]).to.deep.equal([0, `${version}\n`]);
  });

  it('explains itself on stdout: examples, commands, exit codes, environment', async () => {
    for (const argv of [[], ['--help'], ['-h'], ['help']]) {
      const { exit, stdout, stderr } = await ctct(argv);
      expect([exit, stderr.text]).to.deep.equal([0, '']);
      for (const { name, summary } of COMMANDS) {
        expect(stdout.text).to.match(new RegExp(`^  ${name} `, 'm'));
        expect(stdout.text.replace(/\s+/g, ' ')).to.contain(summary);
      }
      for (const { code, meaning } of Object.values(EXIT_CODES)) {
        expect(stdout.text).to.contain(`  ${code}  ${meaning}\n`);
      }
      expect(stdout.text.indexOf('Examples:')).to.be.lessThan(stdout.text.indexOf('Usage:'));
      expect(stdout.text).to.contain('CTCT_ACCESS_TOKEN');
      for (const line of stdout.lines) expect(line.length, line).to.be.at.most(80);
    }
  });

  it('explains every command, in 80 columns where the example lines allow', async () => {
    for (const { name, examples, options } of COMMANDS) {
      const { exit, stdout } = await ctct([name, '--help'], { terminal: { columns: 80 } });
      expect(exit).to.equal(0);
      for (const [line, does] of examples) {
        expect(stdout.text).to.contain(`$ ${line}`).and.to.contain(does);
      }
      if ('list' in options)
        expect(stdout.text.replace(/\s+/g, ' ')).to.match(/--list <id> .*\(may be given again; required\)/);
      for (const line of stdout.lines.filter((text) => !text.startsWith('  $ '))) {
        expect(line.length, line).to.be.at.most(80);
      }
      const asked = await ctct(['help', name], { terminal: { columns: 80 } });
      expect(asked.stdout.text).to.equal(stdout.text);
    }
  });

  const wrong: readonly (readonly [string, string, string])[] = [
    ['frob', "unknown command 'frob'", 'ctct --help'],
    ['--profile wait frob', "unknown command 'frob'", 'ctct --help'],
    ['--profile wait lists --frob', "unknown option '--frob'", 'ctct lists --help'],
    ['archive --output check reed', "unknown command 'reed' (Did you mean read?)", 'ctct archive --help'],
    ['lits', "unknown command 'lits' (Did you mean one of list, lists?)", 'ctct --help'],
    ['help frob', "unknown command 'frob'", 'ctct --help'],
    ['help archive reed', "unknown command 'reed' (Did you mean read?)", 'ctct archive --help'],
    ['archive reed', "unknown command 'reed' (Did you mean read?)", 'ctct archive --help'],
    ['migrate pln', "unknown command 'pln' (Did you mean plan?)", 'ctct migrate --help'],
    ['gateway purg', "unknown command 'gateway purg'; did you mean purge?", 'ctct gateway --help'],
    ['gateway --demo purg', "unknown command 'gateway purg'; did you mean purge?", 'ctct gateway --help'],
    ['list --limt 3', "unknown option '--limt' (Did you mean --limit?)", 'ctct list --help'],
    ['list --ouput json', "unknown option '--ouput' (Did you mean --output?)", 'ctct list --help'],
    ['list --ouput=json', "unknown option '--ouput'", 'ctct list --help'],
    ['--frob', "unknown option '--frob'", 'ctct --help'],
    ['list --output xml', '--output: must be one of table, json, ndjson, csv; got "xml"', 'ctct list --help'],
    ['list extra', "too many arguments for 'list'. Expected 0 arguments but got 1.", 'ctct list --help'],
    ['add', "missing required argument 'file'", 'ctct add --help'],
    ['add x.csv', '--list: is required', 'ctct add --help'],
    ['add x.csv --list', "option '--list <id>' argument missing", 'ctct add --help'],
    [
      'wait x --timeout soon',
      '--timeout: must be a time such as 90s, 30m or 2h (at most 24d), got "soon"',
      'ctct wait --help',
    ],
  ];
  for (const [line, message, help] of wrong) {
    it(`refuses "ctct ${line}" with what is wrong and where to look`, async () => {
      const { exit, stdout, stderr } = await ctct(line.split(' '));
      expect(stderr.lines).to.deep.equal([`ctct: ${message}`, `  see: ${help}`]);
      expect([exit, stdout.text]).to.deep.equal([2, '']);
    });
  }

  it('takes no secret from the command line, and never repeats one', async () => {
    const flags = ['--password', '--pass', '--passwd', '--api-key', '--apikey', '--token', '--access-token'];
    for (const flag of [...flags, '--Password', '--secret', '--paswort', '--acess-token']) {
      for (const argv of [
        [`${flag}=hunter22`, 'lists'],
        ['lists', flag, 'hunter22'],
      ]) {
        const { exit, stdout, stderr } = await ctct(argv);
        expect(exit).to.equal(2);
        expect(stdout.text + stderr.text).not.to.contain('hunter22');
        if (flags.includes(flag)) {
          expect(stderr.text).to.match(/a secret is not taken from the command line.*; set CTCT_/s);
        }
      }
    }
  });

  it('takes what comes after -- as it is', async () => {
    const { stderr } = await ctct(['show', '--', '--password']);
    expect(stderr.text).to.match(/no credentials: set CTCT_USER/);
  });

  it('says what to set when there are no credentials, and how to go on without', async () => {
    const { exit, stderr } = await ctct(['lists'], { env: { HOME: '/nonexistent' } });
    expect(exit).to.equal(4);
    expect(stderr.lines).to.deep.equal([
      'ctct: no credentials: set CTCT_USER, CTCT_API_KEY and CTCT_PASSWORD (or CTCT_USER and CTCT_ACCESS_TOKEN)',
      '  to try it without an account: ctct demo',
    ]);
  });

  it('ends quietly when nobody reads stdout any more', async () => {
    const stdout = new Sink();
    stdout.failure = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    const { exit, stderr } = await emulated().ctct(['lists'], { stdout });
    expect([exit, stderr.text]).to.deep.equal([0, '']);
  });

  it('tells a defect from an error, with the stack on demand', async () => {
    const connect = () => {
      throw new TypeError('a defect', { cause: new Error('its cause') });
    };
    const plain = await emulated().ctct(['lists'], { connect });
    expect([plain.exit, plain.stderr.text]).to.deep.equal([1, 'ctct: unexpected: a defect\n']);
    const { stderr } = await emulated().ctct(['lists', '--verbose'], { connect });
    expect(stderr.lines[1]).to.equal('  caused by: Error: its cause');
    expect(stderr.text).to.match(/ at .*program\.test/);
  });
});
