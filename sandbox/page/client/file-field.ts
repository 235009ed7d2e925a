import { icon, make } from './dom.ts';
import { RequestFailure, upload } from './requests.ts';
import { describeSize } from './sizes.ts';

/** Files that were chosen, dropped or pasted, and are on their way to the server. */
export type FileField = {
  readonly element: HTMLElement;
  readonly isFull: boolean;
  readonly count: number;
  add(files: Iterable<File>): void;
  clear(): void;
  /** Lets people choose files, as a click on the field does. */
  open(): void;
  /**
   * The ids of the uploads, once all have arrived.
   * @throws {RequestFailure} where one could not be uploaded.
   */
  uploads(): Promise<string[]>;
};

export type FileFieldOptions = {
  readonly id: string;
  readonly label: string;
  readonly countMax: number;
  readonly onChange: () => void;
};

type Entry = { readonly element: HTMLElement; readonly uploaded: Promise<string>; readonly preview: string };

/** A place to drop files on, or to choose them from. */
export function createFileField({ id, label, countMax, onChange }: FileFieldOptions): FileField {
  let entries: readonly Entry[] = [];
  const input = make('input', { id, type: 'file', class: 'file-input', multiple: countMax > 1, 'aria-label': label });
  const list = make('div', { class: 'file-entries' });
  const invitation = make(
    'div',
    { class: 'file-invitation' },
    icon('attach'),
    make('span', {}, 'Drop, paste or ', make('u', {}, 'choose a file')),
    input,
  );
  const element = make('div', { class: 'file-field' }, list, invitation);

  const remove = (entry: Entry): void => {
    URL.revokeObjectURL(entry.preview);
    entry.element.remove();
    entries = entries.filter((other) => other !== entry);
    update();
    input.focus();
  };
  const update = (): void => {
    invitation.hidden = entries.length >= countMax;
    onChange();
  };
  const add = (files: Iterable<File>): void => {
    for (const file of files) {
      if (entries.length >= countMax) break;
      const preview = URL.createObjectURL(file);
      const uploaded = upload(file);
      const entry: Entry = { element: makeEntry(file, preview, () => remove(entry)), uploaded, preview };
      // Whoever sends the form hears of it; until then the entry shows it.
      uploaded.catch(() => entry.element.classList.add('failed'));
      entries = [...entries, entry];
      list.append(entry.element);
    }
    update();
  };
  input.addEventListener('change', () => {
    add(input.files ?? []);
    input.value = '';
  });
  acceptDrops(element, add);
  return {
    element,
    get isFull() {
      return entries.length >= countMax;
    },
    get count() {
      return entries.length;
    },
    add,
    clear() {
      entries.forEach(({ preview }) => URL.revokeObjectURL(preview));
      entries = [];
      list.replaceChildren();
      update();
    },
    open: () => input.click(),
    uploads: async () =>
      Promise.all(entries.map(async ({ uploaded }) => uploaded)).catch((error: unknown) => {
        throw error instanceof RequestFailure ? error : new RequestFailure('The file could not be uploaded.');
      }),
  };
}

function makeEntry(file: File, preview: string, remove: () => void): HTMLElement {
  return make(
    'div',
    { class: 'file-entry' },
    file.type.startsWith('image/') ? make('img', { src: preview, alt: '' }) : icon('file'),
    make(
      'span',
      { class: 'file-words' },
      make('span', { class: 'file-name' }, file.name),
      make('span', { class: 'file-size' }, describeSize(file.size)),
    ),
    make(
      'button',
      { type: 'button', class: 'icon-button', 'aria-label': `Remove ${file.name}`, on: { click: remove } },
      icon('close'),
    ),
  );
}

/** Lets files be dropped on an element. */
export function acceptDrops(element: HTMLElement, take: (files: FileList) => void): void {
  element.addEventListener('dragover', (event) => {
    event.preventDefault();
    element.classList.add('drop-target');
  });
  element.addEventListener('dragleave', () => element.classList.remove('drop-target'));
  element.addEventListener('drop', (event) => {
    element.classList.remove('drop-target');
    const files = event.dataTransfer?.files;
    if (files === undefined || files.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    take(files);
  });
}
