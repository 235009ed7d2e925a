import { createServer } from 'node:http';
import { portOf } from './local-server.ts';

/**
 * A child process that answers every request with the same large image, so that what it holds in memory is not
 * counted in the test's own process. Its parent receives its port.
 */
const imageSizeBytes = Number(process.argv[2]);
const body = Buffer.from(JSON.stringify({ data: [{ b64_json: Buffer.alloc(imageSizeBytes, 1).toString('base64') }] }));

const server = createServer((request, response) => {
  request.resume().on('end', () => response.end(body));
});
server.listen(0, '127.0.0.1', () => process.send?.(portOf(server)));
