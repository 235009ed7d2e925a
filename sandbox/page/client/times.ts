import { make } from './dom.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MONTH_MS = 30.44 * DAY_MS;
const YEAR_MS = 365.25 * DAY_MS;

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const UNITS = [
  ['year', YEAR_MS],
  ['month', MONTH_MS],
  ['day', DAY_MS],
  ['hour', HOUR_MS],
  ['minute', MINUTE_MS],
  ['second', SECOND_MS],
] as const;

/** A moment as seen from another: "in 9 days". */
function describeRelative(atMs: number, nowMs: number): string {
  const distanceMs = atMs - nowMs;
  const [unit, unitMs] = UNITS.find(([, lengthMs]) => Math.abs(distanceMs) >= lengthMs) ?? ['second', SECOND_MS];
  return relative.format(Math.round(distanceMs / unitMs), unit);
}

/** Discord's styles of writing a moment. */
const STYLES: Readonly<Record<string, Intl.DateTimeFormatOptions>> = {
  t: { timeStyle: 'short' },
  T: { timeStyle: 'medium' },
  d: { dateStyle: 'short' },
  D: { dateStyle: 'long' },
  f: { dateStyle: 'long', timeStyle: 'short' },
  F: { dateStyle: 'full', timeStyle: 'short' },
};

function describeMoment(atMs: number, style: string, nowMs: number): string {
  if (style === 'R') return describeRelative(atMs, nowMs);
  return new Intl.DateTimeFormat('en', STYLES[style] ?? STYLES['f']).format(atMs);
}

/** A moment in a text. Those that are told from now on are rewritten as time goes by. */
export function makeTime(atMs: number, style: string, nowMs: number): HTMLTimeElement {
  return make(
    'time',
    {
      datetime: new Date(atMs).toISOString(),
      title: describeMoment(atMs, 'F', nowMs),
      class: 'timestamp',
      'data-at-ms': style === 'R' ? atMs : null,
    },
    describeMoment(atMs, style, nowMs),
  );
}

const REFRESH_MS = 10_000;

/** Keeps every "in 9 days" on the page true. Answers what rewrites them at once, for when the clock jumps. */
export function keepTimesFresh(now: () => number): () => void {
  const refresh = (): void => {
    for (const element of document.querySelectorAll<HTMLTimeElement>('time[data-at-ms]')) {
      element.textContent = describeRelative(Number(element.dataset['atMs']), now());
    }
  };
  setInterval(refresh, REFRESH_MS);
  return refresh;
}

/** When a message came: only the time today, the day as well before that. */
export function makeMessageTime(atMs: number, nowMs: number): HTMLTimeElement {
  const isToday = new Date(atMs).toDateString() === new Date(nowMs).toDateString();
  const text = describeMoment(atMs, isToday ? 't' : 'f', nowMs);
  const full = describeMoment(atMs, 'F', nowMs);
  return make('time', { datetime: new Date(atMs).toISOString(), title: full }, text);
}
