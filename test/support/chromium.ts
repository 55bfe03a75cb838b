import { existsSync } from 'node:fs';
import type { Context } from 'mocha';
import { chromium, type Browser } from 'playwright-core';

const PATH = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Without these, Chromium looks up hosts of its maker's at every start. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A headless Chromium; where none is installed, the test says so and is skipped. */
export async function openChromium(test: Context): Promise<Browser> {
  if (!existsSync(PATH)) {
    console.warn(`skipped, since there is no Chromium at ${PATH}: install it, or set CHROMIUM_PATH`);
    test.skip();
  }
  return chromium.launch({ executablePath: PATH, args: QUIET });
}
