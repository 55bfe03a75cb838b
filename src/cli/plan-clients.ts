import type { ActivityService } from '../activity/service.js';
import type { Credentials } from '../http/credentials.js';
import { createLimiter, type Limiter } from '../http/limiter.js';
import { isLoopbackUrl } from '../http/origin.js';
import { readSecret, type SecretReference } from '../http/secret.js';
import type { SourceAccount } from '../migrate/accounts-file.js';
import type { PlannedTarget } from '../migrate/plan.js';
import type { ServiceSettings } from './config.js';
import type { Session } from './session.js';

/** The services of the accounts of a plan. Those of one API key keep to its limits together. */
export class PlanClients {
  readonly #session: Session;
  readonly #common: ServiceSettings;
  readonly #planFolder: string;
  readonly #limiters = new Map<string, Limiter>();

  constructor(session: Session, common: ServiceSettings, planFolder: string) {
    this.#session = session;
    this.#common = common;
    this.#planFolder = planFolder;
  }

  /** @throws UsageError `CREDENTIALS_REQUIRED`, which names the account. */
  async target(account: string, { baseUrl, apiKey, accessToken }: PlannedTarget): Promise<ActivityService> {
    const key = await this.#secret(apiKey, account, 'api_key');
    const token = await this.#secret(accessToken, account, 'access_token');
    const credentials = { scheme: 'api_key', apiKey: key, token } as const;
    const settings = { ...this.#common, api: 'v2', user: undefined, baseUrl, credentials } as const;
    return this.#session.connect(settings, 'auto', this.#limits(baseUrl, key));
  }

  /** @throws UsageError `CREDENTIALS_REQUIRED`, which names the account. */
  async source(account: string, source: SourceAccount): Promise<ActivityService> {
    const { user, baseUrl } = source;
    const credentials = await this.#credentials(account, source);
    const key = 'apiKey' in credentials ? credentials.apiKey : credentials.token;
    const settings = { ...this.#common, api: 'ws', user, baseUrl, credentials } as const;
    return this.#session.connect(settings, 'auto', this.#limits(baseUrl, key));
  }

  async #credentials(account: string, { user, credentials }: SourceAccount): Promise<Credentials> {
    if (credentials.scheme === 'bearer') {
      const token = await this.#secret(credentials.accessToken, account, 'source_access_token');
      return { scheme: 'bearer', token };
    }
    const apiKey = await this.#secret(credentials.apiKey, account, 'source_api_key');
    const password = await this.#secret(credentials.password, account, 'source_password');
    return { scheme: 'basic', apiKey, user, password };
  }

  async #secret(reference: SecretReference, account: string, column: string): Promise<string> {
    const { env } = this.#session.io;
    const place = `${account}: ${column}`;
    const secret = await readSecret(reference, { env, folder: this.#planFolder, place });
    this.#session.guard([secret], [account]);
    return secret;
  }

  /** A service on this machine has no limits of its own to keep to. */
  #limits(baseUrl: string | undefined, key: string): { readonly limiter?: Limiter } {
    if ((baseUrl !== undefined && isLoopbackUrl(baseUrl)) || this.#session.io.fetch !== undefined) return {};
    const limiter = this.#limiters.get(key) ?? createLimiter({ clock: this.#session.clock });
    this.#limiters.set(key, limiter);
    return { limiter };
  }
}
