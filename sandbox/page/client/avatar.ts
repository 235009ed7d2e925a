import { make } from './dom.ts';

/** Hues that read well below white letters. */
const HUES = [265, 205, 155, 330, 20, 290, 180, 235] as const;

/** The first letter of a name on a colour of its own. */
export function makeAvatar({
  id,
  name,
  isBot,
}: {
  readonly id: string;
  readonly name: string;
  readonly isBot: boolean;
}): HTMLElement {
  const avatar = make(
    'span',
    { class: `avatar ${isBot ? 'bot' : ''}`, 'aria-hidden': 'true' },
    name.slice(0, 1).toUpperCase(),
  );
  const hue = HUES[Number(BigInt(id) % 7919n) % HUES.length] ?? HUES[0];
  avatar.style.setProperty('--hue', String(hue));
  return avatar;
}
