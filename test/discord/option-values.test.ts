import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { APIApplicationCommandOption, CommandInteractionOption } from 'discord.js';
import { ApplicationCommandOptionType as Type } from 'discord.js';
import { settleOptions } from '../../src/discord/option-values.ts';

const ANY_OPTION: APIApplicationCommandOption = { type: Type.String, name: 'it', description: 'it' };

/** Holds the one value that was filled in to the one option that there is. */
function settle(option: object, value: unknown, resolved: object = {}) {
  // What comes through the gateway has whatever type it has.
  const given: CommandInteractionOption = { name: 'it', type: Type.String };
  Object.assign(given, { value }, resolved);
  const schema = [Object.assign({ ...ANY_OPTION }, option)];
  const unusable = settleOptions(schema, { get: () => given, getSubcommand: () => 'set' });
  return unusable === undefined ? given.value : 'unusable';
}

function subcommand(name: string) {
  return { type: Type.Subcommand, name, options: [{ type: Type.Integer, name: 'it', description: 'it' }] };
}

describe('the values of options', () => {
  test('whole numbers', () => {
    const count = { type: Type.Integer, min_value: 1, max_value: 4 };
    for (const value of [1, 4, '3', 2.0]) assert.equal(settle(count, value), Number(value));
    for (const value of [0, 5, -1, 1.5, '', 'two', '1.5', NaN, Infinity, true]) {
      assert.equal(settle(count, value), 'unusable', String(value));
    }
  });

  test('numbers', () => {
    const usd = { type: Type.Number, min_value: 0 };
    assert.deepEqual([settle(usd, 50.5), settle(usd, '50.5')], [50.5, 50.5]);
    for (const value of [-1, 'much', NaN, Infinity]) assert.equal(settle(usd, value), 'unusable', String(value));
  });

  test('texts, counted as people count', () => {
    const text = { type: Type.String, max_length: 3 };
    assert.deepEqual([settle(text, 'fox'), settle(text, '🦊🦊🦊'), settle(text, 12)], ['fox', '🦊🦊🦊', '12']);
    for (const value of ['', 'foxes', true]) assert.equal(settle(text, value), 'unusable', String(value));
  });

  test('choices', () => {
    const choice = { type: Type.String, choices: [{ name: 'Low', value: 'low' }] };
    assert.deepEqual([settle(choice, 'low'), settle(choice, 'Low')], ['low', 'unusable']);
  });

  test('yes and no', () => {
    const yes = { type: Type.Boolean };
    assert.deepEqual([settle(yes, true), settle(yes, 'false'), settle(yes, 'no')], [true, false, 'unusable']);
  });

  test('what is pointed at has to come along', () => {
    assert.equal(settle({ type: Type.User }, '7'), 'unusable');
    assert.equal(settle({ type: Type.User }, '7', { user: { id: '7' } }), '7');
    assert.equal(settle({ type: Type.Attachment }, '7', { user: { id: '7' } }), 'unusable');
    assert.equal(settle({ type: Type.Mentionable }, '7', { role: { id: '7' } }), '7');
  });

  test('what was left out may be, unless it is required', () => {
    const option = { type: Type.String };
    assert.equal(settle(option, undefined), undefined);
    assert.equal(settle(option, null), null);
    assert.equal(settle({ ...option, required: true }, null), 'unusable');
  });

  test('the options of the subcommand that was chosen, and of no other', () => {
    assert.equal(settle(subcommand('set'), 'nothing'), 'unusable');
    assert.equal(settle(subcommand('other'), 'nothing'), 'nothing');
  });
});
