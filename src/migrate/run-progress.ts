import type { RunEvent } from './run.js';

interface AccountProgress {
  readonly account: string;
  readonly parts: number;
  finished: number;
  readonly rows: number;
  rowsFinished: number;
  /** It is neither finished, nor held, nor given up. */
  open: boolean;
  /** What goes on, in a word, and since when. */
  now: string | undefined;
}

/** How far a run has come, and how long it may take still, from what it tells. Times are milliseconds since 1970. */
export class RunProgress {
  readonly #accounts = new Map<string, AccountProgress>();
  readonly #rows: ReadonlyMap<string, number>;
  readonly #jobs: number;
  /** When the request of each part was sent that goes on. */
  readonly #sent = new Map<string, number>();
  /** Parts that were sent and finished in this run, and the milliseconds they took together. */
  #done = 0;
  #took = 0;

  /** @param rows of each part */
  constructor(rows: ReadonlyMap<string, number>, jobs: number) {
    this.#rows = rows;
    this.#jobs = jobs;
  }

  take(event: RunEvent, now: number): void {
    if (event.event === 'began') {
      for (const { account, parts, partsFinished, rows, rowsFinished, state } of event.accounts) {
        const progress = { account, parts, finished: partsFinished, rows, rowsFinished, now: undefined };
        this.#accounts.set(account, { ...progress, open: state === 'open' });
      }
      return;
    }
    const name = typeof event.account === 'string' ? event.account : event.account.account;
    const account = this.#accounts.get(name);
    if (account === undefined) return;
    switch (event.event) {
      case 'part':
        account.now = event.state === 'finished' ? undefined : event.state;
        this.#part(account, event, now);
        break;
      case 'status':
        account.now = event.activity.status ?? 'created';
        break;
      case 'lists':
        account.now = event.when === 'before' ? 'reading lists' : 'comparing lists';
        break;
      case 'trouble':
        account.now = 'waiting';
        break;
      case 'account':
        account.open = false;
        account.now = undefined;
        account.finished = event.account.partsFinished;
        account.rowsFinished = event.account.rowsFinished;
        break;
    }
  }

  #part(
    account: AccountProgress,
    { part, state }: Extract<RunEvent, { readonly event: 'part' }>,
    now: number,
  ): void {
    if (state === 'sending') this.#sent.set(part, now);
    if (state !== 'finished') return;
    account.finished++;
    account.rowsFinished += this.#rows.get(part) ?? 0;
    const since = this.#sent.get(part);
    if (since === undefined) return;
    this.#sent.delete(part);
    this.#done++;
    this.#took += now - since;
  }

  get totals() {
    const all = [...this.#accounts.values()];
    const sum = (of: 'parts' | 'finished' | 'rows' | 'rowsFinished') =>
      all.reduce((total, account) => total + account[of], 0);
    return {
      accounts: all.length,
      accountsDone: all.filter(({ open }) => !open).length,
      parts: sum('parts'),
      finished: sum('finished'),
      rows: sum('rows'),
      rowsFinished: sum('rowsFinished'),
    };
  }

  /** The accounts that are worked on. */
  get active(): readonly Readonly<AccountProgress>[] {
    return [...this.#accounts.values()].filter(({ open, now }) => open && now !== undefined);
  }

  /**
   * Milliseconds until all that can go on is finished, at the rate so far; undefined before there is one. Accounts go side
   * by side, the parts of one do not.
   */
  timeLeft(): number | undefined {
    if (this.#done === 0) return undefined;
    const each = this.#took / this.#done;
    const left = [...this.#accounts.values()]
      .filter(({ open }) => open)
      .map(({ parts, finished }) => parts - finished);
    const all = left.reduce((sum, parts) => sum + parts, 0);
    return each * Math.max(all / this.#jobs, ...left, 0);
  }
}
