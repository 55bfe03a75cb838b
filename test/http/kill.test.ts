import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { saveDownload } from '../../src/http/download.js';
import { serve } from '../../src/http/serve.js';
import { wsServer } from '../../src/ws/server.js';
import { compile } from '../store/compiled.js';
import { EXPORT_ID, exportedFile, manyBytes } from '../support/exported-file.js';
import { soon } from './loopback.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BYTES = manyBytes(3_000_000);
const KILLS = 3;

describe('a download whose process is killed', function () {
  this.timeout(120_000);

  it('is gone on with by the next process, and ends with the very bytes', async () => {
    const folder = await fs.mkdtemp(path.join(tmpdir(), 'ctct-kill-'));
    const target = path.join(folder, 'list2.csv');
    const compiled = await fs.mkdtemp(path.join(tmpdir(), 'ctct-kill-'));
    const script = await compile('test/support/save-child.ts', compiled);
    const exported = exportedFile(BYTES);
    const served = await serve(wsServer({ account: () => exported.service }));
    const size = () =>
      fs.stat(`${target}.part`).then(
        (stat) => stat.size,
        () => undefined,
      );
    const run = () => {
      const args = [script, served.url, EXPORT_ID, target];
      const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
      return { child, output: text(child.stdout), closed: once(child, 'close') };
    };
    try {
      const begun: number[] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        const { child, closed } = run();
        let first: number | undefined;
        let end = 0;
        exported.pass = async (chunk, at) => {
          if (first === undefined) {
            first = at;
            // Somewhere in the rest, and soon enough for the next to have some of it left.
            end = at + 50_000 + Math.random() * 500_000;
          }
          if (at < end) return chunk;
          // Some of what was sent is on the disk, and perhaps not all.
          while (((await size()) ?? 0) <= first) await soon(2);
          child.kill('SIGKILL');
          await closed;
          return chunk;
        };
        await closed;
        begun.push(first ?? 0);
        expect(await fs.readdir(folder)).not.to.include('list2.csv');
        expect(await size()).to.be.greaterThan(first ?? 0);
      }
      exported.pass = (chunk) => chunk;
      const { child, output, closed } = run();
      await closed;
      expect(child.exitCode).to.equal(0);
      const saved = JSON.parse(await output) as { bytes: number; resumedAt: number };
      expect(saved.bytes).to.equal(BYTES.length);
      expect(saved.resumedAt).to.be.greaterThan(0);
      expect(begun.slice(1).every((offset, index) => offset >= begun[index]!)).to.equal(true);
      expect(Buffer.compare(await fs.readFile(target), BYTES)).to.equal(0);
      expect(await fs.readdir(folder)).to.deep.equal(['list2.csv']);
    } finally {
      await served.close();
      for (const made of [folder, compiled]) await fs.rm(made, { recursive: true });
    }
  });

  it('is refused to others while its process lives', async () => {
    const folder = await fs.mkdtemp(path.join(tmpdir(), 'ctct-kill-'));
    const target = path.join(folder, 'list2.csv');
    const lock = `const { takeLock } = await import('./src/http/lock-file.ts');
      await takeLock(${JSON.stringify(`${target}.part.lock`)}); console.log('held'); setInterval(() => {}, 1000);`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', lock];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    try {
      await once(child.stdout, 'data');
      const exported = exportedFile(BYTES.subarray(0, 5000));
      const open = () => exported.service.download(EXPORT_ID);
      const outcome: unknown = await saveDownload({ id: EXPORT_ID, open }, target).catch(
        (error: unknown) => error,
      );
      expect(outcome).to.have.property('code', 'FILE_BUSY');
      expect(exported.opened).to.equal(0);
      child.kill('SIGKILL');
      await closed;
      expect(await saveDownload({ id: EXPORT_ID, open }, target)).to.include({ bytes: 5000 });
    } finally {
      child.kill('SIGKILL');
      await closed;
      await fs.rm(folder, { recursive: true });
    }
  });
});
