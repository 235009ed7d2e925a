import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { createCommandRunner } from '../../sandbox/command-runner.ts';
import { judge } from './judgement.ts';
import { setStage } from './support.ts';

it('whoever tries Easel out types commands, presses buttons and fills in forms, and sees what a member would', async (t) => {
  const stage = await setStage(t);
  await stage.startBot();
  const runner = createCommandRunner(stage, join(stage.dataDirectory, 'output'));
  const options = { prompt: 'two foxes', count: '2', quality: 'low' };
  const first = await runner.type({ name: 'imagine', options });
  assert.match(first.text, /^│ two foxes$[^]*^│ -# For @mira$[^]*^│ \[Edit\] \[Vary\] \[Again\] \[Delete\]$/m);
  assert.equal(first.savedPaths.length, 2);

  const form = await runner.press('edit', {});
  assert.match(form.text, /^│ --picture {2}Which picture\? \(0, 1\), needed$/m);
  assert.match(form.text, /^│ --part {2}Which part may change\? \(left, right,/m);
  const edited = await runner.press('edit', { prompt: 'a hat', picture: '1', part: 'left', choices: 'keep-outside' });
  assert.match(edited.text, /^│ a hat$[^]*region could change: 50%/m);
  assert.equal(edited.savedPaths.length, 1);
  assert.ok(edited.savedPaths.every((path) => existsSync(path)));

  await assert.rejects(
    runner.press('Original', {}),
    /There is no button "Original"\. There are: Edit, Vary, Again, Delete\./,
  );
  assert.equal((await runner.press('Delete', {})).text, '(deleted)');
  await assert.rejects(runner.press('Edit', {}), /no answer yet/);
  assert.equal(judge(stage).posted, 2);
});
