import { z } from 'zod';
import type { EmulatedDiscord } from '../../sandbox/discord/emulated-discord.ts';
import { call, connectRawBot, successBody } from '../sandbox/discord/raw-bot.ts';

/** An interaction as a bot gets it, as far as these tests look at it. */
const interactionSchema = z.looseObject({
  id: z.string(),
  token: z.string(),
  type: z.number(),
  channel_id: z.string(),
  data: z.looseObject({
    name: z.string().optional(),
    custom_id: z.string().optional(),
    values: z.array(z.string()).optional(),
    options: z.array(z.looseObject({ name: z.string(), value: z.unknown().optional() })).optional(),
    components: z.unknown().optional(),
    target_id: z.string().optional(),
  }),
});
export type ReceivedInteraction = z.infer<typeof interactionSchema>;

/** A bot that answers as it is told to, for what the real one does not do. */
export type FakeBot = {
  readonly interactions: readonly ReceivedInteraction[];
  /** Posts a message into a channel. */
  post(channelId: string, body: unknown, files?: Parameters<typeof call>[4]): Promise<string>;
};

export type FakeBotOptions = {
  readonly commands?: readonly unknown[];
  /** The first answer to an interaction; undefined for none. */
  readonly answer?: (interaction: ReceivedInteraction) => unknown;
};

const BEAT_MS = 5;

export async function connectFakeBot(discord: EmulatedDiscord, options: FakeBotOptions = {}): Promise<FakeBot> {
  const bot = await connectRawBot(discord);
  await call(discord, 'PUT', `/applications/${discord.applicationId}/commands`, options.commands ?? []);
  const interactions: ReceivedInteraction[] = [];
  const answerNew = async (): Promise<void> => {
    for (const { d } of bot.events('INTERACTION_CREATE').slice(interactions.length)) {
      const interaction = interactionSchema.parse(d);
      interactions.push(interaction);
      const answer = options.answer?.(interaction);
      if (answer === undefined) continue;
      const path = `/interactions/${interaction.id}/${interaction.token}/callback`;
      const { status, body } = await call(discord, 'POST', path, answer);
      if (status >= 400) throw new Error(JSON.stringify(body));
    }
  };
  // An answer that Discord refuses is a mistake of the test's, and ends it.
  const timer = setInterval(() => void answerNew(), BEAT_MS);
  timer.unref();
  return {
    interactions,
    async post(channelId, body, files = []) {
      const answer = await call(discord, 'POST', `/channels/${channelId}/messages`, body, files);
      return z.looseObject({ id: z.string() }).parse(successBody(answer)).id;
    },
  };
}
