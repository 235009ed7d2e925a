import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { it } from 'node:test';
import { createImageWorkshop } from '../../../src/services/images/image-workshop.ts';

it('loads the library with the next picture where it could not be loaded with the one before', async () => {
  const workshop = createImageWorkshop({ concurrency: 1, waitingMax: 1 });
  const measure = async () =>
    workshop.run(async (sharp) => ({ kind: 'loaded', versions: Object.keys(sharp.versions) }));
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier === 'sharp') throw new Error('it is being installed anew');
      return nextResolve(specifier, context);
    },
  });
  await assert.rejects(measure, { message: 'it is being installed anew' });
  hooks.deregister();
  assert.equal((await measure()).kind, 'loaded');
});
