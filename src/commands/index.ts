import type { Button, Command, MessageMenu, Modal } from '../discord/command.ts';
import { createAgainButton, createAgainModal } from './again.ts';
import { createCancelButton } from './cancel.ts';
import { createDeleteButton } from './delete.ts';
import { createEditCommand } from './edit.ts';
import type { EditImageParts } from './edit-image.ts';
import { createEditButton, createEditMenu, createEditMessageModal, createEditModal } from './edit-image.ts';
import { createFetchButton } from './fetch.ts';
import { createImagineCommand } from './imagine.ts';
import type { OriginalCommandParts } from './original.ts';
import { createOriginalButton } from './original.ts';
import { createPaintButton, createWholeButton } from './paint.ts';
import type { QuotaCommandParts } from './quota.ts';
import { createQuotaCommand } from './quota.ts';
import type { SettingsCommandParts } from './settings.ts';
import { createSettingsCommand } from './settings.ts';
import type { UsageCommandParts } from './usage.ts';
import { createUsageCommand } from './usage.ts';
import { createVaryButton, createVaryModal } from './vary.ts';

/** What commands, menus, buttons and forms are built from. */
export type CommandParts = EditImageParts &
  OriginalCommandParts &
  UsageCommandParts &
  QuotaCommandParts &
  SettingsCommandParts;

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

/** Every verb in the menus of messages. */
export function createMenus(parts: CommandParts): readonly MessageMenu[] {
  return [createEditMenu(parts)];
}

/** Every button there is. */
export function createButtons(parts: CommandParts): readonly Button[] {
  const { painting } = parts;
  return [
    createEditButton(parts),
    createVaryButton(parts),
    createAgainButton(parts),
    createOriginalButton(parts),
    createDeleteButton(parts),
    createCancelButton(parts),
    createFetchButton(parts),
    ...(painting ? [createPaintButton(parts, painting), createWholeButton(parts, painting)] : []),
  ];
}

/** Every form there is. */
export function createModals(parts: CommandParts): readonly Modal[] {
  return [createEditModal(parts), createEditMessageModal(parts), createVaryModal(parts), createAgainModal(parts)];
}
