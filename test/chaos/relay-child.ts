import { createFaultProxy } from '../support/fault-proxy.js';
import type { Fault } from '../support/faults.js';

/**
 * The way to a service, in a process that can be killed: `relay-child.ts <target> <port> <what befalls creations>`. Tells
 * where it listens, and when a creation comes.
 */
const [target = '', port = '0', fault = ''] = process.argv.slice(2);
const creation = JSON.parse(fault) as Fault;
const { url } = await createFaultProxy(
  target,
  ({ method }) => {
    if (method !== 'POST') return { kind: 'none' };
    process.stdout.write('\ncreation\n');
    return creation;
  },
  { port: Number(port) },
);
process.stdout.write(url);
