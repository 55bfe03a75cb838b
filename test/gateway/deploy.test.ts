import { expect } from 'chai';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flagOf } from '../../src/cli/command.js';
import { gateway } from '../../src/cli/commands/gateway.js';
import { readAccounts } from '../../src/gateway/accounts-file.js';

const FOLDER = fileURLToPath(new URL('../../samples/deploy', import.meta.url));
const read = (name: string) => readFile(join(FOLDER, name), 'utf8');
const FLAGS = Object.keys(gateway.main?.options ?? {}).map(flagOf);

describe('samples/deploy', () => {
  it('is a unit, an image and accounts', async () => {
    expect((await readdir(FOLDER)).sort()).to.deep.equal([
      'Dockerfile',
      'accounts.yaml',
      'ctct-gateway.service',
    ]);
  });

  it('has accounts that are read, once their secrets are there', async () => {
    const text = await read('accounts.yaml');
    const folder = await mkdtemp(join(tmpdir(), 'ctct-deploy-'));
    try {
      const credentials = '/run/credentials/ctct-gateway.service';
      await writeFile(join(folder, 'accounts.yaml'), text.replaceAll(credentials, folder));
      const unit = await read('ctct-gateway.service');
      for (const [, name = ''] of unit.matchAll(/^LoadCredential=([\w-]+):/gm)) {
        expect(text).to.contain(`file:${credentials}/${name}`);
        await writeFile(join(folder, name), 'some-secret\n', { mode: 0o600 });
      }
      const { entries } = await readAccounts(join(folder, 'accounts.yaml'), {});
      expect(entries.map(({ account }) => account.user)).to.deep.equal(['joesflowers']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('has a unit and an image that call the gateway by options it has', async () => {
    const unit = await read('ctct-gateway.service');
    const exec = /^ExecStart=.*\bctct gateway (.*)$/m.exec(unit)?.[1] ?? '';
    const docker = await read('Dockerfile');
    const [, entry = ''] = /^ENTRYPOINT (.*)$/m.exec(docker) ?? [];
    const [, cmd = '[]'] = /^CMD (\[.*\])$/m.exec(docker) ?? [];
    expect(JSON.parse(entry)).to.deep.equal(['ctct', 'gateway']);
    for (const words of [exec.split(' '), JSON.parse(cmd) as string[]]) {
      const flags = words.filter((word) => word.startsWith('--'));
      expect(flags).to.include.members(['--accounts', '--store']);
      for (const flag of flags) expect(FLAGS).to.include(flag);
    }
  });

  it('has a unit without directives twice, and in the sections that they belong to', async () => {
    const unit = await read('ctct-gateway.service');
    const keys = [...unit.matchAll(/^(\w+)=/gm)].map(([, key = '']) => key);
    const several = ['LoadCredential'];
    expect(keys.filter((key, index) => !several.includes(key) && keys.indexOf(key) !== index)).to.deep.equal(
      [],
    );
    expect([...unit.matchAll(/^\[(\w+)\]$/gm)].map(([, name]) => name)).to.deep.equal([
      'Unit',
      'Service',
      'Install',
    ]);
    for (const line of [
      'DynamicUser=yes',
      'StateDirectoryMode=0700',
      'NoNewPrivileges=yes',
      'ProtectSystem=strict',
    ]) {
      expect(unit).to.contain(`\n${line}\n`);
    }
  });
});
