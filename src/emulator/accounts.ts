import { UsageError } from '../activity/errors.js';
import type { AccountState } from './account-state.js';
import type { EmulatedAccount } from './account.js';
import type { AccountSeed } from './seed.js';

/** The accounts of an emulator, by user, in the order they came. */
export class Accounts {
  readonly #make: (seed: AccountSeed) => EmulatedAccount;
  /** Those that were there from the beginning. */
  readonly #first: readonly EmulatedAccount[];
  #accounts = new Map<string, EmulatedAccount>();

  /** @throws UsageError when a seed cannot be meant, or two accounts have the same user. */
  constructor(seeds: readonly AccountSeed[], make: (seed: AccountSeed) => EmulatedAccount) {
    this.#make = make;
    this.#first = seeds.map(make);
    this.#accounts = byUser(this.#first);
  }

  /** In any case and percent-encoded or not. */
  get(user: string): EmulatedAccount | undefined {
    return this.#accounts.get(decoded(user).toLowerCase());
  }

  all(): EmulatedAccount[] {
    return [...this.#accounts.values()];
  }

  /** Adds an account, in place of the one that user may have. */
  put(seed: AccountSeed): EmulatedAccount {
    const account = this.#make(seed);
    this.#accounts.set(account.user.toLowerCase(), account);
    return account;
  }

  /** Takes the first accounts back to their seeds, and forgets those that came later. */
  reset(): void {
    for (const account of this.#first) account.reset();
    this.#accounts = byUser(this.#first);
  }

  snapshot(): AccountState[] {
    return this.all().map((account) => account.snapshot());
  }

  /**
   * What has exactly these accounts, as they were, once nothing can go wrong any more; one that is not known yet takes any
   * credentials.
   * @throws UsageError when one of them cannot be brought back.
   */
  prepareRestore(states: readonly AccountState[]): () => void {
    const prepared = states.map((state) => {
      const account = this.get(state.user) ?? this.#make({ user: state.user });
      return { account, bringBack: account.prepareRestore(state) };
    });
    const accounts = byUser(prepared.map(({ account }) => account));
    return () => {
      for (const { bringBack } of prepared) bringBack();
      this.#accounts = accounts;
    };
  }
}

function byUser(accounts: readonly EmulatedAccount[]): Map<string, EmulatedAccount> {
  const all = new Map<string, EmulatedAccount>();
  for (const account of accounts) {
    const key = account.user.toLowerCase();
    if (all.has(key)) {
      throw new UsageError(
        'OPTION_INVALID',
        `accounts: there are two accounts ${account.user}; users differ by more than case`,
      );
    }
    all.set(key, account);
  }
  return all;
}

function decoded(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    // A stray % is part of the name.
    return user;
  }
}
