/** What may stand inside an element; nothing at all is left out. */
export type Child = Node | string | null | undefined | false;

type Listeners = { readonly [Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => void };

/** Attributes by name; `true` is an attribute without a value, and what is false or absent is left out. */
export type Attributes = {
  readonly on?: Listeners;
  readonly [name: string]: string | number | boolean | null | undefined | Listeners;
};

/** Makes an element. Text is only ever text: nothing here reads HTML. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  const { on, ...rest } = attributes;
  for (const [name, value] of Object.entries(rest)) {
    if (value === null || value === undefined || value === false || typeof value === 'object') continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const [name, listener] of Object.entries(on ?? {})) element.addEventListener(name, toListener(listener));
  element.append(...present(children));
  return element;
}

/** The table above knows which event each listener takes; the element only knows that it is an event. */
function toListener(listener: unknown): (event: Event) => void {
  return (event) => {
    if (typeof listener === 'function') listener(event);
  };
}

/** The children that are there. */
export function present(children: readonly Child[]): (Node | string)[] {
  return children.filter((child) => child !== null && child !== undefined && child !== false);
}

let lastId = 0;

/** An id that no other element of the page has. */
export function nextElementId(prefix: string): string {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

const SVG = 'http://www.w3.org/2000/svg';

/** Drawings on a field of 24 by 24. */
const ICONS = {
  attach: 'M12 5v14M5 12h14',
  channel: 'M9 4 7 20M17 4l-2 16M4 9h17M3 15h17',
  close: 'M6 6l12 12M18 6 6 18',
  direct: 'M4 5h16v11H9l-5 4z',
  down: 'M12 5v14M6 13l6 6 6-6',
  eye: 'M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  menu: 'M4 7h16M4 12h16M4 17h16',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  open: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  panel: 'M4 5h16v14H4zM15 5v14',
  reply: 'M10 7 4 12l6 5M4 12h10a6 6 0 0 1 6 6',
  select: 'M7 10l5 5 5-5',
  send: 'M4 12 20 4l-5 16-4-7z',
  theme: 'M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16',
} as const;

export type IconName = keyof typeof ICONS;

/** A drawing that says nothing to those who listen: what it is part of has to have a name. */
export function icon(name: IconName): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  for (const [key, value] of [
    ['viewBox', '0 0 24 24'],
    ['class', 'icon'],
    ['aria-hidden', 'true'],
  ] as const) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}
