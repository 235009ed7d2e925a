import type { Action, ActionName } from '../action-schema.ts';
import type { ChoiceView, InteractionView, WorldView } from '../view.ts';

/** The page's server did not do what it was asked for. The message is for people. */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';
}

type Answers = {
  readonly command: InteractionView;
  readonly messageMenu: InteractionView;
  readonly button: InteractionView;
  readonly select: InteractionView;
  readonly modal: InteractionView;
  readonly autocomplete: readonly ChoiceView[];
  readonly message: unknown;
  readonly clock: unknown;
  readonly bot: unknown;
  readonly fault: unknown;
};

/**
 * Asks the page's server to do something as the person who is at the page.
 * @throws {RequestFailure}
 */
export async function ask<Name extends ActionName>(name: Name, action: Action<Name>): Promise<Answers[Name]> {
  const answer = await send(`/api/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(action),
  });
  const result: Answers[Name] = await answer.json();
  return result;
}

/**
 * Uploads a file and answers its id.
 * @throws {RequestFailure}
 */
export async function upload(file: File): Promise<string> {
  const answer = await send(`/api/uploads?filename=${encodeURIComponent(file.name)}`, { method: 'POST', body: file });
  const { id }: { readonly id: string } = await answer.json();
  return id;
}

/** @throws {RequestFailure} */
export async function fetchWorld(): Promise<WorldView> {
  const answer = await send('/api/world', {});
  const world: WorldView = await answer.json();
  return world;
}

const HTTP_CONTENT_TOO_LARGE = 413;

async function send(path: string, options: RequestInit): Promise<Response> {
  const answer = await fetch(path, options).catch(() => undefined);
  if (answer === undefined) throw new RequestFailure('The sandbox does not answer; it may have been stopped.');
  if (answer.ok) return answer;
  if (answer.status === HTTP_CONTENT_TOO_LARGE) throw new RequestFailure('The file is too large to be uploaded.');
  const told: { readonly message?: string } = await answer.json().catch(() => ({}));
  throw new RequestFailure(told.message ?? `The sandbox answered with ${answer.status}.`);
}
