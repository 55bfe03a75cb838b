/**
 * What an HTML page is, in words to end a message with, where something else was expected; undefined for any other text.
 * Somebody on the way has answered then, or the session of a user who is to sign in.
 */
export function describePage(text: string): string | undefined {
  const page = text.slice(0, MOST_READ);
  if (!/^<(?:!doctype\s+html\b|html[\s>])/i.test(afterComments(page))) return undefined;
  const title = /<title[^>]*>([^<]{1,200})/i.exec(page)?.[1] ?? '';
  const shown = title.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  const titled = shown === '' ? '' : ` titled "${shown.slice(0, 100)}"`;
  return `an HTML page${titled}; this looks like a proxy or a login page`;
}

/** Characters; a page shows what it is before. */
const MOST_READ = 10_000;

/** The text from its first element or DOCTYPE on: an XML declaration and comments may stand before. */
function afterComments(text: string): string {
  let rest = text.replace(/^\ufeff/, '').trimStart();
  rest = rest.replace(/^<\?xml[^>]*>/i, '').trimStart();
  while (rest.startsWith('<!--')) {
    const end = rest.indexOf('-->', 4);
    if (end < 0) return '';
    rest = rest.slice(end + 3).trimStart();
  }
  return rest;
}
