import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSecretReference, readSecret } from '../../src/http/secret.js';
import { rejection } from './loopback.js';

describe('secret references', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ctct-secret-'));
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const read = (reference: `env:${string}` | `file:${string}`, env: Record<string, string> = {}) =>
    readSecret(reference, { env, folder, place: 'accounts.csv:3: access_token' });

  it('lead to a variable, or to the first line of a file', async () => {
    await writeFile(join(folder, 'token'), 'abc\nsecond line\n', { mode: 0o600 });
    expect(await read('env:TOKEN', { TOKEN: 'xyz' })).to.equal('xyz');
    expect(await read('file:token')).to.equal('abc');
    expect(await read(`file:${join(folder, 'token')}`)).to.equal('abc');
  });

  it('say where they stand when they lead nowhere', async () => {
    await writeFile(join(folder, 'empty'), '', { mode: 0o600 });
    for (const reference of ['env:NONE', 'file:none', 'file:empty'] as const) {
      const error = await rejection(read(reference));
      expect(error).to.have.property('code', 'CREDENTIALS_REQUIRED');
      expect(error)
        .to.have.property('message')
        .that.matches(/^accounts\.csv:3: access_token: /);
    }
  });

  it('do not lead to a file that others can read', async () => {
    await writeFile(join(folder, 'open'), 'abc', { mode: 0o644 });
    expect(await rejection(read('file:open'))).to.have.property('code', 'CREDENTIALS_EXPOSED');
  });

  it('are told from secrets', () => {
    expect(['env:A_1', 'file:x'].every(isSecretReference)).to.equal(true);
    expect(['abc', 'env:', 'env:1A', 'env:A B', 'file:', 'ENV:A', ''].some(isSecretReference)).to.equal(
      false,
    );
  });
});
