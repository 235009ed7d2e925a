import type { Command } from '../discord/command.ts';
import { createEditCommand } from './edit.ts';
import type { ImageCommandParts } from './image-command.ts';
import { createImagineCommand } from './imagine.ts';
import type { QuotaCommandParts } from './quota.ts';
import { createQuotaCommand } from './quota.ts';
import type { UsageCommandParts } from './usage.ts';
import { createUsageCommand } from './usage.ts';

/** Every command there is. */
export function createCommands(parts: ImageCommandParts & UsageCommandParts & QuotaCommandParts): readonly Command[] {
  return [createImagineCommand(parts), createEditCommand(parts), createUsageCommand(parts), createQuotaCommand(parts)];
}
