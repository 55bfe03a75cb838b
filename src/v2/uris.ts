/** The last path segment of the POST that asks for an activity. */
export const OPERATIONS = ['addcontacts', 'removefromlists', 'clearlists', 'exportcontacts'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** The URIs below an origin, such as `https://api.constantcontact.com`, without any key. */
export function v2Uris(origin: string) {
  const activities = `${origin}/v2/activities`;
  return {
    activities,
    activity: (id: string) => `${activities}/${encodeURIComponent(id)}`,
    /** Where a creation is POSTed to. */
    operation: (operation: Operation) => `${activities}/${operation}`,
    /** The file of an export, as records name it. */
    exportFile: (id: string) => `${activities}/exportfiles/${encodeURIComponent(id)}.csv`,
    lists: `${origin}/v2/lists`,
  };
}

export type V2Uris = ReturnType<typeof v2Uris>;

/** The id in a URI `…/v2/activities/<id>`; undefined for any other URI. */
export function activityIdOf(uri: string): string | undefined {
  const segment = /\/activities\/([^/?#]{1,400})\/?(?:[?#]|$)/.exec(uri.slice(0, 4096))?.[1];
  if (segment === undefined) return undefined;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
