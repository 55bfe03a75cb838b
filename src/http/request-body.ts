import { ServiceError } from '../activity/errors.js';

/**
 * The body of a request that came in.
 * @param limit bytes
 * @throws ServiceError 413 for a larger one, before it is read where it says so itself.
 */
export async function readRequestBody(request: Request, limit: number): Promise<Uint8Array> {
  const announced = Number(request.headers.get('content-length') ?? 0);
  if (announced > limit) throw tooLarge(limit);
  // In one place from the beginning, since large bodies in many pieces keep the garbage collector busy.
  let bytes = Buffer.allocUnsafeSlow(announced > 0 ? announced : 0);
  let length = 0;
  const body: AsyncIterable<Uint8Array> | null = request.body;
  for await (const chunk of body ?? []) {
    const end = length + chunk.length;
    if (end > limit) throw tooLarge(limit);
    if (end > bytes.length) bytes = enlarged(bytes, Math.min(limit, Math.max(end, 2 * bytes.length)));
    bytes.set(chunk, length);
    length = end;
  }
  return bytes.subarray(0, length);
}

function enlarged(bytes: Uint8Array, size: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(size);
  larger.set(bytes);
  return larger;
}

function tooLarge(limit: number): ServiceError {
  const detail = `The request body is larger than ${limit} bytes; send the contacts in several activities`;
  return new ServiceError('SERVICE_REFUSED', detail, { status: 413, detail });
}
