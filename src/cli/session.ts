import { hasFailed, isFinished, type Activity } from '../activity/activity.js';
import { AmbiguousCreateError, UsageError } from '../activity/errors.js';
import type { ActivityRequest, Warning } from '../activity/request.js';
import type { ActivityService } from '../activity/service.js';
import type { BulkClientOptions } from '../bulk-client.js';
import { systemClock, type Clock } from '../clock.js';
import { whyMaybeCreated } from '../create.js';
import { secretsOf } from '../http/credentials.js';
import type { Exchange } from '../http/transport.js';
import { watchActivities, watchActivity, type WaitOptions } from '../wait.js';
import { V2_ENCODINGS } from '../v2/encoding.js';
import { ENCODINGS } from '../ws/encoding.js';
import { encodingOf, type Api, type ContactEncoding } from './apis.js';
import { readSettings, type ServiceSettings, type Settings, type SettingSources } from './config.js';
import type { Exit } from './exit-codes.js';
import type { CliIo } from './io.js';
import { Output, type OutputFormat } from './output.js';
import { activityLine, exchangeLine } from './progress.js';
import { lastStarted, noteStarted, startedActivity, startedLogPath } from './started-log.js';
import { Talk } from './talk.js';
import { firstLine } from './prompt.js';
import { painter, plainText } from './terminal.js';

/** What holds for every command, from the global options. */
export interface SessionOptions {
  readonly output: OutputFormat;
  readonly quiet: boolean;
  readonly progress: boolean;
  readonly config: string | undefined;
  readonly user: string | undefined;
  readonly api: Api | undefined;
  readonly baseUrl: string | undefined;
  readonly profile: string | undefined;
  readonly timeout: string | undefined;
  readonly fields: readonly string[];
  readonly verbose: boolean;
}

export interface WatchOptions extends Pick<WaitOptions, 'minDelay' | 'maxDelay' | 'unconfirmedTimeout'> {
  /** Milliseconds to wait at most. */
  readonly timeout: number;
  readonly onStatus?: (activity: Activity) => void;
  /** The service ends with this run: nothing can be taken up again, and progress is only drawn, never printed. */
  readonly ephemeral?: boolean;
}

/** What is left at the service if this run ends now. */
export interface Unfinished {
  /** In words, such as `activity a07e1… goes on at the service`. */
  readonly state: string;
  /** How to take it up again, with the command. */
  readonly hint: string;
  /** Nothing goes on: the activity is finished, and what it made is there to be had. */
  readonly ready: boolean;
}

/** One run of one command: its data, its talk, and the service it works on. */
export class Session {
  readonly io: CliIo;
  readonly clock: Clock;
  readonly output: Output;
  readonly talk: Talk;
  readonly #options: SessionOptions;
  #secrets: readonly string[] = [];
  #stdinTaken = false;
  #account: Settings | undefined;
  #unfinished: Unfinished | undefined;

  constructor(io: CliIo, options: SessionOptions) {
    this.io = io;
    this.#options = options;
    this.clock = io.clock ?? systemClock;
    this.output = new Output(io.stdout, options.output, painter(io.stdout, io.env), options.fields);
    this.talk = new Talk(io.stderr, {
      env: io.env,
      quiet: options.quiet,
      progress: options.progress,
      secrets: () => this.#secrets,
    });
  }

  get unfinished(): Unfinished | undefined {
    return this.#unfinished;
  }

  /** The user name, as far as it can be told without any credentials. */
  get user(): string | undefined {
    return this.#options.user ?? this.io.env.CTCT_USER;
  }

  /** The signal of an interrupt, as an option to pass on. */
  get abort(): { readonly signal?: AbortSignal } {
    return this.io.signal === undefined ? {} : { signal: this.io.signal };
  }

  /** The account's activities, by the settings. @throws UsageError when they are not enough. */
  async service(encoding: ContactEncoding = 'auto'): Promise<ActivityService> {
    const settings = await this.#settings();
    this.#account = settings;
    return this.io.connect?.(settings) ?? this.connect(settings, encoding);
  }

  /**
   * Goes through the creation of an activity with a `fetch` that sends nothing.
   * @returns what must not be shown of the request.
   */
  async pretend(
    request: ActivityRequest,
    fetch: typeof globalThis.fetch,
    encoding: ContactEncoding = 'auto',
  ): Promise<readonly string[]> {
    const settings = await this.#settings();
    const service = await this.connect(settings, encoding, { fetch, reconcile: false, retry: false });
    await service.create(request, this.abort);
    return this.#secrets;
  }

