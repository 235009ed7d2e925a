import { icon, make } from './dom.ts';

/** Opens a dialog, and removes it once it is closed. The focus returns to where it was. */
export function openDialog(className: string, label: string, ...children: readonly Node[]): HTMLDialogElement {
  const dialog = make('dialog', { class: className, 'aria-label': label }, ...children);
  const before = document.activeElement;
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** A picture as large as the window allows. */
export function openPicture(url: string, description: string): void {
  const close = make(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': 'Close the picture' },
    icon('close'),
  );
  const link = make('a', { href: url, target: '_blank', rel: 'noopener' }, 'Open the original');
  const image = make('img', { src: url, alt: description });
  const dialog = openDialog(
    'lightbox',
    'Picture',
    image,
    make('div', { class: 'lightbox-foot' }, make('p', {}, description), link, close),
  );
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close());
}
