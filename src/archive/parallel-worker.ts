import { parentPort } from 'node:worker_threads';
import { serveTasks } from './parallel-serve.js';

// The beginning of a worker thread; it ends when its port is closed.
if (parentPort !== null) serveTasks(parentPort);