  /**
   * The activity of the account that was started last from this machine.
   * @param activityType of this type only.
   * @throws UsageError `NOT_FOUND` where none is known; call `service` first, which tells the account.
   */
  async last(activityType?: string): Promise<string> {
    const path = startedLogPath(this.io.env);
    const found =
      path === undefined || this.#account === undefined
        ? undefined
        : await lastStarted(path, this.#account, activityType);
    if (found === undefined) {
      throw new UsageError(
        'NOT_FOUND',
        `--last: no ${activityType === 'EXPORT_CONTACTS' ? 'export' : 'activity'} of this account was started from this ` +
          'machine; give its id, which "ctct list" tells',
      );
    }
    this.talk.note(`${found.activityType} ${plainText(found.activity)}, started ${found.at}`);
    return found.activity;
  }

  /** Where the settings come from. */
  get settingSources(): SettingSources {
    const { config, user, api, baseUrl, profile, timeout } = this.#options;
    const given = Object.entries({ config, user, api, baseUrl, profile, timeout });
    const flags = Object.fromEntries(given.filter(([, value]) => value !== undefined));
    return { flags, env: this.io.env, folder: this.io.folder };
  }

  /**
   * Sees to it that nothing that is said has these in it; see `secretsOf`.
   * @param names of accounts, which are shown everywhere; an emulator may take one for a token.
   */
  guard(secrets: readonly string[], names: readonly string[] = []): void {
    const hidden = secrets.filter((secret) => !names.includes(secret));
    this.#secrets = [...new Set([...this.#secrets, ...hidden])].sort((a, b) => b.length - a.length);
  }

  /** Whether stdin is spoken for: a secret was read from it. */
  get stdinTaken(): boolean {
    return this.#stdinTaken;
  }

  async #settings(): Promise<Settings> {
    const settings = await readSettings(this.settingSources, { stdin: () => this.#firstLine() });
    this.#secrets = secretsOf(settings.credentials);
    return settings;
  }

  async #firstLine(): Promise<string> {
    this.#stdinTaken = true;
    return firstLine(this.io);
  }

  /** What every client of this run works with, whoever makes it. */
  clientOptions({ allowHttp, timeout }: Pick<ServiceSettings, 'allowHttp' | 'timeout'>) {
    return {
      allowHttp,
      timeouts: timeout === undefined ? {} : { connect: timeout, headers: timeout, bodyIdle: timeout },
      clock: this.clock,
      fetch: this.io.fetch,
      random: this.io.random,
      ...(this.#options.verbose && {
        onExchange: (exchange: Exchange, account?: string) => {
          const whose = account === undefined ? '' : `${account}: `;
          this.talk.note(plainText(`${whose}${exchangeLine(exchange)}`));
        },
      }),
    };
  }

  /** A client of the service that the settings name. */
  async connect(
    settings: Settings,
    encoding: ContactEncoding = 'auto',
    overrides: Pick<BulkClientOptions, 'fetch' | 'limiter' | 'reconcile' | 'retry'> = {},
  ): Promise<ActivityService> {
    const { api, baseUrl } = settings;
    const options = {
      baseUrl,
      ...this.clientOptions(settings),
      onWarning: (warning: Warning) => {
        // Of a request that is only printed, there is no record.
        if (overrides.fetch !== undefined && warning.code === 'RECORD_DOUBTFUL') return;
        this.talk.warn(plainText(warning.message));
      },
      ...overrides,
    };
    if (api === 'v2') {
      const { V2Client } = await import('../v2/client.js');
      const { credentials } = settings;
      return new V2Client({ ...options, credentials, encoding: encodingOf(api, V2_ENCODINGS, encoding) });
    }
    const { WsClient } = await import('../ws/client.js');
    const { user, credentials } = settings;
    return new WsClient({ ...options, user, credentials, encoding: encodingOf(api, ENCODINGS, encoding) });
  }

  /**
   * Creates an activity, and remembers it as unfinished.
   * @throws AmbiguousCreateError when the answer got lost, or leaves open whether the activity is there all the same.
   */
  async create(service: ActivityService, request: ActivityRequest): Promise<Activity> {
    try {
      const activity = await service.create(request, this.abort);
      this.started(activity.id);
      const path = startedLogPath(this.io.env);
      if (path !== undefined && this.#account !== undefined) {
        const { activityType } = request;
        await noteStarted(path, startedActivity(this.clock.now(), activity, activityType, this.#account));
      }
      return activity;
    } catch (error) {
      const why = error instanceof AmbiguousCreateError ? undefined : whyMaybeCreated(error);
      if (why === undefined) throw error;
      throw new AmbiguousCreateError(`the activity may have been created, ${why}`, [], { cause: error });
    }
  }

  /** From now on, until it is finished, an interrupt tells how to take this activity, or these, up again. */
  started(activityId: string | readonly string[], then?: string): void {
    const ids = [activityId].flat();
    const wait = this.commandLine('wait', ...ids);
    const [which, goes] = ids.length > 1 ? ['activities', 'go'] : ['activity', 'goes'];
    this.#unfinished = {
      state: `${which} ${ids.join(', ')} ${goes} on at the service`,
      hint: `go on waiting: ${then === undefined ? wait : `${wait} && ${then}`}`,
      ready: false,
    };
  }

  /** From now on, whatever ends the run tells that the file of this finished export is still to be had, by this command. */
  fileLeft(activityId: string, command: string): void {
    this.#unfinished = {
      state: `the file of activity ${activityId} is not saved`,
      hint: `get it, without another export: ${command}`,
      ready: true,
    };
  }

