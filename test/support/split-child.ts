import { createHash } from 'node:crypto';
import { LIMITS } from '../../src/translate/limits.js';
import { splitUpload } from '../../src/translate/split.js';
import type { ContactSource } from '../../src/upload/contact-source.js';

/**
 * Splits a made-up contact file of so many rows: `split-child.ts <rows>`. Puts out what came of it, and the largest memory
 * in bytes outside the heap, which is bounded by whoever starts this.
 */
const rows = Number(process.argv[2]);
const HEADING = 'Email Address,First Name,Note\n';
const BLOCK = 1000;

/** One row in ten has the address of the row a tenth of the file before it. */
function block(from: number): Buffer {
  let text = from === 0 ? HEADING : '';
  for (let row = from; row < Math.min(rows, from + BLOCK); row++) {
    const id = row % 10 === 9 && row >= rows / 10 ? row - 5 - rows / 10 : row;
    const name = String(id).padStart(9, '0');
    text += `person.${name}@example.com,"Ann, or\nBob",${'nothing to say of this one; '.repeat(2)}\n`;
  }
  return Buffer.from(text);
}

const widths = [block(0).length, block(BLOCK).length];
const size = (widths[0] ?? 0) + (widths[1] ?? 0) * (rows / BLOCK - 1);
let peak = 0;

const source: ContactSource = {
  size,
  close: () => Promise.resolve(),
  async *read(start) {
    const [first = 0, other = 0] = widths;
    let at = start < first ? 0 : 1 + Math.floor((start - first) / other);
    let skip = at === 0 ? start : start - first - (at - 1) * other;
    for (; at < rows / BLOCK; at++, skip = 0) {
      await Promise.resolve();
      const { arrayBuffers, external } = process.memoryUsage();
      peak = Math.max(peak, arrayBuffers + external);
      yield block(at * BLOCK).subarray(skip);
    }
  },
};

const split = await splitUpload(source, { limits: LIMITS.v2Add });
let wrong = 0;
for (const part of split.parts) {
  const hash = createHash('sha256');
  for await (const chunk of part.open()) hash.update(chunk);
  if (hash.digest('hex') !== part.sha256) wrong++;
}
let told = 0;
for await (const { line, keptLine } of split.duplicates()) if (line < keptLine) told++;
await split.close();
const { rows: sent, duplicateCount, parts } = split;
console.log(JSON.stringify({ size, sent, duplicateCount, told, parts: parts.length, wrong, peak }));
