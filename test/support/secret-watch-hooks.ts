import type { Context, RootHookObject } from 'mocha';
import { SecretWatch, secretsOfTests } from './secret-watch.js';

const watch = new SecretWatch(secretsOfTests());

/** Greps every error of the package that the whole run constructs for every credential that a test uses. */
export const mochaHooks: RootHookObject = {
  beforeAll() {
    watch.start();
  },
  afterEach(this: Context) {
    watch.check(this.currentTest?.fullTitle() ?? 'a hook');
  },
  afterAll() {
    watch.check('the end');
    watch.stop();
    if (watch.found.length > 0) throw new Error(`secrets in errors:\n  ${watch.found.join('\n  ')}`);
  },
};
