import type { Context, RootHookObject } from 'mocha';
import { SecretWatch, secretsOfTests } from './secret-watch.js';

const secrets = secretsOfTests();
let watch: SecretWatch;

/** Greps every error of the package that a process of tests constructs for every credential that a test uses. */
export const mochaHooks: RootHookObject = {
  beforeAll() {
    watch = new SecretWatch(secrets);
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
