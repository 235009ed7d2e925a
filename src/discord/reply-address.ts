import * as z from 'zod';
import type { ReplyAddress } from '../services/job-journal.ts';

const addressSchema = z.object({
  applicationId: z.string(),
  /** The interaction's token: for fifteen minutes the key to its reply. */
  token: z.string(),
  channelId: z.string(),
  memberId: z.string(),
  /** How large one uploaded file may be here, in bytes. */
  uploadLimitBytes: z.number(),
  /** The languages of whoever asked, and of the server, as Discord names them. */
  locale: z.string().default('en-US'),
  guildLocale: z.string().default('en-US'),
});

/** Where a job's answer goes in Discord. */
export type DiscordAddress = z.infer<typeof addressSchema>;

/** Reads an address back from the journal. */
export function readAddress(address: ReplyAddress): DiscordAddress {
  return addressSchema.parse(address);
}
