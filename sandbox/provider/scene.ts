/** Paints the scene that a prompt describes, as SVG: sky, light, land, subject. It needs no fonts. */
import type { ImageSize } from './model-catalogue.ts';
import type { RandomSource } from './random-source.ts';
import { createRandomSource } from './random-source.ts';
import type { Inks } from './scene-subjects.ts';
import { drawSubject } from './scene-subjects.ts';
import type { Colour, Hour, Place, Subject } from './scene-words.ts';
import { readSceneWords } from './scene-words.ts';

export type SceneRequest = {
  readonly prompt: string;
  /** Which of the pictures of one call, from 0. */
  readonly index: number;
  readonly seed: string;
  readonly size: ImageSize;
  /** Leaves sky and land away, for a picture with a transparent background. */
  readonly isSubjectOnly: boolean;
};

/** The scene is drawn in units of which the short side has this many. */
const shortSideUnits = 100;

type Canvas = { readonly width: number; readonly height: number; readonly random: RandomSource };

const skies: Readonly<Record<Hour, readonly [string, string, string]>> = {
  day: ['#5fa8e6', '#a9d7f5', '#eef6ef'],
  sunset: ['#3b2f63', '#d9627a', '#ffc37a'],
  night: ['#080b22', '#18204a', '#3a3f75'],
};

/** Base colour of the land; nearer layers are darker. */
const lands: Readonly<Record<Place, Colour>> = {
  hills: { hue: 104, saturation: 38, lightness: 56 },
  snow: { hue: 208, saturation: 46, lightness: 94 },
  sea: { hue: 202, saturation: 60, lightness: 56 },
  forest: { hue: 138, saturation: 36, lightness: 42 },
  desert: { hue: 34, saturation: 58, lightness: 66 },
  city: { hue: 226, saturation: 18, lightness: 46 },
  space: { hue: 262, saturation: 40, lightness: 34 },
};

const naturalColours: Readonly<Record<Subject, Colour>> = {
  fox: { hue: 18, saturation: 84, lightness: 54 },
  cat: { hue: 220, saturation: 10, lightness: 46 },
  dog: { hue: 30, saturation: 48, lightness: 50 },
  bird: { hue: 206, saturation: 66, lightness: 54 },
  fish: { hue: 22, saturation: 88, lightness: 58 },
  flower: { hue: 338, saturation: 78, lightness: 62 },
  house: { hue: 10, saturation: 54, lightness: 48 },
  boat: { hue: 356, saturation: 60, lightness: 46 },
  robot: { hue: 200, saturation: 22, lightness: 62 },
  balloon: { hue: 352, saturation: 74, lightness: 56 },
  heart: { hue: 350, saturation: 80, lightness: 54 },
  star: { hue: 46, saturation: 92, lightness: 58 },
};

function css({ hue, saturation, lightness }: Colour, lighter = 0): string {
  const shifted = Math.min(98, Math.max(4, lightness + lighter));
  return `hsl(${hue.toFixed(0)},${saturation.toFixed(0)}%,${shifted.toFixed(0)}%)`;
}

function number(value: number): string {
  return value.toFixed(2);
}

function sky(canvas: Canvas, hour: Hour): string {
  const [top, middle, low] = skies[hour];
  const stops = `<stop offset="0" stop-color="${top}"/><stop offset="0.55" stop-color="${middle}"/><stop offset="1" stop-color="${low}"/>`;
  return `<defs><linearGradient id="sky" x1="0" y1="0" x2="0.12" y2="1">${stops}</linearGradient></defs>
    <rect width="${number(canvas.width)}" height="${number(canvas.height)}" fill="url(#sky)"/>`;
}

/** Sun or moon with its halo, and by night the stars. */
function lights(canvas: Canvas, hour: Hour): string {
  const { width, height, random } = canvas;
  const x = number(width * random.between(0.15, 0.85));
  const y = number(height * (hour === 'sunset' ? random.between(0.42, 0.52) : random.between(0.12, 0.28)));
  const colour = hour === 'night' ? '#f4f1dc' : '#fff0b8';
  const halos = [22, 15, 9].map(
    (radius, index) =>
      `<circle cx="${x}" cy="${y}" r="${radius}" fill="${colour}" opacity="${[0.12, 0.22, 0.95][index]}"/>`,
  );
  const starCount = hour === 'night' ? 60 : 0;
  const stars = Array.from({ length: starCount }, () => {
    const radius = number(random.between(0.12, 0.5));
    const [starX, starY] = [number(random.between(0, width)), number(random.between(0, height * 0.6))];
    return `<circle cx="${starX}" cy="${starY}" r="${radius}" fill="#fff" opacity="0.85"/>`;
  });
  return stars.join('') + halos.join('');
}

function ridge(canvas: Canvas, baseline: number, swing: number): string {
  const { width, height, random } = canvas;
  const phase = random.between(0, 2 * Math.PI);
  const waves = random.between(1.1, 2.4);
  const points = Array.from({ length: 33 }, (_, step) => {
    const along = step / 32;
    const wave = Math.sin(phase + along * waves * 2 * Math.PI) + 0.4 * Math.sin(phase * 2 + along * waves * 7);
    return `${number(along * width)},${number(height * baseline - wave * swing)}`;
  });
  return `M0,${number(height)} L${points.join(' L')} L${number(width)},${number(height)}Z`;
}

