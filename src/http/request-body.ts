import { ServiceError } from '../activity/errors.js';

/**
 * The body of a request that came in.
 * @param limit bytes
 * @throws ServiceError 413 for a larger one, before it is read where it says so itself.
 */
export async function readRequestBody(request: Request, limit: number): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const body: AsyncIterable<Uint8Array> | null = request.body;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > limit) throw tooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(limit: number): ServiceError {
  const detail = `The request body is larger than ${limit} bytes; send the contacts in several activities`;
  return new ServiceError('SERVICE_REFUSED', detail, { status: 413, detail });
}
