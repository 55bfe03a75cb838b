import type { Activity } from '../activity/activity.js';
import { AmbiguousCreateError, ServiceError, TransportError } from '../activity/errors.js';
import type { ActivityRequest, Warning } from '../activity/request.js';
import type { ActivityService } from '../activity/service.js';
import { systemClock, type Clock } from '../clock.js';
import { secretsOf } from '../http/credentials.js';
import { watchActivity, type WaitOptions } from '../wait.js';
import type { Encoding } from '../ws/encoding.js';
import { readSettings, type Settings } from './config.js';
import type { Exit } from './exit-codes.js';
import type { CliIo } from './io.js';
import { Output, type OutputFormat } from './output.js';
import { activityLine } from './progress.js';
import { Talk } from './talk.js';
import { painter, plainText } from './terminal.js';

/** What holds for every command, from the global options. */
export interface SessionOptions {
  readonly output: OutputFormat;
  readonly quiet: boolean;
  readonly progress: boolean;
  readonly config: string | undefined;
  readonly user: string | undefined;
  readonly baseUrl: string | undefined;
}

export interface WatchOptions extends Pick<WaitOptions, 'minDelay' | 'maxDelay'> {
  /** Milliseconds to wait at most. */
  readonly timeout: number;
  readonly onStatus?: (activity: Activity) => void;
  /** The service ends with this run: nothing can be taken up again, and progress is only drawn, never printed. */
  readonly ephemeral?: boolean;
}

/** One run of one command: its data, its talk, and the service it works on. */
export class Session {
  readonly io: CliIo;
  readonly clock: Clock;
  readonly output: Output;
  readonly talk: Talk;
  readonly #options: SessionOptions;
  #secrets: readonly string[] = [];
  /** What goes on at the service if this run ends now, and the command that takes it up again. */
  #unfinished: { readonly activityId: string; readonly resume: string } | undefined;

  constructor(io: CliIo, options: SessionOptions) {
    this.io = io;
    this.#options = options;
    this.clock = io.clock ?? systemClock;
    this.output = new Output(io.stdout, options.output, painter(io.stdout, io.env));
    this.talk = new Talk(io.stderr, {
      env: io.env,
      quiet: options.quiet,
      progress: options.progress,
      secrets: () => this.#secrets,
    });
  }

  get unfinished(): { readonly activityId: string; readonly resume: string } | undefined {
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
  async service(encoding: Encoding = 'auto'): Promise<ActivityService> {
    const { config, user, baseUrl } = this.#options;
    const flags = {
      ...(user !== undefined && { user }),
      ...(baseUrl !== undefined && { baseUrl }),
      ...(config !== undefined && { config }),
    };
    const settings = await readSettings({ flags, env: this.io.env });
    this.#secrets = secretsOf(settings.credentials);
    return this.io.connect?.(settings) ?? this.connect(settings, encoding);
  }

  /** A client of the service that the settings name. */
  async connect(settings: Settings, encoding: Encoding = 'auto'): Promise<ActivityService> {
    const { WsClient } = await import('../ws/client.js');
    return new WsClient({
      user: settings.user,
      credentials: settings.credentials,
      ...(settings.baseUrl !== undefined && { baseUrl: settings.baseUrl }),
      allowHttp: settings.allowHttp,
      encoding,
      clock: this.clock,
      ...(this.io.fetch && { fetch: this.io.fetch }),
      ...(this.io.random && { random: this.io.random }),
      onWarning: (warning: Warning) => {
        this.talk.warn(plainText(warning.message));
      },
    });
  }

  /**
   * Creates an activity, and remembers it as unfinished.
   * @throws AmbiguousCreateError when the answer got lost, or leaves open whether the activity is there all the same.
   */
  async create(service: ActivityService, request: ActivityRequest): Promise<Activity> {
    try {
      const activity = await service.create(request, this.abort);
      this.started(activity.id);
      return activity;
    } catch (error) {
      const why = mayBeCreated(error);
      if (why === undefined) throw error;
      throw new AmbiguousCreateError(`the activity may have been created, ${why}`, [], { cause: error });
    }
  }

  /** From now on, until it is finished, an interrupt tells how to take this activity up again. */
  started(activityId: string, then?: string): void {
    const wait = this.commandLine('wait', activityId);
    this.#unfinished = { activityId, resume: then === undefined ? wait : `${wait} && ${then}` };
  }

  /** Watches an activity to its end, showing how it goes on. @throws WaitTimeoutError when the time is over. */
  async watch(service: ActivityService, activityId: string, options: WatchOptions): Promise<Activity> {
    const { onStatus, ephemeral = false, ...waiting } = options;
    if (this.#unfinished === undefined && !ephemeral) this.started(activityId);
    const start = this.clock.now();
    const watching = watchActivity(service, activityId, {
      ...waiting,
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
    });
    try {
      for (;;) {
        const step = await watching.next();
        if (step.done === true) {
          this.#unfinished = undefined;
          return step.value;
        }
        const activity = step.value;
        onStatus?.(activity);
        this.talk.progress(
          String(activity.status),
          () => activityLine(activity, this.clock.now() - start),
          ephemeral ? 'drawn' : 'now',
        );
      }
    } finally {
      this.talk.progressEnds();
    }
  }

  /** `ctct wait a07e… --user joesflowers`: a command line that means this service and account. */
  commandLine(...words: string[]): string {
    const { config, user, baseUrl } = this.#options;
    const flags = Object.entries({ '--config': config, '--user': user, '--base-url': baseUrl });
    const given = flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
    return [programName(this.io.env), ...[...words, ...given].map(shellWord)].join(' ');
  }
}

/**
 * Why it is not known whether a creation that failed has been done all the same; undefined when it has not. A service
 * that fails (500), or a proxy that lost it (502, 504), may have taken the request; one that is busy (429, 503) has not.
 */
function mayBeCreated(error: unknown): string | undefined {
  if (error instanceof TransportError && error.sent !== 'no') {
    return `since only the answer is missing: ${error.message}`;
  }
  if (error instanceof ServiceError && error.status >= 500 && error.status !== 503) {
    return `though the answer says no: ${error.message}`;
  }
  return undefined;
}

/** How the program was called, so that commands that are told can be copied: `npx ctct` when npx ran it. */
export function programName(env: CliIo['env']): string {
  return env.npm_command === 'exec' ? 'npx ctct' : 'ctct';
}

/** How the end of an activity that was waited for shows in the exit code. */
export function outcome(activity: Activity): Exit {
  if (activity.status === 'ERROR') return 'failure';
  return activity.errorCount > 0 ? 'rows' : 'ok';
}

/** The word as a shell reads it back. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
