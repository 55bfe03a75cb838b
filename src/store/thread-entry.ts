import { parentPort, workerData } from 'node:worker_threads';
import { serveStore } from './thread-serve.js';
import type { StorePlace } from './thread.js';

// The beginning of the thread of a store.
if (parentPort !== null) void serveStore(parentPort, workerData as StorePlace);
