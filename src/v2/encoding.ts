/**
 * How contacts are sent: `json`, or `multipart` with a CSV file. `auto` takes JSON for rows, and multipart for files, text,
 * bytes and streams; also for rows that are too large as JSON, or have a country that is not a code of two letters, which
 * JSON calls for.
 */
export const V2_ENCODINGS = ['auto', 'json', 'multipart'] as const;
/** How uploads to v2 are written. */
export type V2Encoding = (typeof V2_ENCODINGS)[number];
