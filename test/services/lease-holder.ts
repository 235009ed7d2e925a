/** A process that holds a lease until it is killed. */
import { takeProcessLease } from '../../src/services/process-lease.ts';

const [, , directory = '', owner = ''] = process.argv;
await takeProcessLease(directory, owner);
process.send?.('taken');
process.on('message', () => undefined);
