/** The Response of the engine, less what its body can be read by: to the compiler these are no methods to override. */
type Head = Pick<Response, 'status' | 'statusText' | 'headers'>;
const EngineResponse = Response as unknown as new (body: null, init?: ResponseInit) => Head;

/**
 * A Response whose body is there as a whole. The engine's copies the bytes and makes a stream of them at once, which costs
 * more than all the rest of an answer; here that is done when somebody reads them, and `serve` does not.
 */
class WholeResponse extends EngineResponse {
  readonly #bytes: Uint8Array;
  #reader: Response | undefined;

  constructor(bytes: Uint8Array, init?: ResponseInit) {
    super(null, init);
    this.#bytes = bytes;
  }

  get unread(): Uint8Array | undefined {
    return this.#reader === undefined ? this.#bytes : undefined;
  }

  #read(): Response {
    const { status, statusText, headers } = this;
    this.#reader ??= new Response(this.#bytes, { status, statusText, headers });
    return this.#reader;
  }

  get body() {
    return this.#read().body;
  }

  get bodyUsed() {
    return this.#reader?.bodyUsed ?? false;
  }

  arrayBuffer() {
    return this.#read().arrayBuffer();
  }

  blob() {
    return this.#read().blob();
  }

  json() {
    return this.#read().json();
  }

  text() {
    return this.#read().text();
  }

  clone() {
    return this.#read().clone();
  }
}

/** A Response with this body, for servers: `serve` sends the bytes as they are. They must not change afterwards. */
export function wholeResponse(body: Uint8Array, init?: ResponseInit): Response {
  return new WholeResponse(body, init) as unknown as Response;
}

/** The body of a Response that `wholeResponse` made and nobody reads; undefined of any other. */
export function wholeBody(response: Response): Uint8Array | undefined {
  return response instanceof WholeResponse ? response.unread : undefined;
}
