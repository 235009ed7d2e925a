import { FormData } from 'undici';

/**
 * Puts the `FormData` of our undici in the place of Node's.
 *
 * discord.js looks whether the process has one, and the look alone brings in Node's own copy of undici, which no
 * acknowledgement needs: 27 ms of every start. What it finds is what it would have put there itself if it had found none.
 * Has to be imported before discord.js, and assigned: to define the property anew would be a look as well.
 */
Object.assign(globalThis, { FormData });
