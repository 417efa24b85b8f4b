import type { Problem } from './configuration-error.ts';
import { configurationSections, keysByName } from './keys.ts';
import { nearest } from './nearest.ts';

/**
 * The problem of a key that the file has and the schema does not. The name is shown as far as it looks like one:
 * `{clientSecret:abc}`, without the blank, makes a key of name and value together. Under `credentials` it is shown
 * only when it is close to a known key, because there a value may stand where the name should.
 */
export function unknownKey(parents: readonly string[], name: string): Problem {
  const section = parents.join('.');
  const shown = /^[\w.-]*/.exec(name)?.[0] ?? '';
  const siblings = childrenOf(section);
  const meant = nearest(shown, siblings);
  if (section === 'credentials' && meant === undefined) {
    return { key: section, problem: 'has an unknown key', advice: `known are ${siblings.join(', ')}` };
  }
  return {
    key: join(section, shown === name ? shown : `${shown}…`),
    problem: 'unknown key',
    advice: adviceFor(section, name, shown, meant),
  };
}

function adviceFor(section: string, name: string, shown: string, sibling: string | undefined): string {
  if (name.startsWith(`${shown}:`)) {
    return 'put a blank after the colon';
  }
  const full = join(section, shown);
  if (shown.includes('.') && (keysByName.has(full) || configurationSections.has(full))) {
    return `write it in blocks: ${full.replaceAll('.', ': { ')}: … ${'}'.repeat(full.split('.').length - 1)}`;
  }
  const elsewhere = [...keysByName.keys(), ...configurationSections];
  const meant = sibling === undefined ? sameName(shown, elsewhere) : join(section, sibling);
  return meant === undefined
    ? `known ${section === '' ? 'at the top' : `in ${section}`} are ${childrenOf(section).join(', ')}`
    : `did you mean ${meant}?`;
}

/** A key written in the wrong block: the first anywhere whose last part is near. */
function sameName(name: string, keys: readonly string[]): string | undefined {
  const last = nearest(name, keys.map(lastPart));
  return keys.find((key) => lastPart(key) === last);
}

function childrenOf(section: string): string[] {
  const prefix = section === '' ? '' : `${section}.`;
  const names = [...keysByName.keys(), ...configurationSections];
  const below = names
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length).split('.')[0] ?? '');
  return [...new Set(below)];
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('.') + 1);
}

function join(section: string, name: string): string {
  return section === '' ? name : `${section}.${name}`;
}
