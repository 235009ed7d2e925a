/**
 * What buttons and forms are for, as it stands in their ids. Messages keep their buttons for years, so a verb is never
 * given another meaning.
 */
export const VERB = {
  again: 'again',
  cancel: 'cancel',
  delete: 'delete',
  edit: 'edit',
  /** The form that the menu of a message opens; its id is the message's. */
  editMessage: 'edit-message',
  fetch: 'fetch',
  original: 'original',
  /** Paints what may change; the id is the draft's, here as with `whole`. */
  paint: 'paint',
  vary: 'vary',
  /** Lets all of a picture change. */
  whole: 'whole',
} as const;
