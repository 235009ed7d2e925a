import { ButtonStyle, ComponentType } from 'discord.js';
import { VERB } from './button-verbs.ts';
import type { MessagePayload } from './message-payload.ts';
import { renderButtons, renderText, withBelow } from './message-payload.ts';
import type { Words } from './words.ts';
import { relativeTime } from './wording.ts';

/** Asks what may change of a picture. The id is the draft's. */
export function renderPaintQuestion(id: string, until: number, words: Words): MessagePayload {
  const text = renderText(words.say('paint.question', { until: relativeTime(until) }));
  const buttons = renderButtons(id, [
    { verb: VERB.paint, label: words.say('paint.button.paint'), isPrimary: true },
    { verb: VERB.whole, label: words.say('paint.button.whole') },
  ]);
  return withBelow(text, buttons);
}

/** The way to the painter, for whoever may paint. */
export function renderPaintLink(url: string, until: number, words: Words): MessagePayload {
  const text = renderText(words.say('paint.link', { until: relativeTime(until) }));
  const button = { type: ComponentType.Button as const, style: ButtonStyle.Link as const, url };
  const row = {
    type: ComponentType.ActionRow as const,
    components: [{ ...button, label: words.say('paint.button.open') }],
  };
  return withBelow(text, row);
}
