import type { EditDrafts } from '../services/edit-drafts.ts';
import type { PaintLinks } from '../services/paint-links.ts';
import type { PaintPictures } from '../services/paint-pictures.ts';
import type { DraftedEdits } from './drafted-edits.ts';

/** What it takes to let a member paint what may change, where the painter's page can be reached. */
export type Painting = {
  readonly drafts: EditDrafts;
  readonly links: PaintLinks;
  readonly pictures: PaintPictures;
  readonly edits: DraftedEdits;
};
