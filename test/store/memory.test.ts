import { memoryStore } from '../../src/store/memory.js';
import { describeStore } from '../contract/store.js';

function make() {
  const store = memoryStore();
  return Promise.resolve({ stores: [store, store] as const, dispose: () => store.close() });
}

// Nothing of it touches a disk.
describeStore('memoryStore', make, 10);
