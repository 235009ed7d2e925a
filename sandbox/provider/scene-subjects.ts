/** The things that a scene can show, each drawn in a box of 100 by 100 that stands on its lower edge. */
import type { Subject } from './scene-words.ts';

/** CSS colours: of the body, and a lighter and a darker one beside it. */
export type Inks = { readonly body: string; readonly light: string; readonly dark: string };

const ink = '#1b1d2a';

function eyes(leftX: number, rightX: number, y: number): string {
  const eye = (x: number): string =>
    `<circle cx="${x}" cy="${y}" r="3.4" fill="${ink}"/><circle cx="${x + 1}" cy="${y - 1}" r="1" fill="#fff"/>`;
  return eye(leftX) + eye(rightX);
}

/** Sitting animals differ in their ears, muzzle and tail. */
function sittingAnimal(inks: Inks, ears: string, tail: string, muzzle: string): string {
  return `${tail}
    <ellipse cx="50" cy="78" rx="21" ry="23" fill="${inks.body}"/>
    <ellipse cx="50" cy="84" rx="12" ry="15" fill="${inks.light}"/>
    <ellipse cx="40" cy="98" rx="8" ry="4" fill="${inks.dark}"/><ellipse cx="60" cy="98" rx="8" ry="4" fill="${inks.dark}"/>
    ${ears}<ellipse cx="50" cy="42" rx="25" ry="21" fill="${inks.body}"/>
    ${muzzle}${eyes(40, 60, 40)}<ellipse cx="50" cy="52" rx="3.6" ry="2.6" fill="${ink}"/>`;
}

