import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createEmulatedDiscord } from '../../sandbox/discord/emulated-discord.ts';
import type { FaultPanel } from '../../sandbox/page/fault-panel.ts';
import { createFaultPanel } from '../../sandbox/page/fault-panel.ts';
import { createEmulatedProvider } from '../../sandbox/provider/emulated-provider.ts';
import { call } from '../sandbox/discord/raw-bot.ts';

const FILE = [{ name: 'fox.png', bytes: new TextEncoder().encode('a picture') }];

function modeOf(panel: FaultPanel, id: string): string | undefined {
  const fault = panel.view().find((candidate) => candidate.id === id);
  return fault && `${fault.mode} ${fault.timesUsed}`;
}

describe('faults from the page', () => {
  it('happen once, or until they are turned off', async (t) => {
    const discord = await createEmulatedDiscord();
    const provider = await createEmulatedProvider();
    t.after(async () => Promise.all([discord.close(), provider.close()]));
    const panel = createFaultPanel(discord, provider);
    const ask = async (): Promise<number> => {
      const answer = await fetch(`${provider.baseUrl}/images/generations`, {
        method: 'POST',
        headers: { authorization: `Bearer ${provider.apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gpt-image-2.5-sunburst', prompt: 'a fox', quality: 'low', size: '1024x1024' }),
      });
      return answer.status;
    };
    assert.equal(panel.set('busy', 'next'), true);
    assert.deepEqual([await ask(), await ask()], [429, 200]);
    assert.equal(modeOf(panel, 'busy'), 'off 1');
    panel.set('retired', 'always');
    assert.deepEqual([await ask(), await ask()], [404, 404]);
    assert.equal(modeOf(panel, 'retired'), 'always 2');
    panel.set('retired', 'off');
    assert.equal(await ask(), 200);
    assert.equal(provider.bills.length, 2);
    assert.equal(panel.set('earthquake', 'next'), false);
  });

  it('spoil uploads and nothing else', async (t) => {
    const discord = await createEmulatedDiscord();
    t.after(async () => discord.close());
    const panel = createFaultPanel(discord, undefined);
    const guild = discord.world.addGuild();
    const [channel] = guild.channels.keys();
    const post = async (files: typeof FILE): Promise<number> =>
      (await call(discord, 'POST', `/channels/${channel}/messages`, { content: 'look' }, files)).status;
    panel.set('uploads', 'next');
    assert.deepEqual([await post([]), await post(FILE), await post(FILE)], [200, 503, 200]);
    assert.equal(modeOf(panel, 'uploads'), 'off 1');
    assert.deepEqual(
      new Set(panel.view().map(({ side }) => side)),
      new Set(['discord']),
      'a real provider is left alone',
    );
  });
});
