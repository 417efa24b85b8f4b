import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bundle.ts';

export const unitDirectory = join(root, 'deploy/systemd');
const about = `# figd for one account of several: figd@NAME runs with /etc/figd/NAME.yaml, which says what it does not share with others,
# local.directory: /run/figd-NAME and metrics.listen. Its credentials are in /etc/figd/NAME/. All run as the same user.
# Made of UNIT by build/instance-units.ts. Own changes belong into a drop-in: systemctl edit figd@
`;
const changes: readonly (readonly [RegExp, string])[] = [
  [/^Description=.*$/m, '$& (%i)'],
  [/\/etc\/figd\/figd\.yaml/g, '/etc/figd/%i.yaml'],
  [/\/etc\/figd\/client-/g, '/etc/figd/%i/client-'],
  [/\/(run|var\/lib)\/figd\b/g, '/$1/figd-%i'],
  [/^(RuntimeDirectory|StateDirectory)=figd$/gm, '$1=figd-%i'],
  [/\bfigd\.socket\b/g, 'figd@%i.socket'],
];

/** The units for one account of several, by their names. */
export function instanceUnits(): Readonly<Record<string, string>> {
  const made = ['service', 'socket'].map((kind) => {
    const unit = readFileSync(join(unitDirectory, `figd.${kind}`), 'utf8');
    const body = unit.slice(unit.indexOf('\n[Unit]'));
    const changed = changes.reduce((text, [what, by]) => text.replace(what, by), body);
    return [`figd@.${kind}`, about.replace('UNIT', `figd.${kind}`) + changed] as const;
  });
  return Object.fromEntries(made);
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(instanceUnits())) writeFileSync(join(unitDirectory, name), text);
}
