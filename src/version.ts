import manifest from '../package.json' with { type: 'json' };

/** What figd is made with, as package.json has it. */
export const libraries: Readonly<Record<string, string>> = manifest.dependencies;

/** The version of this figd, as package.json has it. */
export const version: string = manifest.version;
