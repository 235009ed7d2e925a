import type { Context } from 'hono';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { streamSSE } from 'hono/streaming';
import type { z } from 'zod';
import type { EmulatedAttachment } from '../discord/message.ts';
import { UnsendableCommand } from '../discord/option-values.ts';
import type { Stage } from '../stage.ts';
import type { ActionName } from './action-schema.ts';
import { actionSchemas } from './action-schema.ts';
import type { BotControl } from './bot-control.ts';
import type { Person } from './cast.ts';
import type { ClientFile } from './client-files.ts';
import { jump } from './clock-jumps.ts';
import { streamEvents } from './event-stream.ts';
import { createFaultPanel } from './fault-panel.ts';
import { createFileShelf } from './file-shelf.ts';
import { createMemberActions } from './member-actions.ts';
import { viewMessage } from './message-view.ts';
import { createPanel } from './panel.ts';
import { createReferences } from './references.ts';
import { createRequestGuard } from './request-guard.ts';
import { isVisibleTo } from './viewer.ts';
import { viewWorld } from './world-view.ts';

export type RoutesOptions = {
  readonly stage: Pick<Stage, 'discord' | 'provider' | 'dataDirectory'>;
  readonly people: readonly Person[];
  readonly bot: BotControl;
  readonly usesRealProvider: boolean;
  readonly files: (path: string) => ClientFile | undefined;
  readonly port: () => number;
  onBotChange(listener: () => void): () => void;
};

/** More than any bot should take, so that people can see what it says to that. */
const UPLOAD_BYTES_MAX = 64 * 1024 * 1024;
const HTTP_BAD_REQUEST = 400;
const HTTP_UNPROCESSABLE = 422;

/** Everything that the page asks for. */
export function createRoutes(options: RoutesOptions): Hono {
  const { stage, bot, files, people, usesRealProvider } = options;
  const { discord } = stage;
  const shelf = createFileShelf();
  const find = createReferences(discord);
  const actions = createMemberActions(discord, find);
  const faults = createFaultPanel(discord, usesRealProvider ? undefined : stage.provider);
  const panelOf = createPanel({ stage, people, bot, faults, usesRealProvider });
  const messageParts = { ...discord, usedCommand: actions.usedCommand, addressOf: shelf.put };
  const listeners = new Set<() => void>();
  const onChange = (listener: () => void): (() => void) => {
    listeners.add(listener);
    const stops = [discord.onChange(listener), options.onBotChange(listener), () => listeners.delete(listener)];
    return () => stops.forEach((stop) => stop());
  };

  const app = new Hono();
  app.use(createRequestGuard(options.port));
  app.use('/api/*', bodyLimit({ maxSize: UPLOAD_BYTES_MAX }));
  app.onError((error, context) => {
    if (error instanceof UnsendableCommand) return context.json({ message: error.message }, HTTP_UNPROCESSABLE);
    return context.json({ message: error.message }, 500);
  });

  app.get('/api/events', (context) => {
    const viewer = find.viewer({
      person: context.req.query('person') ?? '',
      channel: context.req.query('channel') ?? '',
    });
    const { user, channel } = viewer;
    return streamSSE(context, async (stream) =>
      streamEvents(stream, {
        user,
        messages: () => discord.channelMessages(channel).filter((message) => isVisibleTo(message, user)),
        viewMessage: (message) => viewMessage(messageParts, message, user),
        panel: () => panelOf(viewer),
        onChange,
      }),
    );
  });
  app.get('/api/world', (context) => context.json(viewWorld(discord.world, people, usesRealProvider)));
  app.get('/attachments/:channel/:id/:filename', (context) =>
    sendAttachment(context, shelf.get(context.req.param('id'))),
  );
  app.post('/api/uploads', async (context) => {
    const bytes = new Uint8Array(await context.req.arrayBuffer());
    const attachment = actions.upload(bytes, context.req.query('filename') ?? 'file');
    return context.json({ id: attachment.id });
  });

  /** An action of the page: its body is checked, done, and what comes of it is the answer. */
  const act = <Schema extends z.ZodType>(
    name: ActionName,
    schema: Schema,
    perform: (action: z.output<Schema>) => unknown,
  ): void => {
    app.post(`/api/${name}`, async (context) => {
      const parsed = schema.safeParse(await context.req.json().catch(() => undefined));
      if (!parsed.success) return context.json({ message: 'That cannot be asked for.' }, HTTP_BAD_REQUEST);
      const result = await perform(parsed.data);
      listeners.forEach((listener) => listener());
      return context.json(result ?? {});
    });
  };
  act('command', actionSchemas.command, actions.command);
  act('autocomplete', actionSchemas.autocomplete, actions.autocomplete);
  act('messageMenu', actionSchemas.messageMenu, actions.messageMenu);
  act('button', actionSchemas.button, actions.button);
  act('select', actionSchemas.select, actions.select);
  act('modal', actionSchemas.modal, actions.modal);
  act('message', actionSchemas.message, actions.message);
  act('clock', actionSchemas.clock, (action) => jump(discord.clock, action.jump));
  act('fault', actionSchemas.fault, ({ id, mode }) => faults.set(id, mode));
  act('bot', actionSchemas.bot, ({ action }) => {
    // What becomes of it shows in the bot's state, however long it takes.
    bot[action]().catch(() => undefined);
  });

  app.get('*', (context) => {
    const file = files(context.req.path);
    if (file === undefined) return context.text('There is nothing here.', 404);
    return context.body(file.body, 200, { 'content-type': file.contentType });
  });
  return app;
}

/** Only pictures are shown in place; everything else is saved, so that nothing that was uploaded ever runs here. */
const SHOWN_IN_PLACE = /^image\/(?:png|jpeg|webp|gif|avif)$/;

function sendAttachment(context: Context, attachment: EmulatedAttachment | undefined): Response {
  if (attachment === undefined) return context.text('This content is no longer available.', 404);
  const contentType = attachment.contentType ?? 'application/octet-stream';
  return context.body(new Uint8Array(attachment.bytes), 200, {
    'content-type': contentType,
    'cache-control': 'private, max-age=86400, immutable',
    ...(SHOWN_IN_PLACE.test(contentType)
      ? {}
      : { 'content-disposition': `attachment; filename="${attachment.filename}"` }),
  });
}
