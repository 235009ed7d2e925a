import { DatabaseSync } from 'node:sqlite';

/** Preloaded into a bot, keeps it from closing its store when it is asked to stop. */
process.once('SIGTERM', () => {
  DatabaseSync.prototype.close = () => {
    throw new Error('the disk is gone');
  };
});
