import type { Button, Command } from '../discord/command.ts';
import { createEditCommand } from './edit.ts';
import type { ImageCommandParts } from './image-command.ts';
import { createImagineCommand } from './imagine.ts';
import type { QuotaCommandParts } from './quota.ts';
import { createFetchButton, createQuotaCommand } from './quota.ts';
import type { SettingsCommandParts } from './settings.ts';
import { createSettingsCommand } from './settings.ts';
import type { UsageCommandParts } from './usage.ts';
import { createUsageCommand } from './usage.ts';

/** What commands and buttons are built from. */
export type CommandParts = ImageCommandParts & UsageCommandParts & QuotaCommandParts & SettingsCommandParts;

/** Every command there is. */
export function createCommands(parts: CommandParts): readonly Command[] {
  return [
    createImagineCommand(parts),
    createEditCommand(parts),
    createUsageCommand(parts),
    createQuotaCommand(parts),
    createSettingsCommand(parts),
  ];
}

/** Every button there is. */
export function createButtons(parts: CommandParts): readonly Button[] {
  return [createFetchButton(parts)];
}
