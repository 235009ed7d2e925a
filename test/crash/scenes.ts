import type { InteractionHandle } from '../../sandbox/discord/interaction-handle.ts';
import type { DeliveryOptions } from '../../sandbox/discord/member-client.ts';
import type { EmulatedMessage } from '../../sandbox/discord/message.ts';
import type { OptionValues } from '../../sandbox/discord/option-values.ts';
import type { EmulatedMember } from '../../sandbox/discord/world.ts';
import type { Stage } from '../../sandbox/stage.ts';
import { alphaMask, photograph } from '../fixtures/pictures.ts';
import type { Server } from '../scenarios/shared-stage.ts';

/** A kind of request. Which words its prompt has decides how the provider takes it. */
export type Scene = {
  readonly name: string;
  readonly command: 'imagine' | 'edit';
  readonly isPrivate: boolean;
  readonly imageCount: number;
  /** What the prompt says besides being unlike any other. */
  readonly words: string;
  /** How large one file may be where the answer goes; as large as Discord lets it be where this is left out. */
  readonly uploadLimitBytes?: number;
  /** The entry that ends its transfer where nothing is killed. */
  readonly booking: 'post' | 'void' | 'unknown';
};

/** A request that was made. */
export type Trial = {
  readonly scene: Scene;
  readonly interaction: InteractionHandle;
  readonly member: EmulatedMember;
  /** Unlike that of any other request, so that calls and bills can be told apart without asking the bot. */
  readonly prompt: string;
  /** What an edit began with whose mask was painted; the interaction is the press of the button then. */
  readonly painted?: Painted;
};

/** An edit that was asked for without saying what may change, and a mask for it. */
export type Painted = {
  /** The message that asks what may change, where the answer has to come to stand. */
  readonly question: EmulatedMessage;
  /** The messages beside it, which tell of the link and are no answer. */
  readonly asides: ReadonlySet<string>;
  readonly link: string;
  /** How the bot has answered whoever sent the mask, each time that it was sent; 0 where it died on that. */
  readonly statuses: number[];
};

const WITHOUT_USAGE = 'usage withheld';
const WITHOUT_QUOTA = 'quota exhausted';
/** One of the emulated provider's own words for what it declines. */
const FORBIDDEN = 'forbidden';

export const imagine: Scene = {
  name: 'a public /imagine',
  command: 'imagine',
  isPrivate: false,
  imageCount: 1,
  words: 'a lighthouse',
  booking: 'post',
};
export const privateImagine: Scene = { ...imagine, name: 'a private /imagine', isPrivate: true };
export const twoImages: Scene = { ...imagine, name: 'an /imagine of two images', imageCount: 2 };
/** Its picture is shown re-encoded, and kept as it came. */
export const reencoded: Scene = {
  ...imagine,
  name: 'an /imagine whose picture is too large for Discord',
  uploadLimitBytes: 64 * 1024,
};
export const privateEdit: Scene = {
  ...imagine,
  name: 'a private /edit with a mask that keeps what is outside',
  command: 'edit',
  isPrivate: true,
};
export const refused: Scene = {
  ...imagine,
  name: 'an /imagine that the provider refuses',
  words: WITHOUT_QUOTA,
  booking: 'void',
};
export const declined: Scene = {
  ...imagine,
  name: 'an /imagine that moderation declines',
  words: FORBIDDEN,
  booking: 'void',
};
export const unpriced: Scene = {
  ...imagine,
  name: 'an /imagine without usage',
  words: WITHOUT_USAGE,
  booking: 'unknown',
};

/** Has the provider take the words of scenes as they are meant. */
export function teachProvider({ provider }: Stage): void {
  provider.faults.add({
    kind: 'shape',
    shape: { usage: 'omitted' },
    when: ({ prompt }) => prompt?.includes(WITHOUT_USAGE) === true,
  });
  provider.faults.add({
    kind: 'refuse',
    refusal: 'insufficient_quota',
    when: ({ prompt }) => prompt?.includes(WITHOUT_QUOTA) === true,
  });
}

/** Makes a request on a server. */
export type Ask = (server: Server, scene: Scene, delivery?: DeliveryOptions) => Trial;

const PICTURE_SIZE = { width: 256, height: 256 };
const HOLE = { left: 64, top: 64, width: 128, height: 128 };

export async function createAsker({ discord }: Stage): Promise<Ask> {
  const picture = await photograph(PICTURE_SIZE).jpeg().toBuffer();
  const mask = await alphaMask(PICTURE_SIZE, HOLE);
  let asked = 0;

  function filesOf({ command }: Scene): OptionValues {
    if (command === 'imagine') return {};
    return {
      image: discord.uploadAttachment({ bytes: picture, filename: 'picture.jpg' }),
      mask: discord.uploadAttachment({ bytes: mask, filename: 'mask.png' }),
      keep_outside: true,
    };
  }

  return ({ guild, channel }, scene, delivery = {}) => {
    asked += 1;
    const prompt = `${scene.words}, number ${asked}`;
    // A member of their own, because members may ask for only so many images in a minute.
    const member = discord.world.addMember(guild, { username: `member ${asked}` });
    if (scene.uploadLimitBytes !== undefined) guild.attachmentSizeLimitBytes = scene.uploadLimitBytes;
    const options = { prompt, quality: 'low', count: scene.imageCount, private: scene.isPrivate, ...filesOf(scene) };
    const interaction = discord.invoke({ command: scene.command, member, channel, options, ...delivery });
    return { scene, interaction, member, prompt };
  };
}
