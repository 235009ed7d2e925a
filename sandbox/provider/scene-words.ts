/** What the words of a prompt mean for a picture: its place, its hour, its subject and the subject's colour. */

export type Place = 'hills' | 'snow' | 'sea' | 'forest' | 'desert' | 'city' | 'space';
export type Hour = 'day' | 'sunset' | 'night';
export type Subject =
  | 'fox'
  | 'cat'
  | 'dog'
  | 'bird'
  | 'fish'
  | 'flower'
  | 'house'
  | 'boat'
  | 'robot'
  | 'balloon'
  | 'heart'
  | 'star';

/** What a picture is to show. Undefined where the prompt does not say. */
export type SceneWords = {
  readonly place: Place | undefined;
  readonly hour: Hour | undefined;
  readonly subject: Subject | undefined;
  /** A hue in degrees, or a grey: the colour that the prompt names. */
  readonly colour: Colour | undefined;
};

export type Colour = { readonly hue: number; readonly saturation: number; readonly lightness: number };

const places: Readonly<Record<string, Place>> = {
  hill: 'hills',
  meadow: 'hills',
  field: 'hills',
  mountain: 'hills',
  snow: 'snow',
  winter: 'snow',
  ice: 'snow',
  sea: 'sea',
  ocean: 'sea',
  beach: 'sea',
  lake: 'sea',
  water: 'sea',
  forest: 'forest',
  wood: 'forest',
  jungle: 'forest',
  tree: 'forest',
  desert: 'desert',
  dune: 'desert',
  sand: 'desert',
  city: 'city',
  street: 'city',
  town: 'city',
  skyline: 'city',
  space: 'space',
  galaxy: 'space',
  planet: 'space',
};

const hours: Readonly<Record<string, Hour>> = {
  day: 'day',
  noon: 'day',
  morning: 'day',
  sunset: 'sunset',
  sunrise: 'sunset',
  dusk: 'sunset',
  evening: 'sunset',
  night: 'night',
  moon: 'night',
  dark: 'night',
  midnight: 'night',
};

const subjects: Readonly<Record<string, Subject>> = {
  fox: 'fox',
  wolf: 'fox',
  cat: 'cat',
  kitten: 'cat',
  dog: 'dog',
  puppy: 'dog',
  bird: 'bird',
  owl: 'bird',
  fish: 'fish',
  whale: 'fish',
  shark: 'fish',
  flower: 'flower',
  rose: 'flower',
  tulip: 'flower',
  house: 'house',
  cabin: 'house',
  home: 'house',
  castle: 'house',
  boat: 'boat',
  ship: 'boat',
  robot: 'robot',
  android: 'robot',
  balloon: 'balloon',
  heart: 'heart',
  love: 'heart',
  star: 'star',
};

const colours: Readonly<Record<string, Colour>> = {
  red: { hue: 4, saturation: 78, lightness: 50 },
  orange: { hue: 26, saturation: 90, lightness: 54 },
  yellow: { hue: 50, saturation: 92, lightness: 55 },
  gold: { hue: 44, saturation: 80, lightness: 50 },
  green: { hue: 130, saturation: 55, lightness: 42 },
  teal: { hue: 176, saturation: 60, lightness: 40 },
  blue: { hue: 214, saturation: 78, lightness: 52 },
  purple: { hue: 272, saturation: 58, lightness: 52 },
  pink: { hue: 338, saturation: 80, lightness: 68 },
  brown: { hue: 24, saturation: 45, lightness: 36 },
  black: { hue: 230, saturation: 12, lightness: 16 },
  white: { hue: 210, saturation: 20, lightness: 96 },
  grey: { hue: 215, saturation: 8, lightness: 56 },
  gray: { hue: 215, saturation: 8, lightness: 56 },
};

/** Looks a word up as it is, then without the endings of plurals and adjectives (foxes, cats, snowy). */
function lookUp<Meaning>(table: Readonly<Record<string, Meaning>>, word: string): Meaning | undefined {
  for (const stem of [word, word.replace(/(es|s|y)$/, '')]) {
    if (Object.hasOwn(table, stem)) return table[stem];
  }
  return undefined;
}

/** Reads a prompt. The first word of each kind wins. */
export function readSceneWords(prompt: string): SceneWords {
  const words = prompt.toLowerCase().match(/[a-z]+/g) ?? [];
  const first = <Meaning>(table: Readonly<Record<string, Meaning>>): Meaning | undefined => {
    for (const word of words) {
      const meaning = lookUp(table, word);
      if (meaning !== undefined) return meaning;
    }
    return undefined;
  };
  return { place: first(places), hour: first(hours), subject: first(subjects), colour: first(colours) };
}
