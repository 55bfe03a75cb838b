import { parentPort, workerData } from 'node:worker_threads';
import type { SheetOrder } from './sheet.js';
import { answerOrder } from './spreadsheet.js';

// The beginning of a thread that reads one spreadsheet.
parentPort?.postMessage(await answerOrder(workerData as SheetOrder));
