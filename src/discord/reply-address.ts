import * as z from 'zod';
import type { ReplyAddress } from '../services/open-job.ts';
import type { GuildInteraction } from './command.ts';

const addressSchema = z.object({
  applicationId: z.string().min(1),
  /** The interaction's token: for fifteen minutes the key to its reply. */
  token: z.string().min(1),
  channelId: z.string(),
  /** The reply itself, where it was there before it was asked for what goes into it. */
  replyId: z.string().exactOptional(),
  memberId: z.string(),
  /** How large one uploaded file may be here, in bytes. */
  uploadLimitBytes: z.number().positive(),
  /** The languages of whoever asked, and of the server, as Discord names them. */
  locale: z.string().default('en-US'),
  guildLocale: z.string().default('en-US'),
});

/** Where a job's answer goes in Discord. */
export type DiscordAddress = z.infer<typeof addressSchema>;

type Addressed = Pick<
  GuildInteraction,
  'applicationId' | 'token' | 'channelId' | 'attachmentSizeLimit' | 'locale' | 'guildLocale'
> & { readonly user: { readonly id: string } };

/**
 * Where the answer to whatever was asked goes.
 * @throws where it leads nowhere: that has to be known before anything is held or paid for the answer
 */
export function addressOf(interaction: Addressed): DiscordAddress {
  return addressSchema.parse({
    applicationId: interaction.applicationId,
    token: interaction.token,
    channelId: interaction.channelId,
    memberId: interaction.user.id,
    uploadLimitBytes: interaction.attachmentSizeLimit,
    locale: interaction.locale,
    guildLocale: interaction.guildLocale ?? interaction.locale,
  });
}

/** Reads an address back from the journal. */
export function readAddress(address: ReplyAddress): DiscordAddress {
  return addressSchema.parse(address);
}