function forestRow(canvas: Canvas, baseline: number, colour: string): string {
  const { width, height, random } = canvas;
  let row = '';
  for (let x = random.between(-4, 2); x < width + 4; x += random.between(5, 10)) {
    const treeHeight = random.between(14, 28);
    const y = height * baseline + 3;
    const halfWidth = treeHeight * 0.26;
    row += `<path d="M${number(x - halfWidth)},${number(y)} L${number(x)},${number(y - treeHeight)} L${number(x + halfWidth)},${number(y)}Z" fill="${colour}"/>`;
  }
  return row;
}

function cityRow(canvas: Canvas, baseline: number, colour: string): string {
  const { width, height, random } = canvas;
  let row = '';
  for (let x = -2; x < width; x += random.between(8, 15)) {
    const top = height * baseline - random.between(8, 34);
    row += `<rect x="${number(x)}" y="${number(top)}" width="${number(random.between(8, 13))}" height="${number(height - top)}" fill="${colour}"/>`;
  }
  return row;
}

function land(canvas: Canvas, place: Place, hour: Hour): string {
  const dimming = { day: 0, sunset: -12, night: -30 }[hour];
  const layers = [0.6, 0.7, 0.82].map((baseline, index) => {
    const colour = css(lands[place], dimming - index * 8);
    const swing = place === 'sea' ? 0.5 : 7 - index * 2;
    const rowColour = css(lands[place], dimming - index * 8 - 5);
    const row = place === 'forest' ? forestRow : place === 'city' ? cityRow : () => '';
    return `${row(canvas, baseline, rowColour)}<path d="${ridge(canvas, baseline, swing)}" fill="${colour}"/>`;
  });
  const flakes = Array.from({ length: place === 'snow' ? 70 : 0 }, () => {
    const [x, y] = [canvas.random.between(0, canvas.width), canvas.random.between(0, canvas.height)];
    return `<circle cx="${number(x)}" cy="${number(y)}" r="${number(canvas.random.between(0.2, 0.7))}" fill="#fff" opacity="0.8"/>`;
  });
  return layers.join('') + flakes.join('');
}

/** Where the prompt names nothing that can be drawn, coloured shapes stand for it. */
function abstractShapes(canvas: Canvas, colour: Colour): string {
  const { width, height, random } = canvas;
  return Array.from({ length: 9 }, () => {
    const [x, y] = [
      number(random.between(width * 0.15, width * 0.85)),
      number(random.between(height * 0.2, height * 0.8)),
    ];
    const radius = number(random.between(6, 22));
    const fill = css({ ...colour, hue: (colour.hue + random.between(-28, 28) + 360) % 360 }, random.between(-14, 18));
    return `<circle cx="${x}" cy="${y}" r="${radius}" fill="${fill}" opacity="0.72"/>`;
  }).join('');
}

function subjectGroup(canvas: Canvas, subject: Subject, colour: Colour): string {
  const { width, height, random } = canvas;
  const inks: Inks = { body: css(colour), light: css(colour, 20), dark: css(colour, -16) };
  const scale = random.between(0.5, 0.62);
  const isAloft = subject === 'balloon' || subject === 'star' || subject === 'heart';
  const x = number(width * random.between(0.36, 0.64) - 50 * scale);
  const y = number(height * (isAloft ? 0.62 : 0.93) - 100 * scale);
  const shadow = isAloft ? '' : '<ellipse cx="50" cy="99" rx="36" ry="4" fill="#000" opacity="0.18"/>';
  return `<g transform="translate(${x} ${y}) scale(${number(scale)})">${shadow}${drawSubject(subject, inks)}</g>`;
}

/** An SVG document of exactly the requested pixels; the same request gives the same document. */
export function paintScene(request: SceneRequest): string {
  const { size, prompt, index, seed } = request;
  const unitPixels = Math.min(size.width, size.height) / shortSideUnits;
  const random = createRandomSource(seed, index, prompt);
  const canvas: Canvas = { width: size.width / unitPixels, height: size.height / unitPixels, random };
  const words = readSceneWords(prompt);
  const place = words.place ?? random.pick<Place>(['hills', 'hills', 'sea', 'desert', 'forest']);
  const hour = words.hour ?? (place === 'space' ? 'night' : random.pick<Hour>(['day', 'day', 'sunset']));
  const anyColour: Colour = { hue: random.between(0, 360), saturation: 66, lightness: 56 };
  const backdrop = request.isSubjectOnly ? '' : sky(canvas, hour) + lights(canvas, hour) + land(canvas, place, hour);
  const motif =
    words.subject === undefined
      ? abstractShapes(canvas, words.colour ?? anyColour)
      : subjectGroup(canvas, words.subject, words.colour ?? naturalColours[words.subject]);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${number(canvas.width)} ${number(canvas.height)}" preserveAspectRatio="none">${backdrop}${motif}</svg>`;
}
