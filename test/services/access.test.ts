import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyRules, checkAccess, withDefaults } from '../../src/services/access.ts';
import { createModelCatalogue } from '../../src/services/providers/models.ts';
import { createRequest } from './job-fixture.ts';
import { createSettings } from './settings-fixture.ts';

const catalogue = createModelCatalogue();
const [first, second] = ['gpt-image-2.5-sunburst', 'gpt-image-1.5'].map(
  (id) => catalogue.find(id) ?? assert.fail(`there is no ${id}`),
);
const models = [first ?? assert.fail(), second ?? assert.fail()];

describe('withDefaults', () => {
  const defaults = { model: 'gpt-image-1.5', size: '1536x1024', quality: 'low', format: 'webp' };

  it('puts defaults where the member chose nothing, and nowhere else', () => {
    const settings = createSettings({ defaults });
    assert.deepEqual(withDefaults(createRequest(), settings, models), createRequest(defaults));
    const chosen = createRequest({
      model: 'gpt-image-2.5-sunburst',
      size: 'auto',
      quality: 'high',
      format: 'png',
    });
    assert.deepEqual(withDefaults(chosen, settings, models), chosen);
    assert.deepEqual(withDefaults(createRequest(), createSettings(), models), { ...createRequest(), model: undefined });
  });

  it('leaves a default model off that is no longer offered', () => {
    const settings = createSettings({ defaults });
    assert.equal(withDefaults(createRequest(), settings, models.slice(0, 1)).model, undefined);
  });

  it('leaves off what the model in question does not have', () => {
    const settings = createSettings({ defaults: { quality: 'max', size: '3840x2160', format: 'webp' } });
    const { quality, size, format } = withDefaults(createRequest({ model: 'gpt-image-1.5' }), settings, models);
    assert.deepEqual({ quality, size, format }, { quality: undefined, size: undefined, format: 'webp' });
    const able = withDefaults(createRequest({ model: 'gpt-image-2.5-sunburst' }), settings, models);
    assert.deepEqual([able.quality, able.size], ['max', '3840x2160']);
  });

  it('leaves off a format in which the wish for transparency would be lost', () => {
    const settings = createSettings({ defaults: { format: 'jpeg' } });
    const transparent = createRequest({ background: 'transparent', model: 'gpt-image-1.5' });
    assert.equal(withDefaults(transparent, settings, models).format, undefined);
    assert.equal(withDefaults(createRequest(), settings, models).format, 'jpeg');
  });

  it('keeps the shape of a picture that is edited', () => {
    const settings = createSettings({ defaults });
    const edited = withDefaults(createRequest({ operation: 'edit' }), settings, models);
    assert.deepEqual([edited.size, edited.quality], [undefined, 'low']);
    assert.equal(
      withDefaults(createRequest({ operation: 'edit', size: '1024x1024' }), settings, models).size,
      '1024x1024',
    );
  });
});

function refused(option: string, value: string, ...allowed: readonly string[]) {
  return { reason: 'not-allowed', option, value, allowed };
}

describe('whoever names no model', () => {
  const ROLE = '7';
  const asked = createRequest({ roles: [ROLE] });
  const modelOf = (request: typeof asked, settings: ReturnType<typeof createSettings>) => {
    const allowed = applyRules(request, settings, models);
    return 'reason' in allowed ? allowed.reason : allowed.model.id;
  };

  it('gets the first that their roles let them use', () => {
    const access = { [ROLE]: { models: ['gpt-image-1.5'] } };
    assert.equal(modelOf(asked, createSettings()), 'gpt-image-2.5-sunburst');
    assert.equal(modelOf(asked, createSettings({ access })), 'gpt-image-1.5');
    assert.equal(modelOf({ ...asked, model: 'gpt-image-2.5-sunburst' }, createSettings({ access })), 'not-allowed');
  });

  it("gets their server's default before that, where they may use it", () => {
    const defaults = { model: 'gpt-image-1.5' };
    assert.equal(modelOf(asked, createSettings({ defaults })), 'gpt-image-1.5');
    const access = { [ROLE]: { models: ['gpt-image-2.5-sunburst'] } };
    assert.equal(modelOf(asked, createSettings({ defaults, access })), 'gpt-image-2.5-sunburst');
  });

  it('hears what they may not where there is none for them', () => {
    const access = { [ROLE]: { models: ['gpt-image-2'] } };
    assert.equal(modelOf(asked, createSettings({ access })), 'not-allowed');
  });
});

