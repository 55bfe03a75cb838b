import type { Point } from './faults.js';

/** Follows one HTTP/1.1 message by its bytes: how long its head is, how long it will be, whether it is all there. */
export class HttpMeter {
  /** Bytes seen so far. */
  bytes = 0;
  #head = Buffer.alloc(0);
  #headLength: number | undefined;
  #bodyLength: number | undefined;
  #tail = '';

  take(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    this.#tail = (this.#tail + Buffer.from(chunk.subarray(-5)).toString('latin1')).slice(-5);
    if (this.#headLength !== undefined) return;
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end === -1) return;
    this.#headLength = end + 4;
    const head = this.#head.toString('latin1', 0, this.#headLength);
    const length = /\r\ncontent-length: *([0-9]+)/i.exec(head)?.[1];
    if (length !== undefined) this.#bodyLength = Number(length);
    else if (!/\r\ntransfer-encoding:/i.test(head)) this.#bodyLength = 0;
  }

  /** Bytes of the head, the empty line included; undefined until all of it came. */
  get headLength(): number | undefined {
    return this.#headLength;
  }

  /** Bytes of head and body; undefined while the head is not there, or when only the end of the body tells. */
  get total(): number | undefined {
    if (this.#headLength === undefined || this.#bodyLength === undefined) return undefined;
    return this.#headLength + this.#bodyLength;
  }

  get complete(): boolean {
    if (this.#headLength === undefined) return false;
    return this.total === undefined ? this.#tail === '0\r\n\r\n' : this.bytes >= this.total;
  }

  /** The byte that `point` means, of the whole message. */
  offset(point: Point): number {
    return 'bytes' in point ? point.bytes : Math.floor(point.share * (this.total ?? this.bytes));
  }

  /** The byte that `point` means, of the body, counted from the message's beginning. */
  bodyOffset(point: Point): number {
    const head = this.#headLength ?? 0;
    const body = (this.total ?? this.bytes) - head;
    return head + ('bytes' in point ? point.bytes : Math.min(body - 1, Math.floor(point.share * body)));
  }
}
