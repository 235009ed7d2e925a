import { raw } from 'hono/html';

/** The signs on the painter's buttons, drawn with lines on a field of 24 by 24. */
const PATHS = {
  brush: 'M14 4l6 6-8 8c-1 1-3 1-4 0l-2-2c-1-1-1-3 0-4zM6 16c-2 0-2 3-4 4 3 1 6 0 6-2',
  eraser: 'M13 5l6 6-7 7H8l-4-4c-1-1-1-2 0-3zM9 9l6 6M5 21h15',
  hand: 'M12 3v18M3 12h18M12 3l-3 3M12 3l3 3M12 21l-3-3M12 21l3-3M3 12l3-3M3 12l3 3M21 12l-3-3M21 12l-3 3',
  undo: 'M8 5L4 9l4 4M4 9h10a6 6 0 010 12h-4',
  redo: 'M16 5l4 4-4 4M20 9H10a6 6 0 000 12h4',
  invert: 'M12 3a9 9 0 100 18 9 9 0 000-18zM12 3v18M12 7h6M12 11h9M12 15h8M12 19h4',
  clear: 'M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6',
  farther: 'M5 12h14',
  closer: 'M5 12h14M12 5v14',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  areas: 'M4 4h16v16H4zM4 12h16M12 4v16',
} as const;

export type Icon = keyof typeof PATHS;

export function renderIcon(icon: Icon) {
  return raw(`<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${PATHS[icon]}"/></svg>`);
}
