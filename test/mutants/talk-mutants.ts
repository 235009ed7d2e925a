import type { Mutant } from './mutant.ts';

const BUTTON_TROUBLE = 'test/scenarios/button-trouble.test.ts';
const AFTERWARDS = 'test/scenarios/results-afterwards.test.ts';

/** Bugs in what members are brought and told. */
export const talkMutants: readonly Mutant[] = [
  {
    name: 'news that comes late stays over a result',
    edits: [
      {
        file: 'src/discord/delivery.ts',
        find: "first.result === 'sent' && way === inReply",
        replace: "first.result === 'later' && way === inReply",
      },
    ],
    killers: ['test/discord/delivery.test.ts'],
  },
  {
    name: 'a copy is posted without a look whether the reply has it already',
    edits: [
      {
        file: 'src/discord/delivery.ts',
        find: 'return posted ?? postMessage(',
        replace: 'return (posted && undefined) ?? postMessage(',
      },
    ],
    killers: [AFTERWARDS],
  },
  {
    name: 'a copy is posted of what stands in a reply that is older than its request',
    edits: [
      {
        file: 'src/discord/sent-message.ts',
        find: 'if (reply && isPosted(reply)) return placeOf(reply);',
        replace: 'if (!reply) return undefined;',
      },
    ],
    killers: ['test/scenarios/paint.test.ts'],
  },
  {
    name: 'a result that was deleted before Discord confirmed it is posted once more',
    edits: [
      {
        file: 'src/discord/delivery.ts',
        find: "if (sent.isDeleted) return { state: 'undeliverable' };",
        replace: '',
      },
    ],
    killers: ['test/scenarios/delivery.test.ts'],
  },
  {
    name: 'the question of an edit is put back over what came of its answer',
    edits: [
      {
        file: 'src/commands/paint.ts',
        find: 'async () => (await drafts.read(guild, id)) !== undefined',
        replace: 'async () => true',
      },
    ],
    killers: ['test/scenarios/paint.test.ts'],
  },
  {
    name: 'the log channel is shown the prompt of a private result',
    edits: [
      {
        file: 'src/discord/job-log.ts',
        find: '...(isPrivate ? [] : [`> ${prompt}`])',
        replace: '`> ${prompt}`',
      },
    ],
    killers: [AFTERWARDS],
  },
  {
    name: 'a private result is that of everybody whose button names it',
    edits: [
      {
        file: 'src/commands/posted-result.ts',
        find: 'return record.asked.isPrivate && record.member !== interaction.user.id ? undefined : record;',
        replace: 'return record;',
      },
    ],
    killers: [BUTTON_TROUBLE],
  },
  {
    name: 'an error takes the place of a result that is paid for',
    edits: [
      {
        file: 'src/commands/delete.ts',
        find: "return tellEphemerally(words.say('delete.failed'));",
        replace: "return replies.edit(interaction, renderText(words.say('delete.failed')));",
      },
    ],
    killers: [BUTTON_TROUBLE],
  },
  {
    name: 'a result does not wait for news that is on its way, and is covered by it',
    edits: [
      {
        file: 'src/discord/progress-message.ts',
        find: 'await within(LAST_NEWS_WAIT_MS_MAX, async () => editing);\n      return isEditing ? { settled: editing } : undefined;',
        replace: 'return undefined;',
      },
    ],
    killers: ['test/discord/progress-message.test.ts'],
  },
  {
    name: 'jobs get ahead of the acknowledgements of others',
    edits: [
      {
        file: 'src/discord/acknowledgements.ts',
        find: 'if (unsentCount === 0) return;',
        replace: 'if (unsentCount >= 0) return;',
      },
    ],
    killers: ['test/discord/acknowledgements.test.ts'],
  },
  {
    name: 'an acknowledgement of our own that was lost on its way back is taken for that of another process',
    edits: [
      {
        file: 'src/discord/acknowledgements.ts',
        find: ' && this.cause === undefined;',
        replace: ';',
      },
    ],
    killers: ['test/discord/acknowledgements.test.ts'],
  },
  {
    name: 'an acknowledgement is sent again however late it is',
    edits: [
      {
        file: 'src/discord/acknowledgements.ts',
        find: 'return ageMs + pauseMs < REPETITION_AGE_MS_MAX ? pauseMs : undefined;',
        replace: 'return ageMs < Infinity ? pauseMs : undefined;',
      },
    ],
    killers: ['test/discord/acknowledgements.test.ts'],
  },
];
