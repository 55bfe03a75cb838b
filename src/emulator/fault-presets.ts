import type { FaultAction } from './faults.js';

/** Quirk: the gateway in front of the service said so with 403 (test/fixtures/ws/answers/over-queries-per-second). */
function gateway403(key: string, message: string, header: string): FaultAction {
  return {
    type: 'status',
    status: 403,
    headers: { 'content-type': 'application/json', 'x-mashery-error-code': header },
    body: JSON.stringify({ error_key: `mashery.not.authorized.over.${key}`, error_message: message }),
  };
}

function plain(status: number, body: string, headers: Readonly<Record<string, string>> = {}): FaultAction {
  return {
    type: 'status',
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
    body: `${body}\n`,
  };
}

const LOGIN_PAGE = `<!DOCTYPE html>
<html><head><title>Log in</title></head>
<body><h1>Log in to go on</h1><form method="post"><input name="user"><input name="password" type="password"></form></body></html>
`;

/** Faults that integrations met, by name. */
export const FAULT_PRESETS = {
  qps403: {
    what: 'too many requests in a second, as the gateway said it',
    action: gateway403(
      'qps',
      'The Mashery account associated with this request is over its queries-per-second quota.',
      'ERR_403_DEVELOPER_OVER_QPS',
    ),
  },
  ratelimit403: {
    what: 'too many requests in a day, as the gateway said it',
    action: gateway403(
      'ratelimit',
      'The Mashery account associated with this request is over its rate limit.',
      'ERR_403_DEVELOPER_OVER_RATE',
    ),
  },
  status429: {
    what: '429 with Retry-After',
    action: plain(429, 'Too many other requests are in progress.', { 'retry-after': '2' }),
  },
  status500: { what: 'the service failed', action: plain(500, 'Internal Server Error') },
  status503: {
    what: 'the service is down for a while, with Retry-After',
    action: plain(503, 'Service Unavailable', { 'retry-after': '5' }),
  },
  login: {
    what: 'a login page with status 200 in place of the answer',
    action: { type: 'status', status: 200, headers: { 'content-type': 'text/html' }, body: LOGIN_PAGE },
  },
  slow: { what: 'the answer comes after 5 seconds', action: { type: 'delay', time: '5s' } },
  stall: { what: 'the answer never comes', action: { type: 'stall' } },
  stallMidway: { what: 'the answer stops after 100 bytes', action: { type: 'stall', after: 100 } },
  reset: { what: 'the connection is reset, and nothing done', action: { type: 'reset' } },
  truncate: {
    what: 'the connection ends after 100 bytes of the answer',
    action: { type: 'truncate', after: 100 },
  },
  malformed: { what: 'the answer is no well-formed XML', action: { type: 'malformed' } },
  contentType: {
    what: 'the answer says it is HTML',
    action: { type: 'contentType', value: 'text/html' },
  },
  lostAnswer: {
    what: 'the request is carried out, but the answer is lost',
    action: { type: 'lostAnswer' },
  },
} as const satisfies Record<string, { what: string; action: FaultAction }>;

/** The name of a fault that is kept ready. */
export type FaultPreset = keyof typeof FAULT_PRESETS;
