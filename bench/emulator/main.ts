import { createServer } from 'node:http';
import type { EmulatorOrder, EmulatorReport } from '../protocol.ts';
import { createDrives } from './drives.ts';
import { createGateway } from './gateway.ts';
import { createHttpRoutes } from './http-routes.ts';
import { makePictures } from './pictures.ts';
import { createInteraction } from './world.ts';

/**
 * Discord, the provider and the members of the bench, in one process that the bench starts. It is another emulator than
 * that of the sandbox because that one judges every detail, and judging costs more than what is to be measured.
 */

const KEEP_ALIVE_MS = 60_000;

const pictures = await makePictures();
let guilds = 1;
let number = 0;

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 });
const gateway = createGateway(server, () => guilds);
const drives = createDrives({
  pictures,
  send(command) {
    number += 1;
    const interaction = createInteraction(command, { number, guilds, origin });
    gateway.dispatch('INTERACTION_CREATE', interaction.event);
    return interaction;
  },
});
server.on('request', createHttpRoutes({ drives, pictures, origin: () => origin }));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = server.address();
const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;

process.on('message', (order: EmulatorOrder) => void obey(order));
process.on('disconnect', () => process.exit(0));
report({ type: 'listening', origin });

async function obey(order: EmulatorOrder): Promise<void> {
  if (order.type === 'drive') return report({ type: 'driven', figures: await drives.run(order.drive) });
  guilds = order.guilds;
  report({ type: 'done' });
}

function report(message: EmulatorReport): void {
  process.send?.(message);
}
