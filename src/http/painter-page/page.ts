import { buttonElement, canvasElement, element, imageElement, inputElement } from './elements.ts';
import { connectKeyboard } from './keyboard.ts';
import type { Mask, Point } from './mask.ts';
import { createMask, wholeArea } from './mask.ts';
import type { Painter, QuickArea } from './painter.ts';
import { createPainter, QUICK_AREAS } from './painter.ts';
import type { Tool } from './pointers.ts';
import { connectPointers } from './pointers.ts';
import { sendMask } from './sending.ts';
import type { View } from './view.ts';
import { createView } from './view.ts';
import { fill, words } from './words.ts';

const TOOLS: readonly Tool[] = ['brush', 'eraser', 'hand'];
const BRUSH_RADIUS_MIN = 1;
/** Of the picture's shorter edge: what the brush begins with, and the widest one. */
const RADIUS_SHARE = 0.04;
const RADIUS_SHARE_MAX = 0.25;
/** The slider's steps are felt as equal when each makes the brush larger by the same factor. */
const SLIDER_STEPS = 100;
const SLIDER_STEP_OF_KEYS = 5;
const ZOOM_STEP = 1.25;
/** Others may be looking at so many pictures that this one has to wait. */
const PICTURE_ATTEMPTS_MAX = 4;
const PICTURE_RETRY_MS = 3_000;

showEnd();
const picture = imageElement('picture');
if (await isLoaded(picture)) start(createMask(picture.naturalWidth, picture.naturalHeight));
else element('status').textContent = words.noPicture;

async function isLoaded(image: HTMLImageElement): Promise<boolean> {
  const { src } = image;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await image.decode();
      return true;
    } catch {
      if (attempt === PICTURE_ATTEMPTS_MAX) return false;
      await new Promise((resolve) => setTimeout(resolve, PICTURE_RETRY_MS));
      image.src = src;
    }
  }
}

function start(mask: Mask): void {
  const viewport = element('viewport');
  const parts = { viewport, sheet: element('sheet'), overlay: canvasElement('overlay'), ring: element('ring') };
  const view = createView(parts, mask);
  const painter = createPainter(mask, view, () => {
    showState(painter);
    // What was wrong with the mask was wrong with the one before.
    element('status').textContent = '';
  });
  const choose = connectTools(painter);
  const resize = connectSize(mask, painter, view);
  const actions = {
    brush: () => choose('brush'),
    eraser: () => choose('eraser'),
    hand: () => choose('hand'),
    undo: () => painter.undo(),
    redo: () => painter.redo(),
    invert: () => painter.invert(),
    clear: () => painter.clear(),
    larger: () => resize(SLIDER_STEP_OF_KEYS),
    smaller: () => resize(-SLIDER_STEP_OF_KEYS),
    closer: () => view.zoomBy(ZOOM_STEP),
    farther: () => view.zoomBy(1 / ZOOM_STEP),
    fit: () => view.fit(),
    done: () => {
      painter.endStroke();
      void sendMask(mask, painter.share);
    },
  };
  for (const [name, act] of Object.entries(actions)) document.getElementById(name)?.addEventListener('click', act);
  for (const name of Object.keys(QUICK_AREAS).filter(isQuickArea)) {
    element(`mark-${name}`).addEventListener('click', () => painter.mark(name));
  }
  connectMenu(viewport);
  connectPointers(viewport, { painter, view, toolOf: chosenTool });
  connectKeyboard(viewport, { mask, painter, view, actions, tell: (at) => tellPlace(at, mask) });
  window.addEventListener('beforeunload', (event) => {
    // Once the mask was sent, there is another page in this one's place.
    if (painter.share > 0 && viewport.isConnected) event.preventDefault();
  });
  new ResizeObserver(() => view.resized()).observe(viewport);

  choose('brush');
  view.fit();
  view.redraw(wholeArea(mask));
  showState(painter);
  element('status').textContent = '';
  viewport.removeAttribute('aria-busy');
  for (const control of document.querySelectorAll('fieldset')) control.disabled = false;
}

