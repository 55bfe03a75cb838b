/**
 * How a request is written: `auto` takes multipart for files, for .xls, for data over 1 MiB and for data that are not
 * UTF-8, else the urlencoded form.
 */
export const ENCODINGS = ['auto', 'form', 'multipart'] as const;
/** How uploads to ws are written. */
export type Encoding = (typeof ENCODINGS)[number];
