import type { ImageCall, PreviewTarget } from './image-provider.ts';
import type { DispensableParameter } from './image-request.ts';
import { listDispensable } from './image-request.ts';
import { findRefusedParameters, isStreamRefusal } from './provider-errors.ts';

/** What a call can do without where its provider does not know it. */
export type RefusedPart = DispensableParameter | 'stream';

/** What a call asks for, before anything is left out of it. */
export type Wish = { readonly call: ImageCall; readonly previews: PreviewTarget | undefined };

/** The same without what its provider does not know. */
export type Reduced = {
  readonly previews: PreviewTarget | undefined;
  readonly omitted: ReadonlySet<DispensableParameter>;
};

/** The call was refused because of something that it can do without, so nothing was made. */
export class PartRefusedError extends Error {
  override readonly name = 'PartRefusedError';
  readonly parts: readonly RefusedPart[];

  constructor(parts: readonly RefusedPart[], cause: unknown) {
    super(`The provider does not take ${parts.join(', ')}.`, { cause });
    this.parts = parts;
  }
}

/** What a refusal is about, of what was asked for, so that nothing is left out twice. */
export function findRefusedParts(
  error: unknown,
  { call, previews, omitted }: { readonly call: ImageCall } & Reduced,
): readonly RefusedPart[] {
  const dispensable = listDispensable(call).filter((name) => !omitted.has(name));
  const parameters = findRefusedParameters(error, dispensable);
  if (parameters.length > 0) return parameters;
  return previews !== undefined && isStreamRefusal(error) ? ['stream'] : [];
}

/**
 * Leaves out of calls what their model's provider refuses, and remembers it, so that later calls are not refused first.
 * It is asked for again when the process begins anew.
 */
export class RefusedParts {
  readonly #refusedByModel = new Map<string, readonly RefusedPart[]>();

  /** @param attempt throws a `PartRefusedError` where it could be made with less */
  async without<Result>(wish: Wish, attempt: (reduced: Reduced) => Promise<Result>): Promise<Result> {
    return this.#attemptWithout(this.#refusedBy(wish.call.model), wish, attempt);
  }

  /** Each repetition asks for less, so there are few; and each follows a refusal, so nothing was made before it. */
  async #attemptWithout<Result>(
    refused: readonly RefusedPart[],
    wish: Wish,
    attempt: (reduced: Reduced) => Promise<Result>,
  ): Promise<Result> {
    const { model } = wish.call;
    const omitted = new Set(listDispensable(wish.call).filter((name) => refused.includes(name)));
    const previews = refused.includes('stream') ? undefined : wish.previews;
    try {
      const result = await attempt({ previews, omitted });
      this.#refusedByModel.set(model, [...new Set([...this.#refusedBy(model), ...refused])]);
      return result;
    } catch (error) {
      if (!(error instanceof PartRefusedError)) throw error;
      return this.#attemptWithout([...refused, ...error.parts], wish, attempt);
    }
  }

  #refusedBy(model: string): readonly RefusedPart[] {
    return this.#refusedByModel.get(model) ?? [];
  }
}
