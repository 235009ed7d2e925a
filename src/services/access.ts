import { checkOptions, chooseModel } from './call-planning.ts';
import type { AccessRule, GuildSettings } from './guild-settings.ts';
import { accessRulesOf } from './guild-settings.ts';
import type { ImageRequest } from './image-request.ts';
import type { JobRefusal } from './job-outcome.ts';
import { QUALITIES } from './providers/image-provider.ts';
import type { ImageModel } from './providers/models.ts';
import { defaultQuality } from './providers/models.ts';

/** A request with its server's defaults in it, and the model that will be asked. */
export type Allowed = { readonly request: ImageRequest; readonly model: ImageModel };

/** Holds a request to what its server has decided and what models can do; why it is refused, where it is. */
export function applyRules(
  asked: ImageRequest,
  settings: GuildSettings,
  models: readonly ImageModel[],
): Allowed | JobRefusal {
  // Whoever names no model gets the first that they may use; where there is none, they hear what they may not.
  const usable = asked.model === undefined ? modelsFor(asked, settings, models) : [];
  const choices = usable.length > 0 ? usable : models;
  const filled = withDefaults(asked, settings, choices);
  const model = chooseModel(filled, choices);
  if ('reason' in model) return model;
  const refusalOf = (request: ImageRequest): JobRefusal | undefined =>
    checkOptions(request, model, models) ?? checkAccess(request, model.id, settings);
  const request = asked.quality === undefined ? withUsableQuality(filled, refusalOf) : filled;
  return refusalOf(request) ?? { request, model };
}

/**
 * Whoever names no quality gets the one that is used otherwise, or where their roles do not let them use it, the next
 * lower one that they do, and else the next higher.
 */
function withUsableQuality(
  request: ImageRequest,
  refusalOf: (request: ImageRequest) => JobRefusal | undefined,
): ImageRequest {
  const usual = QUALITIES.findIndex((quality) => quality === usedQuality(request));
  const byNearness = [...QUALITIES.slice(0, usual + 1).toReversed(), ...QUALITIES.slice(usual + 1)];
  const choices = [request, ...byNearness.map((quality) => ({ ...request, quality }))];
  // What is refused for something else is to be refused for that.
  const isUsable = (choice: ImageRequest): boolean => {
    const refusal = refusalOf(choice);
    return refusal === undefined || (refusal.reason === 'not-allowed' && refusal.option !== 'quality');
  };
  return choices.find(isUsable) ?? request;
}

const OPTIONS_WITH_DEFAULT = ['size', 'quality', 'format'] as const;

/**
 * Puts a server's defaults where the member chose nothing. A default that is gone, or that does not go with what the
 * member did choose, is left off: nobody asked for it. An edit keeps the shape of its picture unless somebody does ask.
 */
export function withDefaults(
  asked: ImageRequest,
  { defaults }: GuildSettings,
  models: readonly ImageModel[],
): ImageRequest {
  const isModelThere = models.some(({ id }) => id === defaults.model);
  const request = { ...asked, model: asked.model ?? (isModelThere ? defaults.model : undefined) };
  const model = chooseModel(request, models);
  if ('reason' in model) return request;
  for (const option of OPTIONS_WITH_DEFAULT) {
    const value = defaults[option];
    const isOpen = request[option] === undefined && !(option === 'size' && request.operation === 'edit');
    if (value === undefined || !isOpen) continue;
    if (!checkOptions({ ...request, [option]: value }, model, models)) request[option] = value;
  }
  return request;
}

/**
 * Whether a member's roles let them use this model, quality and number of images. One role that allows all of it is
 * enough; what two roles allow each by half is allowed by neither.
 */
export function checkAccess(request: ImageRequest, model: string, settings: GuildSettings): JobRefusal | undefined {
  const rules = accessRulesOf(settings, request.guild, request.roles);
  if (rules.length === 0) return undefined;
  const withModel = rules.filter((rule) => allowsModel(rule, model));
  if (withModel.length === 0) return refuse('model', model, allowedBy(rules, 'models'));

  const quality = usedQuality(request);
  const withQuality = withModel.filter(({ qualities }) => qualities?.includes(quality) ?? true);
  if (withQuality.length === 0) return refuse('quality', quality, allowedBy(withModel, 'qualities'));

  const countMax = Math.max(...withQuality.map((rule) => rule.countMax ?? Infinity));
  return request.count > countMax ? refuse('count', String(request.count), [String(countMax)]) : undefined;
}

/** What the provider will be asked for. */
function usedQuality({ quality }: ImageRequest): string {
  return quality === undefined || quality === 'auto' ? defaultQuality : quality;
}

/** The models that a member's roles let them use in some way, the one first that is used where none is chosen. */
export function modelsFor(
  { guild, roles }: Pick<ImageRequest, 'guild' | 'roles'>,
  settings: GuildSettings,
  models: readonly ImageModel[],
): readonly ImageModel[] {
  const rules = accessRulesOf(settings, guild, roles);
  const allowed = models.filter(({ id }) => rules.length === 0 || rules.some((rule) => allowsModel(rule, id)));
  const isDefault = ({ id }: ImageModel): boolean => id === settings.defaults.model;
  return [...allowed.filter(isDefault), ...allowed.filter((model) => !isDefault(model))];
}

function allowsModel({ models }: AccessRule, model: string): boolean {
  return models?.includes(model) ?? true;
}

function allowedBy(rules: readonly AccessRule[], kind: 'models' | 'qualities'): readonly string[] {
  return [...new Set(rules.flatMap((rule) => rule[kind] ?? []))];
}

function refuse(option: 'model' | 'quality' | 'count', value: string, allowed: readonly string[]): JobRefusal {
  return { reason: 'not-allowed', option, value, allowed };
}
