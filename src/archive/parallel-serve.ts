import type { FromWorker, ParallelJob, ToWorker } from './parallel-job.js';
import { makeRoom, TaskWork } from './parallel-work.js';

/** What a worker needs of its end of the channel to the main thread. */
export interface WorkerPort {
  postMessage(message: FromWorker, transfer: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (message: ToWorker) => void): unknown;
  close(): void;
}

/** Does one task after another, as they are given, until the end is told. */
export function serveTasks(port: WorkerPort): void {
  const room = makeRoom();
  let job: ParallelJob | undefined;
  let current: { readonly id: number; readonly work: TaskWork } | undefined;
  port.on('message', (message) => {
    if (message.kind === 'job') {
      job = message.job;
    } else if (message.kind === 'task' && job !== undefined) {
      const { id, task } = message;
      const work = new TaskWork(
        job,
        (event, transfer) => {
          port.postMessage({ id, event }, transfer);
        },
        room,
      );
      current = { id, work };
      void work.run(task);
    } else if (message.kind === 'order') {
      // An order may come late, to a task that is done.
      if (message.id === current?.id) current.work.order(message.order);
    } else if (message.kind === 'end') {
      current?.work.order({ kind: 'cancel' });
      port.close();
    }
  });
}
