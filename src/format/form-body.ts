import type { RequestBody } from './body.js';
import { encodeForm, percentEncodeBytes, type FormParameter } from './form.js';

/** UTF-8 text that is read when it is sent, and can be read again. */
export interface TextSource {
  readonly replayable: boolean;
  open(): AsyncIterable<Uint8Array>;
}

/**
 * The parameters as a body, as `encodeForm` writes them; the text of a source is encoded while it is sent, and never in
 * memory as a whole. Each source is read once beforehand, to count.
 * @throws what reading the source throws
 */
export async function formBody(
  contentType: string,
  parameters: readonly (FormParameter | readonly [name: string, source: TextSource])[],
): Promise<RequestBody> {
  const pieces: (Buffer | TextSource)[] = [];
  let length = 0;
  for (const [name, value] of parameters) {
    const separator = pieces.length === 0 ? '' : '&';
    const text = encodeForm([[name, typeof value === 'string' ? value : '']]);
    pieces.push(Buffer.from(separator + text));
    if (typeof value !== 'string') pieces.push(value);
  }
  for (const piece of pieces) {
    for await (const bytes of encoded(piece)) length += bytes.length;
  }
  return {
    contentType,
    length,
    replayable: pieces.every((piece) => !('open' in piece) || piece.replayable),
    async *open() {
      for (const piece of pieces) yield* encoded(piece);
    },
  };
}

async function* encoded(piece: Buffer | TextSource): AsyncGenerator<Uint8Array> {
  if ('open' in piece) {
    for await (const bytes of piece.open()) yield percentEncodeBytes(bytes, '+');
  } else {
    yield piece;
  }
}
