import { make } from './dom.ts';

/** Something that opens above everything else, beside what it belongs to. */
export type Popup = {
  readonly element: HTMLElement;
  readonly isOpen: boolean;
  open(anchor: Element): void;
  close(): void;
};

const GAP_PX = 6;
const EDGE_PX = 8;
const HEIGHT_PX_MAX = 360;

/** @param onClose is called whenever it closes, also by a click elsewhere. */
export function createPopup(className: string, onClose: () => void = () => undefined): Popup {
  const element = make('div', { class: `popup ${className}`, popover: 'manual' });
  let opener: Element | undefined;

  const place = (): void => {
    if (opener === undefined) return;
    const around = opener.getBoundingClientRect();
    const viewHeight = window.innerHeight;
    const above = around.top - GAP_PX - EDGE_PX;
    const below = viewHeight - around.bottom - GAP_PX - EDGE_PX;
    const needed = Math.min(element.scrollHeight, HEIGHT_PX_MAX);
    const isAbove = below < needed && above > below;
    element.style.maxHeight = `${Math.min(HEIGHT_PX_MAX, isAbove ? above : below)}px`;
    element.style.minWidth = `${Math.min(around.width, window.innerWidth - 2 * EDGE_PX)}px`;
    const left = Math.min(around.left, window.innerWidth - element.offsetWidth - EDGE_PX);
    element.style.left = `${Math.max(EDGE_PX, left)}px`;
    element.style.top = isAbove ? 'auto' : `${around.bottom + GAP_PX}px`;
    element.style.bottom = isAbove ? `${viewHeight - around.top + GAP_PX}px` : 'auto';
  };
  const closeOutside = (event: Event): void => {
    const isInside = event.target instanceof Node && (element.contains(event.target) || opener?.contains(event.target));
    if (!isInside) close();
  };
  const close = (): void => {
    if (opener === undefined) return;
    opener = undefined;
    element.hidePopover();
    element.remove();
    document.removeEventListener('pointerdown', closeOutside, true);
    window.removeEventListener('resize', place);
    onClose();
  };

  return {
    element,
    get isOpen() {
      return opener !== undefined;
    },
    open(anchor) {
      if (opener === undefined) {
        // Inside of an open dialog everything else is out of reach, so the popup has to stand inside as well.
        (anchor.closest('dialog') ?? document.body).append(element);
        element.showPopover();
        document.addEventListener('pointerdown', closeOutside, true);
        window.addEventListener('resize', place);
      }
      opener = anchor;
      place();
    },
    close,
  };
}
