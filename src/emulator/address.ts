/** Characters an address may have at most, as the successors of the ws API document it. */
const LONGEST = 80;

/** RFC 5322 dot-atom, without quoted strings: 1 to 64 characters. */
const LOCAL = /^(?=.{1,64}$)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
/** RFC 1123 labels, two or more, the last of them not a number. */
const DOMAIN =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?=[A-Za-z])[A-Za-z0-9-]{0,61}[A-Za-z0-9]$/;

/**
 * True for `local@domain.tld` in ASCII, of at most 80 characters: one `@`; a local part of up to 64 characters with no
 * blank, no quotes, and no dot at either end or next to another; a domain with at least one dot.
 */
export function isEmailAddress(text: string): boolean {
  if (text.length > LONGEST) return false;
  const at = text.indexOf('@');
  return at > 0 && LOCAL.test(text.slice(0, at)) && DOMAIN.test(text.slice(at + 1));
}

/** What addresses are compared by: case does not matter in any part of them. */
export function addressKey(address: string): string {
  return address.toLowerCase();
}
