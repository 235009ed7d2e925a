import type { ChatInputCommandInteraction } from 'discord.js';
import { AttachmentBuilder, Client, Events, GatewayIntentBits } from 'discord.js';
import OpenAI, { toFile } from 'openai';
import { BENCH_MODEL } from '../protocol.ts';

/**
 * An ordinary bot, as a competent developer writes it in an afternoon: discord.js and openai used as their guides say,
 * every error told to the member, and nothing kept. Only the addresses are the bench's.
 */

const openai = new OpenAI({
  apiKey: process.env['OPENAI_API_KEY'] ?? '',
  baseURL: process.env['OPENAI_BASE_URL'] ?? '',
});
const client = new Client({
  intents: [GatewayIntentBits.Guilds],
  rest: { api: process.env['DISCORD_API_URL'] ?? '' },
});

client.once(Events.ClientReady, () => console.log('ready'));
client.on(Events.Error, (error) => console.error(error));

client.on(Events.InteractionCreate, (interaction) => {
  if (interaction.isChatInputCommand()) void answer(interaction);
});

async function answer(interaction: ChatInputCommandInteraction): Promise<void> {
  try {
    await interaction.deferReply();
    switch (interaction.commandName) {
      case 'imagine':
        return await imagine(interaction);
      case 'edit':
        return await edit(interaction);
      case 'quota':
        return void (await interaction.editReply('You have used nothing.'));
    }
  } catch (error) {
    console.error(error);
    await interaction.editReply('Something went wrong. Please try again.').catch(console.error);
  }
}

async function imagine(interaction: ChatInputCommandInteraction): Promise<void> {
  const prompt = interaction.options.getString('prompt', true);
  const result = await openai.images.generate({ model: BENCH_MODEL, prompt, size: '1024x1024', quality: 'medium' });
  await post(interaction, prompt, result);
}

async function edit(interaction: ChatInputCommandInteraction): Promise<void> {
  const prompt = interaction.options.getString('prompt', true);
  const image = interaction.options.getAttachment('image', true);
  const mask = interaction.options.getAttachment('mask');
  const result = await openai.images.edit({
    model: BENCH_MODEL,
    prompt,
    image: await toFile(await fetch(image.url), image.name, { type: image.contentType ?? 'image/png' }),
    ...(mask
      ? { mask: await toFile(await fetch(mask.url), mask.name, { type: mask.contentType ?? 'image/png' }) }
      : {}),
  });
  await post(interaction, prompt, result);
}

async function post(
  interaction: ChatInputCommandInteraction,
  prompt: string,
  result: OpenAI.ImagesResponse,
): Promise<void> {
  const text = result.data?.[0]?.b64_json;
  if (text === undefined) throw new Error('the provider sent no image');
  const file = new AttachmentBuilder(Buffer.from(text, 'base64'), { name: 'image.png', description: prompt });
  await interaction.editReply({ content: `**${prompt}**`, files: [file] });
}

await client.login(process.env['DISCORD_TOKEN']);
