import type { Activity } from '../activity/activity.js';
import { formatInstant } from '../format/instant.js';
import type { PageLinks } from './atom-writer.js';
import type { Call } from './call.js';
import type { QuirkSet } from './quirks.js';
import { encodeEntry, encodeFeed, encodeFeedEntry } from './records.js';

/** An entry of a page as it was written for a frame. */
interface WrittenEntry {
  readonly quirks: QuirkSet;
  readonly uri: string;
  readonly bytes: Uint8Array;
}

/** An entry that stands by itself; the time of the feed that it comes from is `updated`, and stands at the byte `at`. */
interface WrittenAlone extends WrittenEntry {
  readonly user: string;
  readonly at: number;
  readonly updated: string;
}

/** A page as it was written; `at` is the byte where the time of the feed stands in it, `updated` that time. */
interface WrittenPage {
  readonly quirks: QuirkSet;
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly updated: string;
}

/** The pages of an account that are right as long as its activities are of this version. */
interface WrittenPages {
  readonly version: number;
  readonly pages: Map<string, WrittenPage>;
}

const OPEN = '<updated>';
const END = '</feed>';
/** Pages that are kept of one account. */
const MOST_PAGES = 500;

/**
 * Writes pages of activities as `encodeFeed` does, and single ones as `encodeEntry` does, byte for byte, and does not write
 * again what has not changed: an `Activity` never does, so that its entry is kept as long as whoever holds the account keeps
 * the object; and a page is kept as long as the account says that its activities are the same.
 */
export class FeedPages {
  readonly #entries = new WeakMap<Activity, WrittenEntry>();
  readonly #alone = new WeakMap<Activity, WrittenAlone>();
  readonly #accounts = new WeakMap<Call['account'], WrittenPages>();

  /** The page that a request asks for, if it was written before and is right still. */
  find(call: Call): Uint8Array | undefined {
    const { account, quirks, frame } = call;
    const kept = this.#accounts.get(account);
    if (kept === undefined || kept.version !== account.activitiesVersion) return undefined;
    const key = keyOf(call);
    const page = kept.pages.get(key);
    if (page?.quirks !== quirks) return undefined;
    const updated = formatInstant(frame.updated);
    if (page.updated === updated) return page.bytes;
    const bytes = atTime(page, updated);
    kept.pages.set(key, { ...page, bytes, updated });
    return bytes;
  }

  /** @param publish as for `write` */
  alone(call: Call, activity: Activity, publish: (activity: Activity) => Activity): Uint8Array {
    const { quirks, frame } = call;
    const updated = formatInstant(frame.updated);
    const uri = frame.uris.activities;
    const known = this.#alone.get(activity);
    const same = known?.quirks === quirks && known.uri === uri && known.user === frame.user;
    if (same && known.updated === updated) return known.bytes;
    const bytes = same ? atTime(known, updated) : Buffer.from(encodeEntry(publish(activity), frame));
    // What tells of the feed comes last.
    const at = same ? known.at : bytes.lastIndexOf(updated);
    this.#alone.set(activity, { quirks, uri, user: frame.user, bytes, at, updated });
    return bytes;
  }

  /**
   * @param version that of the account's activities before they were read; undefined where it tells none.
   * @param publish makes of an activity what the outside knows; it must always make the same of the same.
   */
  write(
    call: Call,
    version: number | undefined,
    activities: readonly Activity[],
    links: PageLinks,
    publish: (activity: Activity) => Activity,
  ): Uint8Array {
    const { quirks, frame, account } = call;
    // An entry is written by itself, where no prefix is declared.
    if (!quirks.defaultNamespaces) return Buffer.from(encodeFeed(activities.map(publish), frame, links));
    const around = encodeFeed([], frame, links);
    const entries = activities.map((activity) => this.#entry(call, activity, publish));
    const bytes = Buffer.concat([Buffer.from(around.slice(0, -END.length)), ...entries, Buffer.from(END)]);
    if (version === undefined) return bytes;
    let kept = this.#accounts.get(account);
    if (kept?.version !== version || kept.pages.size >= MOST_PAGES) {
      kept = { version, pages: new Map() };
      this.#accounts.set(account, kept);
    }
    const at = bytes.indexOf(OPEN) + OPEN.length;
    kept.pages.set(keyOf(call), { quirks, bytes, at, updated: formatInstant(frame.updated) });
    return bytes;
  }

  #entry(call: Call, activity: Activity, publish: (activity: Activity) => Activity): Uint8Array {
    const { quirks, frame } = call;
    const uri = frame.uris.activities;
    const known = this.#entries.get(activity);
    if (known?.quirks === quirks && known.uri === uri) return known.bytes;
    const bytes = Buffer.from(encodeFeedEntry(publish(activity), frame));
    this.#entries.set(activity, { quirks, uri, bytes });
    return bytes;
  }
}

/** The same at another time; all times are of one length. */
function atTime({ bytes, at }: { readonly bytes: Uint8Array; readonly at: number }, updated: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.write(updated, at, 'latin1');
  return copy;
}

/** All that a page depends on, the quirks and the activities aside. */
function keyOf({ frame, url, pageSize }: Call): string {
  return `${frame.uris.activities} ${frame.user} ${pageSize} ${url.pathname}${url.search}`;
}