  /** Nothing is left, or how to take it up again has been told. */
  settled(): void {
    this.#unfinished = undefined;
  }

  /** Watches an activity to its end, showing how it goes on. @throws WaitTimeoutError when the time is over. */
  async watch(service: ActivityService, activityId: string, options: WatchOptions): Promise<Activity> {
    if (this.#unfinished === undefined && options.ephemeral !== true) this.started(activityId);
    return this.#follow(watchActivity(service, activityId, this.#waiting(options)), options);
  }

  /** Watches several to the end of each, in the same way. */
  async watchAll(
    service: ActivityService,
    ids: readonly string[],
    options: WatchOptions,
  ): Promise<Activity[]> {
    const open = new Set(ids);
    this.started(ids);
    const onStatus = (activity: Activity) => {
      if (isFinished(activity) && open.delete(activity.id) && open.size > 0) this.started([...open]);
    };
    const progress = () => `${ids.length - open.size} of ${ids.length} finished; `;
    return this.#follow(
      watchActivities(service, ids, this.#waiting(options)),
      { ...options, onStatus },
      progress,
    );
  }

  #waiting({ minDelay, maxDelay, timeout, unconfirmedTimeout }: WatchOptions): WaitOptions {
    return {
      minDelay,
      maxDelay,
      timeout,
      unconfirmedTimeout,
      clock: this.clock,
      random: this.io.random,
      signal: this.io.signal,
      onUnknownStatus: (activity) => {
        this.talk.warn(
          activity.status === undefined
            ? 'the service tells no status of this activity; waiting on'
            : `the status ${plainText(activity.status)} is new to this program; waiting on`,
        );
      },
      onTrouble: (error) => {
        this.talk.progress(error.code, () => `${plainText(error.message)}; waiting on`);
      },
      onWarning: ({ message }) => {
        this.talk.warn(plainText(message));
      },
    };
  }

  async #follow<T>(
    watching: AsyncGenerator<Activity, T>,
    { onStatus, ephemeral = false }: WatchOptions,
    before = () => '',
  ): Promise<T> {
    const start = this.clock.now();
    try {
      for (;;) {
        const step = await watching.next();
        if (step.done === true) {
          this.settled();
          return step.value;
        }
        const activity = step.value;
        onStatus?.(activity);
        this.talk.progress(
          `${before()}${String(activity.status)}`,
          () => `${before()}${activityLine(activity, this.clock.now() - start)}`,
          ephemeral ? 'drawn' : 'now',
        );
      }
    } finally {
      this.talk.progressEnds();
    }
  }

  /** `ctct wait a07e… --user joesflowers`: a command line that means this service and account. */
  commandLine(...words: string[]): string {
    const { user, api, baseUrl } = this.#options;
    return this.#commandLine(words, { '--user': user, '--api': api, '--base-url': baseUrl });
  }

  /** The same of a command that works on the accounts of a plan. */
  planCommandLine(...words: string[]): string {
    return this.#commandLine(words, {});
  }

  #commandLine(words: readonly string[], account: Readonly<Record<string, string | undefined>>): string {
    const { config, profile } = this.#options;
    const flags = Object.entries({ '--config': config, '--profile': profile, ...account });
    const given = flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
    return [programName(this.io.env), ...[...words, ...given].map(shellWord)].join(' ');
  }
}

/** How the program was called, so that commands that are told can be copied: `npx ctct` when npx ran it. */
export function programName(env: CliIo['env']): string {
  return env.npm_command === 'exec' ? 'npx ctct' : 'ctct';
}

/** How the end of an activity that was waited for shows in the exit code. */
export function outcome(activity: Activity): Exit {
  if (hasFailed(activity)) return 'failure';
  return activity.errorCount > 0 ? 'rows' : 'ok';
}

/** The word as a shell reads it back. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
