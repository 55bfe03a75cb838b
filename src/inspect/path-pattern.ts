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
  const source = pattern
    .split(/(\*\*?)/)
    .map((part) => {
      if (part === '**') return '.*';
      return part === '*' ? '[^/]*' : part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&');
    })
    .join('');
  const expression = new RegExp(`^${source}$`, 'i');
  return pattern.startsWith('/')
    ? ({ path }) => expression.test(path)
    : ({ resource }) => resource !== undefined && expression.test(resource);
}