/** Says until when the link holds, by the clock of whoever paints. */
function showEnd(): void {
  const ends = element('ends');
  const until = new Date(ends.getAttribute('datetime') ?? '');
  const time = until.toLocaleTimeString(document.documentElement.lang, { hour: 'numeric', minute: '2-digit' });
  ends.textContent = fill(words.ends, { time });
}

function showState(painter: Painter): void {
  // A control that is switched off under somebody's hands would lose them their place, so it only says that it is.
  buttonElement('undo').setAttribute('aria-disabled', String(!painter.canUndo));
  buttonElement('redo').setAttribute('aria-disabled', String(!painter.canRedo));
  element('share').textContent = fill(words.marked, { percent: inPercent(painter.share) });
}

/** The menu of parts closes once it was used, and when somebody goes on elsewhere. */
function connectMenu(viewport: HTMLElement): void {
  const menu = element('areas');
  const close = (): void => menu.removeAttribute('open');
  // What has the focus disappears with the menu, and whoever uses the keyboard would be nowhere.
  const goBack = (): void => {
    close();
    menu.querySelector('summary')?.focus();
  };
  menu.addEventListener('click', (event) => {
    if (event.target instanceof HTMLButtonElement) goBack();
  });
  menu.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') goBack();
  });
  viewport.addEventListener('pointerdown', close);
}

function chosenTool(): Tool {
  return TOOLS.find((name) => element(name).getAttribute('aria-pressed') === 'true') ?? 'brush';
}

function connectTools(painter: Painter): (tool: Tool) => void {
  return (tool) => {
    if (tool !== 'hand') painter.value = tool === 'brush' ? 1 : 0;
    for (const name of TOOLS) element(name).setAttribute('aria-pressed', String(name === tool));
    element('viewport').dataset['tool'] = tool;
  };
}

/** The slider, and what makes the brush larger by some of its steps. */
function connectSize(mask: Mask, painter: Painter, view: View): (steps: number) => void {
  const slider = inputElement('size');
  const shortEdge = Math.min(mask.width, mask.height);
  const radiusMax = Math.max(BRUSH_RADIUS_MIN + 1, shortEdge * RADIUS_SHARE_MAX);
  const apply = (): void => {
    painter.radius = BRUSH_RADIUS_MIN * (radiusMax / BRUSH_RADIUS_MIN) ** (Number(slider.value) / SLIDER_STEPS);
    slider.setAttribute('aria-valuetext', `${Math.round(painter.radius * 2)} px`);
  };
  const radius = Math.max(BRUSH_RADIUS_MIN, shortEdge * RADIUS_SHARE);
  slider.value = String((Math.log(radius / BRUSH_RADIUS_MIN) / Math.log(radiusMax / BRUSH_RADIUS_MIN)) * SLIDER_STEPS);
  apply();
  slider.addEventListener('input', () => {
    apply();
    view.showBrushInMiddle(painter.radius);
  });
  slider.addEventListener('change', () => view.showBrush(undefined, painter.radius));
  return (steps) => {
    slider.value = String(Number(slider.value) + steps);
    apply();
    view.resizeBrush(painter.radius);
  };
}

/** Says where the brush of the keyboard is, for whoever does not see it. */
function tellPlace({ x, y }: Point, { width, height }: Mask): void {
  const place = { left: inPercent(x / width), top: inPercent(y / height) };
  element('brush-place').textContent = fill(words.brushAt, place);
}

/** Rounded so that only nothing is nothing, and only all is all. */
function inPercent(share: number): number {
  const percent = Math.round(share * 100);
  if (percent === 0 && share > 0) return 1;
  return percent === 100 && share < 1 ? 99 : percent;
}

function isQuickArea(name: string): name is QuickArea {
  return name in QUICK_AREAS;
}
