import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, call, verdict } from './raw-bot.ts';
import { COMMANDS, setScene } from './support.ts';

const option = (name: string, rest: object = {}) => ({ type: 3, name, description: 'x', ...rest });
const chat = (...options: unknown[]) => ({ name: 'imagine', description: 'x', options });
const choices = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `n${index}`, value: `v${index}` }));

/** What Discord refuses, and the one place that its errors name. */
const REFUSED: readonly (readonly [name: string, faultyPath: string, commands: readonly unknown[]])[] = [
  ['an upper-case name', '0.name', [{ name: 'Imagine', description: 'x' }]],
  ['a name with a space', '0.name', [{ name: 'imagine it', description: 'x' }]],
  ['no description', '0.description', [{ name: 'imagine' }]],
  ['a description of 101 characters', '0.description', [{ name: 'imagine', description: 'x'.repeat(101) }]],
  ['a menu with a description', '0.description', [{ type: 3, name: 'Edit', description: 'x' }]],
  ['26 options', '0.options', [chat(...Array.from({ length: 26 }, (_, index) => option(`o${index}`)))]],
  ['required after optional', '0.options.1', [chat(option('a'), option('b', { required: true }))]],
  ['two options of one name', '0.options.1', [chat(option('a'), option('a'))]],
  ['26 choices', '0.options.0.choices', [chat(option('a', { choices: choices(26) }))]],
  [
    'choices with autocomplete',
    '0.options.0.autocomplete',
    [chat(option('a', { choices: choices(1), autocomplete: true }))],
  ],
  [
    'a choice of the wrong type',
    '0.options.0.choices.0.value',
    [chat(option('a', { choices: [{ name: 'a', value: 1 }] }))],
  ],
  ['length of 6,001', '0.options.0.max_length', [chat(option('a', { max_length: 6001 }))]],
  [
    'minimum above maximum',
    '0.options.0',
    [chat({ type: 4, name: 'a', description: 'x', min_value: 2, max_value: 1 })],
  ],
  ['a subcommand beside an option', '0.options.1', [chat(option('a'), { type: 1, name: 'b', description: 'x' })]],
  [
    'a language that Discord does not have',
    '0.name_localizations.xx',
    [{ ...chat(), name_localizations: { xx: 'a' } }],
  ],
  ['a translated name in upper case', '0.name_localizations.de', [{ ...chat(), name_localizations: { de: 'Malen' } }]],
  [
    'a translated option name with a space',
    '0.options.0.name_localizations.de',
    [chat(option('a', { name_localizations: { de: 'das bild' } }))],
  ],
  [
    'a translated option name of 33 characters',
    '0.options.0.name_localizations.fr',
    [chat(option('a', { name_localizations: { fr: 'x'.repeat(33) } }))],
  ],
  [
    'a translated description of 101 characters',
    '0.options.0.description_localizations.de',
    [chat(option('a', { description_localizations: { de: 'x'.repeat(101) } }))],
  ],
  [
    'a translated choice without a name',
    '0.options.0.choices.0.name_localizations.ja',
    [chat(option('a', { choices: [{ name: 'a', value: 'a', name_localizations: { ja: '' } }] }))],
  ],
  [
    'two options of one name in another language',
    '0.options.1.name_localizations.de',
    [chat(option('a', { name_localizations: { de: 'c' } }), option('b', { name_localizations: { de: 'c' } }))],
  ],
  [
    'an option named in another language as one that is not translated',
    '0.options.1.name_localizations.de',
    [chat(option('a', { name_localizations: { de: 'b' } }), option('b'))],
  ],
  [
    'two choices of one name in another language',
    '0.options.0.choices.1.name_localizations.fr',
    [chat(option('a', { choices: choices(2).map((choice) => ({ ...choice, name_localizations: { fr: 'c' } })) }))],
  ],
  [
    'two commands of one name in another language',
    '1.name_localizations.de',
    [chat(), { name: 'edit', description: 'x' }].map((command) => ({ ...command, name_localizations: { de: 'c' } })),
  ],
  ['an unknown key', '0.colour', [{ ...chat(), colour: 1 }]],
  ['an unknown context', '0.contexts.0', [{ ...chat(), contexts: [3] }]],
  ['two commands of one name', '1', [chat(), chat()]],
  ['16 message menus', '', Array.from({ length: 16 }, (_, index) => ({ type: 3, name: `Edit ${index}` }))],
  [
    '8,001 characters only in another language',
    '0',
    [
      chat(
        ...'abcd'.split('').map((name) =>
          option(name, {
            choices: choices(25).map((choice, index) => ({
              ...choice,
              name_localizations: { de: `${index}`.padEnd(79, 'x') },
            })),
          }),
        ),
      ),
    ],
  ],
  [
    '8,001 characters in all',
    '0',
    [
      chat(
        ...'abcdef'.split('').map((name) =>
          option(name, {
            choices: choices(25).map((choice, index) => ({ name: choice.name, value: `${index}`.padEnd(52, 'x') })),
          }),
        ),
      ),
    ],
  ],
];

test('commands that Discord does not take are refused and change nothing', async (context) => {
  const { discord } = await setScene(context);
  const path = `/applications/${discord.applicationId}/commands`;
  const before = discord.registeredCommands();
  for (const [name, faultyPath, commands] of REFUSED) {
    assert.deepEqual(verdict(await call(discord, 'PUT', path, commands)), { status: 400, code: 50035 }, name);
    assert.deepEqual(
      discord.violations.at(-1)?.problems.map(({ path: steps }) => steps.join('.')),
      [faultyPath],
      name,
    );
  }
  assert.equal(discord.registeredCommands(), before);
});

test('commands keep their ids when they are registered again', async (context) => {
  const { discord } = await setScene(context);
  const path = `/applications/${discord.applicationId}/commands`;
  const ids = () => discord.registeredCommands().map(({ id }) => id);
  const before = ids();
  assert.equal((await call(discord, 'PUT', path, COMMANDS)).status, 200);
  assert.deepEqual(ids(), before);
  const listed = await call(discord, 'GET', path);
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => at(listed.body, index, 'name')),
    ['imagine', 'settings', 'Edit image', undefined],
  );
});

test('a command that does not say where it is installed is as the application is', async (context) => {
  const { discord, guild, member, bot } = await setScene(context);
  const path = `/applications/${discord.applicationId}/commands`;
  const installations = async () => at((await call(discord, 'GET', path)).body, 0, 'integration_types');
  assert.deepEqual(await installations(), [0]);
  discord.world.isInstallableToUsers = true;
  assert.deepEqual(await installations(), [0, 1]);

  const invoke = () => discord.invoke({ member, command: 'imagine', options: { prompt: 'a fox' } });
  discord.removeGuild(guild);
  assert.throws(invoke, /not installed here/);
  member.user.hasInstalledBot = true;
  invoke();
  await bot.waitFor(() => bot.events('INTERACTION_CREATE').length === 1, 'the interaction');
  const owners = at(bot.events('INTERACTION_CREATE'), 0, 'd', 'authorizing_integration_owners');
  assert.deepEqual(owners, { 1: member.user.id });
});