describe('whoever names no quality', () => {
  const ROLE = '7';
  const asked = createRequest({ roles: [ROLE] });
  const qualityOf = (qualities: string[], request = asked, defaults = {}) => {
    const settings = createSettings({ access: { [ROLE]: { qualities, countMax: 1 } }, defaults });
    const allowed = applyRules(request, settings, models);
    return 'reason' in allowed ? allowed : allowed.request.quality;
  };

  it('gets the nearest one to the usual that their roles let them use, a lower one first', () => {
    assert.equal(qualityOf(['low', 'medium', 'high']), undefined);
    assert.equal(qualityOf(['low', 'high']), 'low');
    assert.equal(qualityOf(['max', 'high']), 'high');
    assert.equal(qualityOf(['low', 'medium'], asked, { quality: 'max' }), 'medium');
  });

  it('gets none that the model does not have', () => {
    assert.equal(qualityOf(['max', 'high'], { ...asked, model: 'gpt-image-1.5' }), 'high');
    const onlyMax = qualityOf(['max'], { ...asked, model: 'gpt-image-1.5' });
    assert.deepEqual(onlyMax, refused('quality', 'medium', 'max'));
  });

  it('is refused for what else they may not', () => {
    assert.deepEqual(qualityOf(['low'], { ...asked, count: 2 }), refused('count', '2', '1'));
  });

  it('keeps to what somebody names', () => {
    assert.deepEqual(qualityOf(['low'], { ...asked, quality: 'medium' }), refused('quality', 'medium', 'low'));
  });
});

describe('checkAccess', () => {
  const access = {
    cheap: { models: ['gpt-image-1.5'], qualities: ['low', 'medium'], countMax: 4 },
    dear: { models: ['gpt-image-2.5-sunburst'], qualities: ['low'], countMax: 1 },
    free: {},
    guild: { models: ['gpt-image-1.5'], qualities: ['low'] },
  };
  const settings = createSettings({ access });
  const check = (model: string, changes: Parameters<typeof createRequest>[0]) =>
    checkAccess(createRequest(changes), model, settings);
  it('lets everybody do everything where there are no rules', () => {
    const request = createRequest({ quality: 'max', count: 4, roles: ['cheap'] });
    assert.equal(checkAccess(request, 'gpt-image-1.5', createSettings()), undefined);
    const others = createSettings({ access: { dear: access.dear } });
    assert.equal(checkAccess(request, 'gpt-image-1.5', others), undefined, 'rules of other roles restrict nobody');
  });

  it('names what is not allowed and what would be', () => {
    const roles = ['cheap'];
    assert.deepEqual(
      check('gpt-image-2.5-sunburst', { roles }),
      refused('model', 'gpt-image-2.5-sunburst', 'gpt-image-1.5'),
    );
    assert.deepEqual(check('gpt-image-1.5', { roles, quality: 'high' }), refused('quality', 'high', 'low', 'medium'));
    const counted = createSettings({ access: { cheap: { countMax: 2 } } });
    assert.deepEqual(
      checkAccess(createRequest({ roles, count: 3 }), 'gpt-image-1.5', counted),
      refused('count', '3', '2'),
    );
    assert.equal(checkAccess(createRequest({ roles, count: 2 }), 'gpt-image-1.5', counted), undefined);
  });

  it('is content with one role that allows all of it', () => {
    const roles = ['dear', 'cheap'];
    assert.equal(check('gpt-image-1.5', { roles, quality: 'medium', count: 4 }), undefined);
    assert.equal(check('gpt-image-2.5-sunburst', { roles, quality: 'low' }), undefined);
    assert.equal(check('gpt-image-2.5-sunburst', { roles: [...roles, 'free'], quality: 'max', count: 4 }), undefined);
  });

  it('does not put together what one role allows with what another does', () => {
    const roles = ['dear', 'cheap'];
    assert.deepEqual(
      check('gpt-image-2.5-sunburst', { roles, quality: 'medium' }),
      refused('quality', 'medium', 'low'),
    );
    assert.deepEqual(check('gpt-image-2.5-sunburst', { roles, quality: 'low', count: 2 }), refused('count', '2', '1'));
  });

  it('takes a quality that nobody chose for the one that will be made', () => {
    for (const quality of [undefined, 'auto']) {
      assert.deepEqual(check('gpt-image-1.5', { quality }), refused('quality', 'medium', 'low'));
    }
  });

  it("holds those without a rule of their own to @everyone's, and only those", () => {
    assert.equal(check('gpt-image-1.5', { quality: 'low', roles: ['another'] }), undefined);
    assert.deepEqual(check('gpt-image-1.5', { quality: 'high', roles: [] }), refused('quality', 'high', 'low'));
    assert.equal(check('gpt-image-1.5', { quality: 'high', roles: ['free'] }), undefined);
  });
});
