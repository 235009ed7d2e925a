/** A bug that somebody could write into the program by mistake, and the tests that must not let it through. */
export type Mutant = {
  readonly name: string;
  readonly edits: readonly Edit[];
  /** Every one of these test files has to fail by itself. */
  readonly killers: readonly string[];
  /** The server without which the killers leave their tests out. */
  readonly server?: string;
};

/** Replaces a piece of a source file that must be there exactly once. */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string };
