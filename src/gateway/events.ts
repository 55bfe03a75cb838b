import type { Activity, KnownActivityType } from '../activity/activity.js';
import type { ErrorCode } from '../activity/errors.js';
import type { GatewayWarning } from './warnings.js';

/**
 * What the gateway does, as it does it, for logs and figures. No secret and no contact data is in it: messages of the
 * service, which may quote what was uploaded, are left out; an API key is told by a hash of it. Times are milliseconds since
 * 1970, durations milliseconds.
 */
export type GatewayEvent = { readonly at: number } & (
  | { readonly event: 'started'; readonly open: number; readonly swept: number }
  | { readonly event: 'closed'; readonly open: number }
  | (OfActivity & {
      /** A request was taken: from here on it is not lost. */
      readonly event: 'accepted';
      readonly type: KnownActivityType;
      /** Of the upload as it is kept; 0 where there is none. */
      readonly bytes: number;
    })
  /** What v2 does not keep of the upload, in words without contact data. */
  | (OfActivity & { readonly event: 'warned'; readonly warnings: readonly GatewayWarning[] })
  /** A request was not taken. */
  | {
      readonly event: 'refused';
      readonly user: string;
      readonly code: ErrorCode;
      readonly status: number | undefined;
    }
  /** A part, from 1, was taken by v2. */
  | (OfActivity & {
      readonly event: 'submitted';
      readonly part: number;
      readonly parts: number;
      readonly upstream: string;
    })
  /** Nobody knows whether a part, from 1, was sent before a crash: it is looked for at v2, which takes a while. */
  | (OfActivity & { readonly event: 'searching'; readonly part: number })
  | (OfActivity & { readonly event: 'followed'; readonly status: string })
  | (OfActivity & {
      readonly event: 'finished';
      readonly type: KnownActivityType;
      readonly status: 'COMPLETE' | 'ERROR';
      readonly transactionCount: Activity['transactionCount'];
      readonly errorCount: number;
      /** From the acceptance on. */
      readonly took: number;
    })
  /** What v2 was asked; without `code` it worked. */
  | {
      readonly event: 'called';
      readonly key: string;
      readonly user: string;
      readonly operation: UpstreamOperation;
      readonly took: number;
      readonly code: ErrorCode | undefined;
      readonly status: number | undefined;
    }
  /** v2 answers no more; asked again at `until`. */
  | { readonly event: 'upstreamDown'; readonly key: string; readonly code: ErrorCode; readonly until: number }
  | { readonly event: 'upstreamUp'; readonly key: string; readonly downFor: number }
  /** Something goes on at `until`, after a failure that may pass or since the calls are used up. */
  | (OfActivity & { readonly event: 'waiting'; readonly code: ErrorCode; readonly until: number })
  | { readonly event: 'purged'; readonly activities: number; readonly files: number }
  /** The gateway's own trouble: a disk that is full, an account that is gone. */
  | { readonly event: 'trouble'; readonly code: ErrorCode | 'UNEXPECTED'; readonly message: string }
);

interface OfActivity {
  readonly user: string;
  readonly activity: string;
}

/** What a gateway calls v2 for. */
export type UpstreamOperation = 'create' | 'list' | 'get' | 'download' | 'lists';

/** An event less its time. */
export type UntimedEvent = GatewayEvent extends infer E
  ? E extends GatewayEvent
    ? Omit<E, 'at'>
    : never
  : never;

export type Tell = (event: UntimedEvent) => void;
