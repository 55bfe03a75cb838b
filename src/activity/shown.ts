/** A value as an error shows it: on one line, at most 120 characters of a text, of an object no more than its kind. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 120 ? `${value.slice(0, 119)}…` : value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return 'an array';
      if (value instanceof URL) return 'a URL';
      return value instanceof Date ? 'a Date' : 'an object';
    case 'function':
      return 'a function';
    default:
      return String(value);
  }
}
