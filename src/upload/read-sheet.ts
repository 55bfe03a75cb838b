import { TransportError, UsageError } from '../activity/errors.js';
import { packageMissing } from '../optional.js';
import { startWorker } from '../worker.js';
import type { ContactSource } from './contact-source.js';
import {
  SHEET_LIMITS,
  type SheetAnswer,
  type SheetLimits,
  type SheetOrder,
  type SheetText,
} from './sheet.js';

export interface ReadSheetOptions {
  /** What errors call the file. */
  readonly name: string;
  readonly limits?: SheetLimits | undefined;
  /** Milliseconds that it may take. Default 60 seconds. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * True for what programs made as spreadsheets, whatever its name says: .xls (since 1987) and .xlsx, and the XML and HTML that
 * is sent under the name .xls. Text is none, be it called so.
 */
export async function isSpreadsheet(source: ContactSource): Promise<boolean> {
  for await (const chunk of source.read(0)) {
    const head = Buffer.from(chunk.subarray(0, 512));
    if (/^(?:d0cf11e0|504b0304|09(?:00|02|04|08)(?:04|06|08|10)00)/.test(head.toString('hex'))) return true;
    return /^\s*(?:<\?xml|<!doctype html|<html|<table)/i.test(
      head.toString('latin1').replace(/^\xef\xbb\xbf/, ''),
    );
  }
  return false;
}

/**
 * The first sheet of a spreadsheet as text. It is read in a thread of its own, one at a time, with bounded memory and time.
 * @throws UsageError `CONTACTS_INVALID` when it cannot be read, or is too large; `PACKAGE_MISSING` without @e965/xlsx, which
 * is optional; TransportError `ABORTED`.
 */
export async function readSheet(source: ContactSource, options: ReadSheetOptions): Promise<SheetText> {
  const { name, limits = {}, signal } = options;
  const most = limits.bytes ?? SHEET_LIMITS.bytes;
  if (source.size > most) {
    throw unreadable(name, `it has more than ${most.toLocaleString('en-US')} bytes`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.read(0)) chunks.push(chunk);
  const order: SheetOrder = { bytes: new Uint8Array(Buffer.concat(chunks)), limits };
  const answer = await inTurn(() => ask(order, options));
  if (signal?.aborted === true) {
    throw new TransportError('ABORTED', 'aborted while the contacts were read; nothing was sent', {
      sent: 'no',
      cause: signal.reason,
    });
  }
  return textOf(answer, name);
}

/** @throws UsageError `CONTACTS_INVALID`, `PACKAGE_MISSING` where there is none. */
export function textOf(answer: SheetAnswer, name: string): SheetText {
  if ('csv' in answer) return answer;
  throw 'missing' in answer
    ? packageMissing('@e965/xlsx', undefined, `save the sheet of ${name} as .csv`)
    : unreadable(name, answer.problem);
}

let turn: Promise<unknown> = Promise.resolve();

/** One after another, since each may take much memory. */
function inTurn<T>(act: () => Promise<T>): Promise<T> {
  const mine = turn.then(act);
  turn = mine.catch(() => undefined);
  return mine;
}

/** Megabytes of the thread's heap. */
const HEAP = 768;

function ask(order: SheetOrder, { timeout = 60_000, signal }: ReadSheetOptions): Promise<SheetAnswer> {
  if (signal?.aborted === true) return Promise.resolve({ problem: 'aborted' });
  const worker = startWorker('read-sheet-worker', import.meta.url, {
    workerData: order,
    transferList: [order.bytes.buffer as ArrayBuffer],
    resourceLimits: { maxOldGenerationSizeMb: HEAP, maxYoungGenerationSizeMb: 64 },
    // What the library says of a file may hold what is in it.
    stdout: true,
    stderr: true,
  });
  return new Promise<SheetAnswer>((resolve) => {
    const end = (answer: SheetAnswer) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      resolve(answer);
      void worker.terminate();
    };
    const aborted = () => {
      end({ problem: 'aborted' });
    };
    const timer = setTimeout(() => {
      end({ problem: `it was not read within ${timeout / 1000} seconds` });
    }, timeout);
    signal?.addEventListener('abort', aborted, { once: true });
    worker.once('message', end);
    worker.once('error', (error: unknown) => {
      end({ problem: isOutOfMemory(error) ? 'it needs too much memory' : 'the reader failed' });
    });
    worker.once('exit', () => {
      end({ problem: 'the reader ended too early' });
    });
  });
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function unreadable(name: string, problem: string): UsageError {
  return new UsageError(
    'CONTACTS_INVALID',
    `${name}: the spreadsheet cannot be read: ${problem}; save the sheet as .csv`,
  );
}
