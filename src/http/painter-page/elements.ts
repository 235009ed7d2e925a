/** The page's elements by id. The server renders all of them, so a missing one is a bug. */

export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no "${id}"`);
  return found;
}

export function imageElement(id: string): HTMLImageElement {
  const found = element(id);
  if (!(found instanceof HTMLImageElement)) throw new Error(`"${id}" is no image`);
  return found;
}

export function canvasElement(id: string): HTMLCanvasElement {
  const found = element(id);
  if (!(found instanceof HTMLCanvasElement)) throw new Error(`"${id}" is no canvas`);
  return found;
}

export function inputElement(id: string): HTMLInputElement {
  const found = element(id);
  if (!(found instanceof HTMLInputElement)) throw new Error(`"${id}" is no input`);
  return found;
}

export function buttonElement(id: string): HTMLButtonElement {
  const found = element(id);
  if (!(found instanceof HTMLButtonElement)) throw new Error(`"${id}" is no button`);
  return found;
}
