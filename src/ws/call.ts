import type { ContactDirectory } from '../activity/directory.js';
import { ServiceError } from '../activity/errors.js';
import type { ActivityService } from '../activity/service.js';
import { wholeResponse } from '../http/whole.js';
import { ATOM_MEDIA_TYPE } from './names.js';
import type { QuirkSet } from './quirks.js';
import type { DocumentFrame } from './records.js';

/** An account as a server serves it. */
export type WsAccount = ActivityService & {
  /** The user as the account spells it; default: as the request did. */
  readonly user?: string | undefined;
  /**
   * Changes whenever one of its activities does, be it by the clock; pages of the same version are not made anew. Default:
   * every page is.
   */
  readonly activitiesVersion?: number | undefined;
  /** Its lists and contacts one at a time; default: they are not served, lists are only read. */
  readonly directory?: ContactDirectory | undefined;
};

/** One request on its way to what it asks for. */
export interface Call {
  readonly request: Request;
  readonly url: URL;
  readonly account: WsAccount;
  readonly frame: DocumentFrame;
  readonly quirks: QuirkSet;
  readonly pageSize: number;
  /** The request's body, of no more than the largest size. */
  body(): Promise<Uint8Array>;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Matches what stands below `/ws/customers/<user>/`; its groups are the ids that `act` is given, decoded. */
  readonly path: RegExp;
  act(call: Call, id: string): Promise<Response>;
}

export function atom(
  call: Call,
  xml: string | Uint8Array,
  status = 200,
  headers: Record<string, string> = {},
): Response {
  return xmlAnswer(call, xml, ATOM_MEDIA_TYPE, status, headers);
}

/**
 * Quirk: `noCharset`: a client that went by the Content-Type took the documents for Latin-1
 * (test/fixtures/ws/quirks/no-charset).
 */
export function xmlAnswer(
  call: Call,
  xml: string | Uint8Array,
  mediaType: string,
  status = 200,
  headers: Record<string, string> = {},
): Response {
  const type = call.quirks.noCharset ? mediaType : `${mediaType}; charset=UTF-8`;
  return wholeResponse(typeof xml === 'string' ? Buffer.from(xml) : xml, {
    status,
    headers: { 'content-type': type, ...headers },
  });
}

export function notFound(pathname: string): ServiceError {
  const detail = `There is nothing at ${pathname.slice(0, 200)}`;
  return new ServiceError('NOT_FOUND', detail, { status: 404, detail });
}

export function refused(status: number, detail: string): ServiceError {
  return new ServiceError('SERVICE_REFUSED', detail, { status, detail });
}

export function decodePath(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw refused(400, `the path segment "${segment.slice(0, 80)}" is not percent-encoded UTF-8`);
  }
}
