import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import sharp from 'sharp';
import { startRelay } from './relay-core.ts';

/** The durable floor: what it costs that nothing which was paid for can be lost, and nothing more than that. */

const directory = process.env['DATA_DIR'] ?? '';
const spool = join(directory, 'spool');
await mkdir(spool, { recursive: true });

const database = new DatabaseSync(join(directory, 'ledger.sqlite'));
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
database.exec(
  'CREATE TABLE IF NOT EXISTS steps (interaction TEXT, step TEXT, at INTEGER, PRIMARY KEY (interaction, step))',
);
const insert = database.prepare('INSERT INTO steps (interaction, step, at) VALUES (?, ?, ?)');

await startRelay({
  commit: (interactionId, step) => void insert.run(interactionId, step, Date.now()),
  async keep(interactionId, name, bytes) {
    const file = await open(join(spool, `${interactionId}-${name}`), 'w');
    await file.write(bytes);
    await file.datasync();
    await file.close();
    await sharp(bytes).metadata();
  },
  async forget(interactionId) {
    for (const name of ['image', 'mask']) await rm(join(spool, `${interactionId}-${name}`), { force: true });
  },
});
