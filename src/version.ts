import manifest from '../package.json' with { type: 'json' };

/** The version of this figd, as package.json has it. */
export const version: string = manifest.version;
