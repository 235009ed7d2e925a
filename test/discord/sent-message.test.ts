import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import { createDiscordRest } from '../../src/discord/discord-rest.ts';
import { findPostedResult } from '../../src/discord/sent-message.ts';
import { answerJson, startLocalServer } from '../services/providers/local-server.ts';

const JOB_ID = '1573513704442429440';
const OWN = { id: '1', bot: true };
const OTHER_BOT = { id: '5', bot: true };
const MEMBER = { id: '6' };
const address = { applicationId: OWN.id, channelId: '2' };
const FILE = `${JOB_ID}-1.png`;
const OTHER_FILE = '1573513704442429441-1.png';

const gallery = (url: string) => [{ type: 17, components: [{ type: 12, items: [{ media: { url } }] }] }];
const attached = (filename: string) => [{ id: '3', filename, size: 1 }];

/** Where the result is found in a channel of which Discord lists this message. */
async function findIn(context: TestContext, message: object) {
  const server = await startLocalServer((response) =>
    answerJson(response, 200, [{ id: '9', channel_id: '2', ...message }]),
  );
  const rest = createDiscordRest({ apiUrl: `${server.origin}/api`, token: 'token', now: Date.now });
  context.after(async () => {
    await rest.close();
    await server[Symbol.asyncDispose]();
  });
  return findPostedResult(rest.patient, address, JOB_ID);
}

describe('a result that was posted already', () => {
  const own: Record<string, object> = {
    'by the address of its picture': { author: OWN, components: gallery(`https://cdn.example/1/${FILE}?ex=1`) },
    'by the file that a component names': { author: OWN, components: gallery(`attachment://${FILE}`) },
    'by its attachment': { author: OWN, attachments: attached(FILE), components: [] },
    'by its attachment, where its bot is older than the rule that both have one id': {
      author: { id: '7', bot: true },
      application_id: OWN.id,
      attachments: attached(FILE),
    },
  };
  for (const [how, message] of Object.entries(own)) {
    it(`is known ${how}`, async (context) => {
      assert.deepEqual(await findIn(context, message), { channelId: '2', messageId: '9' });
    });
  }

  const others: Record<string, object> = {
    'another result': {
      author: OWN,
      attachments: attached(OTHER_FILE),
      components: gallery(`attachment://${OTHER_FILE}`),
    },
    'a preview': {
      author: OWN,
      attachments: attached('preview-0.png'),
      components: gallery('attachment://preview-0.png'),
    },
    'a copy by another bot': { author: OTHER_BOT, application_id: OTHER_BOT.id, attachments: attached(FILE) },
    'a copy by a member': { author: MEMBER, attachments: attached(FILE), components: gallery(`attachment://${FILE}`) },
  };
  for (const [what, message] of Object.entries(others)) {
    it(`is not taken for ${what}`, async (context) => {
      assert.equal(await findIn(context, message), undefined);
    });
  }
});
