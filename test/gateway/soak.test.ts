import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the soak of the gateway', function () {
  this.timeout(120_000);

  async function soak(...args: string[]): Promise<{ code: number | null; output: string }> {
    const command = ['--expose-gc', '--import', 'tsx', 'test/gateway/soak.ts', ...args];
    const child = spawn(process.execPath, command, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    const output = await text(child.stdout);
    return { code: await closed, output };
  }

  it('neither its memory nor its open files grow with use, over a bad network too', async () => {
    const { code, output } = await soak('--minutes', '0.1');
    expect(code, output).to.equal(0);
    expect(output).to.match(/from the first third on: memory -?[\d.]+ MiB, descriptors -?[\d.]+/);
  });

  it('notices what is kept, memory and files', async () => {
    const { code, output } = await soak('--minutes', '0.04', '--leak');
    expect(code, output).to.equal(1);
    expect(output)
      .to.match(/LEAK: the memory grew/)
      .and.to.match(/LEAK: the open descriptors grew/);
  });
});
