import { createServer } from 'node:http';
import { portOf } from './local-server.ts';

/**
 * A child process that answers every request with the same large image, so that what it holds in memory is not
 * counted in the test's own process: whole, or at the end of a stream with two previews that are as large, if that is
 * what the request asks for. Its parent receives its port.
 */
const imageSizeBytes = Number(process.argv[2]);
const image = Buffer.alloc(imageSizeBytes, 1).toString('base64');
const answer = Buffer.from(JSON.stringify({ data: [{ b64_json: image }] }));
const events = ['partial_image', 'partial_image', 'completed'].map((name) => {
  const type = `image_generation.${name}`;
  return `event: ${type}\ndata: ${JSON.stringify({ type, b64_json: image })}\n\n`;
});
const stream = Buffer.from(events.join(''));

const server = createServer((request, response) => {
  let isStream = false;
  request.on('data', (chunk: Buffer) => (isStream ||= chunk.includes('"stream":true')));
  request.on('end', () => {
    response.setHeader('content-type', isStream ? 'text/event-stream' : 'application/json');
    response.end(isStream ? stream : answer);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.(portOf(server)));
