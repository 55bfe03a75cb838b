/**
 * A copy of the text, at most `limit` UTF-16 units long (a cut text ends in `…`), that shares no memory with where it
 * came from: engines cut strings by pointing into the long one, and a kept word would keep the whole document.
 */
export function ownText(text: string, limit: number): string {
  return Buffer.from(cutText(text, limit), 'utf16le').toString('utf16le');
}

/** The text, cut to at most `limit` UTF-16 units, the last then being `…`; no surrogate pair is cut in half. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit - 1);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}
