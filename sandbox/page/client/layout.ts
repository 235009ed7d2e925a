import { icon, make } from './dom.ts';

/** The three parts of the window, of which a small screen shows one at a time. */
export type Layout = {
  readonly element: HTMLElement;
  setTitle(place: string, isDirect: boolean): void;
  closeDrawers(): void;
};

export type LayoutParts = {
  readonly navigation: HTMLElement;
  readonly messages: HTMLElement;
  readonly composer: HTMLElement;
  readonly panel: readonly HTMLElement[];
};

type Drawer = { readonly button: HTMLButtonElement; close(): void };

export function createLayout({ navigation, messages, composer, panel }: LayoutParts): Layout {
  const aside = make('aside', { class: 'panel', id: 'panel', 'aria-label': 'Sandbox controls' }, ...panel);
  navigation.id = 'navigation';
  const scrim = make('div', { class: 'scrim' });
  const drawers: Drawer[] = [];
  const closeDrawers = (): void => drawers.forEach((drawer) => drawer.close());
  const menu = createDrawer('menu', 'Servers and people', navigation, closeDrawers);
  const controls = createDrawer('panel', 'Sandbox controls', aside, closeDrawers);
  drawers.push(menu, controls);
  scrim.addEventListener('click', closeDrawers);
  const title = make('h2', { class: 'channel-title' });
  const header = make('header', { class: 'channel-head' }, menu.button, title, makeThemeButton(), controls.button);
  const main = make('main', { class: 'channel-view' }, header, messages, composer);
  const element = make('div', { class: 'layout' }, navigation, main, aside, scrim);
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') closeDrawers();
  });
  return {
    element,
    closeDrawers,
    setTitle(place, isDirect) {
      title.replaceChildren(icon(isDirect ? 'direct' : 'channel'), place);
      messages.querySelector('[role=log]')?.setAttribute('aria-label', `Messages in ${place}`);
      document.title = `${isDirect ? '' : '#'}${place} · Easel sandbox`;
    },
  };
}

function createDrawer(name: 'menu' | 'panel', label: string, drawer: HTMLElement, closeOthers: () => void): Drawer {
  const button = make(
    'button',
    {
      type: 'button',
      class: `icon-button drawer-button for-${name}`,
      'aria-label': label,
      'aria-expanded': 'false',
      'aria-controls': drawer.id,
    },
    icon(name),
  );
  const set = (isOpen: boolean): void => {
    drawer.classList.toggle('open', isOpen);
    button.setAttribute('aria-expanded', String(isOpen));
  };
  button.addEventListener('click', () => {
    const isOpen = !drawer.classList.contains('open');
    closeOthers();
    set(isOpen);
    if (isOpen) drawer.querySelector<HTMLElement>('button, input')?.focus();
  });
  return {
    button,
    close() {
      if (!drawer.classList.contains('open')) return;
      set(false);
      if (drawer.contains(document.activeElement)) button.focus();
    },
  };
}

const THEMES = ['system', 'dark', 'light'] as const;
const THEME_KEY = 'easel-sandbox-theme';

/** Goes from the system's own choice to dark, to light, and back. */
function makeThemeButton(): HTMLElement {
  const button = make('button', { type: 'button', class: 'icon-button' }, icon('theme'));
  let theme = THEMES.find((name) => name === localStorage.getItem(THEME_KEY)) ?? 'system';
  const show = (): void => {
    document.documentElement.dataset['theme'] = theme;
    button.setAttribute('aria-label', `Colours: ${theme}`);
    button.title = `Colours: ${theme}`;
  };
  button.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'system';
    localStorage.setItem(THEME_KEY, theme);
    show();
  });
  show();
  return button;
}
