/** A process that uses a plain store until it is killed. */
import { Keyv } from 'keyv';
import { openPlainStore } from '../../src/storage/open-store.ts';

const [, , lockPath = ''] = process.argv;
await openPlainStore(new Keyv(), { lockPath });
process.send?.('open');
process.on('message', () => undefined);