const drawings: Readonly<Record<Subject, (inks: Inks) => string>> = {
  fox: (inks) =>
    sittingAnimal(
      inks,
      `<path d="M27 36 L24 6 L46 24Z M73 36 L76 6 L54 24Z" fill="${inks.dark}"/>`,
      `<path d="M64 92 C96 94 102 62 84 50 C90 70 76 74 62 78Z" fill="${inks.body}"/><path d="M84 50 C90 54 93 61 92 68 L80 66 C84 61 85 56 84 50Z" fill="#fff"/>`,
      '<path d="M26 46 C36 46 44 50 50 60 C56 50 64 46 74 46 C70 58 60 64 50 64 C40 64 30 58 26 46Z" fill="#fff"/>',
    ),
  cat: (inks) =>
    sittingAnimal(
      inks,
      `<path d="M28 34 L28 12 L46 24Z M72 34 L72 12 L54 24Z" fill="${inks.body}"/>`,
      `<path d="M66 94 C92 96 84 72 90 60" fill="none" stroke="${inks.body}" stroke-width="7" stroke-linecap="round"/>`,
      `<path d="M20 50 L38 52 M20 57 L38 55 M80 50 L62 52 M80 57 L62 55" stroke="${ink}" stroke-width="0.9"/>`,
    ),
  dog: (inks) =>
    sittingAnimal(
      inks,
      `<ellipse cx="26" cy="42" rx="8" ry="19" fill="${inks.dark}"/><ellipse cx="74" cy="42" rx="8" ry="19" fill="${inks.dark}"/>`,
      `<path d="M68 88 C82 86 86 78 86 70" fill="none" stroke="${inks.body}" stroke-width="8" stroke-linecap="round"/>`,
      `<ellipse cx="50" cy="54" rx="12" ry="9" fill="${inks.light}"/>`,
    ),
  bird: (inks) => `<path d="M46 92 V100 M56 92 V100" stroke="#d9822b" stroke-width="2.5"/>
    <ellipse cx="50" cy="68" rx="28" ry="25" fill="${inks.body}"/><ellipse cx="54" cy="74" rx="16" ry="16" fill="${inks.light}"/>
    <path d="M24 60 C30 84 44 88 56 80 C48 72 40 58 24 60Z" fill="${inks.dark}"/>
    <circle cx="66" cy="42" r="16" fill="${inks.body}"/><path d="M80 38 L95 43 L80 48Z" fill="#f2a33a"/>${eyes(66, 75, 39)}`,
  fish: (inks) => `<path d="M72 60 L98 40 L94 60 L98 80Z" fill="${inks.dark}"/>
    <path d="M40 42 L58 26 L66 44Z M44 78 L58 92 L62 76Z" fill="${inks.dark}"/>
    <ellipse cx="44" cy="60" rx="38" ry="22" fill="${inks.body}"/><path d="M34 42 C44 54 44 66 34 78 M52 40 C62 54 62 66 52 80" fill="none" stroke="${inks.light}" stroke-width="4"/>
    <circle cx="21" cy="55" r="5" fill="#fff"/><circle cx="20" cy="55" r="2.6" fill="${ink}"/>`,
  flower: (inks) => {
    const petals = [0, 60, 120, 180, 240, 300]
      .map(
        (angle) => `<ellipse cx="50" cy="19" rx="12" ry="17" fill="${inks.body}" transform="rotate(${angle} 50 38)"/>`,
      )
      .join('');
    return `<path d="M50 40 C48 66 52 84 50 100" fill="none" stroke="#3d7d3a" stroke-width="4"/>
      <path d="M50 82 C64 62 78 66 82 62 C80 80 64 86 50 86Z" fill="#4b9447"/>${petals}<circle cx="50" cy="38" r="11" fill="#f6c445"/>`;
  },
  house: (
    inks,
  ) => `<rect x="66" y="18" width="9" height="26" fill="${inks.dark}"/><rect x="20" y="48" width="60" height="52" fill="${inks.light}"/>
    <path d="M10 52 L50 14 L90 52Z" fill="${inks.body}"/><rect x="43" y="70" width="15" height="30" fill="${inks.dark}"/>
    <rect x="26" y="60" width="12" height="12" fill="#ffe9a8"/><rect x="64" y="60" width="12" height="12" fill="#ffe9a8"/>`,
  boat: (
    inks,
  ) => `<rect x="48" y="14" width="3" height="64" fill="#6b4a2f"/><path d="M53 16 L86 70 H53Z" fill="#fdfaf2"/>
    <path d="M46 26 L20 70 H46Z" fill="${inks.light}"/><path d="M8 76 H94 C88 92 80 96 70 96 H30 C20 96 13 90 8 76Z" fill="${inks.body}"/>`,
  robot: (
    inks,
  ) => `<path d="M50 20 V8" stroke="${inks.dark}" stroke-width="3"/><circle cx="50" cy="7" r="4" fill="#f6c445"/>
    <rect x="28" y="20" width="44" height="32" rx="7" fill="${inks.body}"/><rect x="34" y="27" width="32" height="17" rx="5" fill="${ink}"/>
    <circle cx="42" cy="35" r="4" fill="#7ef0e4"/><circle cx="58" cy="35" r="4" fill="#7ef0e4"/>
    <rect x="30" y="56" width="40" height="30" rx="6" fill="${inks.light}"/><rect x="16" y="58" width="10" height="24" rx="5" fill="${inks.dark}"/>
    <rect x="74" y="58" width="10" height="24" rx="5" fill="${inks.dark}"/><rect x="34" y="86" width="12" height="14" fill="${inks.dark}"/><rect x="54" y="86" width="12" height="14" fill="${inks.dark}"/>`,
  balloon: (
    inks,
  ) => `<path d="M40 70 L44 84 M60 70 L56 84" stroke="#6b4a2f" stroke-width="1.5"/><rect x="42" y="84" width="16" height="12" rx="2" fill="#8a5a34"/>
    <path d="M50 2 C78 2 86 28 78 46 C74 56 62 64 60 72 H40 C38 64 26 56 22 46 C14 28 22 2 50 2Z" fill="${inks.body}"/>
    <path d="M50 2 C62 14 62 52 54 72 H46 C38 52 38 14 50 2Z" fill="${inks.light}"/>`,
  heart: (
    inks,
  ) => `<path d="M50 94 C10 62 4 40 12 24 C20 8 42 10 50 28 C58 10 80 8 88 24 C96 40 90 62 50 94Z" fill="${inks.body}"/>
    <path d="M24 28 C28 20 36 20 40 26" fill="none" stroke="${inks.light}" stroke-width="6" stroke-linecap="round"/>`,
  star: (inks) => `<path d="M50 4 L62 38 L98 38 L69 59 L80 94 L50 73 L20 94 L31 59 L2 38 L38 38Z" fill="${inks.body}"/>
    <path d="M50 22 L57 44 L78 44 L61 56Z" fill="${inks.light}"/>`,
};

/** SVG elements of a subject. */
export function drawSubject(subject: Subject, inks: Inks): string {
  return drawings[subject](inks);
}
