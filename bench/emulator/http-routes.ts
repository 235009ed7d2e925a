import type { IncomingMessage, ServerResponse } from 'node:http';
import { BENCH_MODEL } from '../protocol.ts';
import type { Drives } from './drives.ts';
import type { Pictures } from './pictures.ts';
import { createUploadMeter } from './upload-meter.ts';
import { APPLICATION_ID, BOT_USER } from './world.ts';

type Route = {
  readonly method: string;
  readonly path: RegExp;
  readonly answer: (request: IncomingMessage, response: ServerResponse, match: RegExpExecArray) => void;
};

/** What the bots ask of Discord and of the provider, and no more: each answer is ready before it is asked for. */
export function createHttpRoutes(parts: {
  drives: Drives;
  pictures: Pictures;
  origin: () => string;
}): (request: IncomingMessage, response: ServerResponse) => void {
  const { drives, pictures, origin } = parts;
  const message = JSON.stringify(exampleMessage());
  const models = { object: 'list', data: [{ id: BENCH_MODEL, object: 'model', created: 1, owned_by: 'openai' }] };

  const routes: readonly Route[] = [
    {
      method: 'POST',
      path: /^\/api\/v10\/interactions\/(\d+)\/[^/]+\/callback/,
      answer(request, response, [, id = '']) {
        drives.acknowledged(id);
        afterBody(request, () => response.writeHead(204).end());
      },
    },
    {
      method: 'PATCH',
      path: /^\/api\/v10\/webhooks\/\d+\/([^/]+)\/messages\/(?:@|%40)original/,
      answer(request, response, [, token = '']) {
        const contentType = request.headers['content-type'] ?? '';
        const meter = contentType.startsWith('multipart/') ? createUploadMeter(contentType) : undefined;
        request.on('data', (chunk: Buffer) => meter?.take(chunk));
        request.on('end', () => {
          if (meter) drives.posted(token, meter.end());
          sendJson(response, message);
        });
      },
    },
    {
      method: 'POST',
      path: /^\/v1\/images\/(generations|edits)/,
      answer(request, response) {
        afterBody(request, (sizeBytes) => {
          void drives.called(sizeBytes).then((body) => {
            const headers = { 'content-type': 'application/json', 'x-request-id': 'req_bench' };
            response.writeHead(200, { ...headers, 'content-length': body.length }).end(body);
          });
        });
      },
    },
    {
      method: 'GET',
      path: /^\/attachments\/(source\.jpg|mask\.png)$/,
      answer(_request, response, [, name]) {
        const body = name === 'mask.png' ? pictures.mask : pictures.source;
        response.writeHead(200, { 'content-type': 'image/png', 'content-length': body.length }).end(body);
      },
    },
    {
      method: 'GET',
      path: /^\/api\/v10\/gateway\/bot/,
      answer(_request, response) {
        const session_start_limit = { total: 1_000, remaining: 1_000, reset_after: 0, max_concurrency: 1 };
        const url = `${origin().replace('http', 'ws')}/gateway`;
        sendJson(response, JSON.stringify({ url, shards: 1, session_start_limit }));
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/models/,
      answer: (_request, response) => sendJson(response, JSON.stringify(models)),
    },
    {
      method: 'PUT',
      path: /^\/api\/v10\/applications\/\d+\/commands/,
      answer: (request, response) => afterBody(request, () => sendJson(response, '[]')),
    },
  ];

  return (request, response) => {
    for (const { method, path, answer } of routes) {
      const match = method === request.method ? path.exec(request.url ?? '') : undefined;
      if (match) return answer(request, response, match);
    }
    drives.fault(`nobody here knows ${request.method} ${request.url}`);
    afterBody(request, () => response.writeHead(404).end());
  };
}

function afterBody(request: IncomingMessage, then: (sizeBytes: number) => void): void {
  let sizeBytes = 0;
  request.on('data', (chunk: Buffer) => (sizeBytes += chunk.length));
  request.on('end', () => then(sizeBytes));
}

function sendJson(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(text);
}

function exampleMessage(): unknown {
  const url = 'https://cdn.discordapp.com/attachments/1/2/picture.png?ex=1&is=1&hm=1';
  return {
    id: '1290000000000000001',
    type: 20,
    channel_id: '1100000000000000001',
    author: BOT_USER,
    content: '',
    timestamp: '2026-11-01T00:00:00.000000+00:00',
    edited_timestamp: null,
    tts: false,
    mention_everyone: false,
    mentions: [],
    mention_roles: [],
    attachments: [
      { id: '1', filename: 'picture.png', size: 1_700_000, url, proxy_url: url, content_type: 'image/png' },
    ],
    embeds: [],
    components: [],
    pinned: false,
    flags: 0,
    webhook_id: APPLICATION_ID,
    application_id: APPLICATION_ID,
  };
}
