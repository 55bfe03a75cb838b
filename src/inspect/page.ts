import { INSPECTOR_HTML } from './page-html.js';
import { INSPECTOR_SCRIPT } from './page-script.js';
import { INSPECTOR_STYLE } from './page-style.js';

/** Nothing but the page's own three files, and talk with its own origin. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#1d5ca8"/>' +
  '<path d="M4 5h8M4 8h8M4 11h5" stroke="#fff" stroke-width="1.6" stroke-linecap="round"/></svg>\n';

const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  '': ['text/html; charset=utf-8', INSPECTOR_HTML],
  'page.css': ['text/css; charset=utf-8', INSPECTOR_STYLE],
  'page.js': ['text/javascript; charset=utf-8', INSPECTOR_SCRIPT],
  'icon.svg': ['image/svg+xml', ICON],
};

/**
 * A file of the page that shows an `InspectorState`, by its path below the page's own; undefined when it has none there.
 * The page asks for `state` beside itself, and posts to `clock`, `faults`, `reset` and `activities/…` when the state
 * says that it may. It makes no HTML of what it is told: every value is text.
 */
export function inspectorPage(path: string): Response | undefined {
  const file = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
  if (file === undefined) return undefined;
  return new Response(file[1], {
    headers: {
      'content-type': file[0],
      'content-security-policy': POLICY,
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    },
  });
}
