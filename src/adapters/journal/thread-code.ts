/**
 * What a Worker is given to become the journal's thread: the file beside this one. A bundle has no file beside it, and
 * puts the code itself in the place of this module (build/bundle.ts).
 */
export const threadCode: URL | string = new URL('./journal-thread.ts', import.meta.url);
