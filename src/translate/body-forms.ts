export const BODY_FORMS = ['auto', 'json', 'multipart'] as const;
/** How contacts are sent: `auto` is JSON, but multipart where the contacts were a file, or JSON cannot hold them. */
export type BodyForm = (typeof BODY_FORMS)[number];
