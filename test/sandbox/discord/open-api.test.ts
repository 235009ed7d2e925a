import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { call, verdict } from './raw-bot.ts';
import { setScene } from './support.ts';

/** A description of two operations, in the form of Discord's own. */
const DESCRIPTION = {
  openapi: '3.1.0',
  paths: {
    '/channels/{channel_id}/messages': {
      post: {
        requestBody: {
          content: { 'application/json': { schema: { $ref: '#/components/schemas/MessageCreateRequest' } } },
        },
      },
    },
    '/applications/{application_id}/commands': {
      put: {
        requestBody: {
          content: {
            'application/json': {
              schema: {
                type: 'array',
                items: { properties: { default_member_permissions: { type: ['integer', 'null'] } } },
              },
            },
          },
        },
      },
    },
  },
  components: {
    schemas: {
      MessageCreateRequest: { type: 'object', properties: { content: { type: 'string', maxLength: 10 } } },
    },
  },
};

test('a body that does not fit the description is refused and recorded as such', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'discord-openapi-'));
  context.after(() => rm(folder, { recursive: true }));
  const openApiPath = join(folder, 'openapi.json');
  await writeFile(openApiPath, JSON.stringify(DESCRIPTION));
  // The scene registers a command whose default_member_permissions is a string, as on the wire.
  const { discord, guild } = await setScene(context, { openApiPath });
  const [channel] = guild.channels.values();
  assert.ok(channel);
  const path = `/channels/${channel.id}/messages`;
  assert.equal((await call(discord, 'POST', path, { content: 'short' })).status, 200);
  assert.equal(discord.violations.length, 0);
  const refused = await call(discord, 'POST', path, { content: 'longer than ten' });
  assert.deepEqual(verdict(refused), { status: 400, code: 50035 });
  assert.deepEqual(
    discord.violations.map(({ source, route, problems }) => [source, route, problems.map((problem) => problem.path)]),
    [['openapi', 'channel message', [['content']]]],
  );
});
