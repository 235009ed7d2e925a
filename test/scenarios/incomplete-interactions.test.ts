import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ask, courseOf, picturesOf } from './requests.ts';
import { judge } from './judgement.ts';
import { addServer, shareStage } from './shared-stage.ts';

/** An interaction as it would be written by somebody who knows less of Discord. */
type Written = Record<string, unknown>;

const without =
  (...names: readonly string[]) =>
  (interaction: Written): Written =>
    Object.fromEntries(Object.entries(interaction).filter(([name]) => !names.includes(name)));
const withOther =
  (others: Written) =>
  (interaction: Written): Written => ({ ...interaction, ...others });

describe('what an interaction lacks does not cost anybody the picture', () => {
  const shared = shareStage();
  const incomplete: [string, (interaction: Written) => Written][] = [
    ['no limit of uploads', without('attachment_size_limit')],
    ['a limit that is none', withOther({ attachment_size_limit: null })],
    ['a limit in words', withOther({ attachment_size_limit: '10485760' })],
    ['a limit of nothing', withOther({ attachment_size_limit: 0 })],
    ['no application', without('application_id')],
    ['no languages', without('locale', 'guild_locale')],
    ['languages that are none', withOther({ locale: null, guild_locale: 7 })],
  ];

  for (const [name, write] of incomplete) {
    test(name, async (t) => {
      const { stage } = shared();
      const { gateway } = stage.discord;
      const { writeInteraction } = gateway;
      t.after(() => Object.assign(gateway, { writeInteraction }));
      gateway.writeInteraction = (interaction) => write(Object(interaction));
      const answer = await ask(stage, addServer(stage), 'imagine', { prompt: `a heron: ${name}` });
      assert.equal(picturesOf(answer).length, 1);
      assert.equal(courseOf(stage, answer.interaction), 'reserve dispatch post');
      judge(stage);
    });
  }
});
