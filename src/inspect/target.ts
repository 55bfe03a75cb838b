import type { Target } from './describe.js';

/** The account and the resource that a URL names: of the ws dialect, or of v2, which names no account. */
export function targetOf({ pathname }: URL): Target {
  const segments = pathname.split('/').filter((segment) => segment !== '');
  if (segments[0] === 'v2') return { ...resourceOf(segments.slice(1)) };
  const [ws, customers, user, ...rest] = segments;
  if (ws?.toLowerCase() !== 'ws' || customers?.toLowerCase() !== 'customers' || user === undefined) return {};
  return { user: decoded(user), ...resourceOf(rest) };
}

function resourceOf(segments: readonly string[]): Target {
  const resource = segments.join('/');
  const activityId = /^activities\/(?:exportfiles\/)?([a-z0-9-]*[0-9][a-z0-9-]*)(?:\.(?:csv|txt))?$/i.exec(
    resource,
  )?.[1];
  return { resource, ...(activityId !== undefined && { activityId }) };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
