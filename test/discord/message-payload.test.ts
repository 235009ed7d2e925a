import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ComponentType } from 'discord.js';
import { renderText, renderTextWithFiles } from '../../src/discord/message-payload.ts';

describe('texts', () => {
  it('are cut before Discord would refuse them, and so are descriptions of pictures', () => {
    const [text] = renderText('x'.repeat(5_000)).components;
    assert.equal(text?.type === ComponentType.TextDisplay && text.content.length, 4_000);
    const picture = { name: 'chart.png', altText: 'y'.repeat(2_000) };
    const { attachments } = renderTextWithFiles('', [], picture);
    assert.equal(attachments?.[0]?.description?.length, 1_024);
  });
});
