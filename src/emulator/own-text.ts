/** The text by itself: engines cut strings by pointing into the long one, and a kept address would keep its upload. */
export function ownText(text: string): string {
  // Shorter ones are copied when they are cut.
  return text.length < 13 ? text : Buffer.from(text).toString();
}
