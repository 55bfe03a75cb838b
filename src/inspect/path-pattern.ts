/** A path as rules and filters look at it. */
export interface SeenPath {
  readonly path: string;
  readonly resource?: string | undefined;
}

/**
 * Whether a path is meant. `*` stands for any characters within a segment, `**` for any at all. A pattern that begins
 * with a slash is compared with the whole path, any other with what is below the account: `activities`, `activities/*`.
 */
export function pathMatcher(pattern: string): (seen: SeenPath) => boolean {
  const tokens = pattern.toLowerCase().match(/\*\*?|[^*]/gsu) ?? [];
  return pattern.startsWith('/')
    ? ({ path }) => matches(tokens, path)
    : ({ resource }) => resource !== undefined && matches(tokens, resource);
}

/** By all places of the pattern that the text may be at, since a regular expression of many stars never comes to an end. */
function matches(tokens: readonly string[], text: string): boolean {
  let places = behindStars(tokens, [0]);
  for (const character of text.toLowerCase()) {
    const next: number[] = [];
    for (const place of places) {
      const token = tokens[place];
      if (token === '**' || (token === '*' && character !== '/')) next.push(place);
      else if (token === character) next.push(place + 1);
    }
    places = behindStars(tokens, next);
  }
  return places.has(tokens.length);
}

/** The places, and those behind the stars there, which may stand for nothing. */
function behindStars(tokens: readonly string[], places: readonly number[]): Set<number> {
  const all = new Set<number>();
  for (let place of places) {
    for (all.add(place); tokens[place]?.startsWith('*') === true; all.add(place)) place++;
  }
  return all;
}
