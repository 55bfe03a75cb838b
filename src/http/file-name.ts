/** Names that Windows takes for devices, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?=\.|$)/i;

/** Room for `.part` and for a number within the 255 bytes that file systems allow. */
const MOST_BYTES = 200;

/**
 * A bare file name made of `name`, which may be anything the service wrote; `download` when nothing is left of it.
 *
 * The last segment of a path or URL only; no drive letter, no control or direction-changing character, nothing that
 * Windows refuses, no dot, hyphen or blank at the start, no dot or blank at the end, no device name; at most 200 bytes
 * of UTF-8. A safe name stays as it is.
 */
export function safeFileName(name: string): string {
  const segments = name.split(/[/\\]/).map(clean);
  const last = segments.findLast((segment) => segment !== '') ?? '';
  const safe = trim(shorten(last));
  if (safe === '') return 'download';
  return DEVICE.test(safe) ? `_${safe}` : safe;
}

function clean(segment: string): string {
  return trim(
    segment
      .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
      .replace(/^[A-Za-z]:/, '')
      .replace(/[<>:"|?*]/g, '_'),
  );
}

function trim(text: string): string {
  return text.replace(/^[\s.-]+/, '').replace(/[\s.]+$/, '');
}

/** At most MOST_BYTES bytes; a short extension is kept. */
function shorten(text: string): string {
  if (Buffer.byteLength(text) <= MOST_BYTES) return text;
  const extension = /\.[^.\s]{1,10}$/.exec(text)?.[0] ?? '';
  let room = MOST_BYTES - Buffer.byteLength(extension);
  let stem = '';
  for (const character of text.slice(0, text.length - extension.length)) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    stem += character;
  }
  return trim(stem) + extension;
}
