import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AccessDeniedError, type LocalSocketError } from '../../adapters/local-socket-errors.ts';

const groupMayWrite = 0o020;

/** For a socket that is closed to this user: what closes it (its mode and group, or a directory's), and who may use it. */
export function accessAdvice(error: LocalSocketError): string {
  return error instanceof AccessDeniedError ? ` (${obstacle(error.path)})` : '';
}

function obstacle(path: string): string {
  for (let place = path; ; place = dirname(place)) {
    const stat = lookAt(place);
    if (stat === undefined && place !== dirname(place)) continue;
    if (stat === undefined) return 'no directory above it may be read';
    const group = groupName(stat.gid);
    const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0');
    const who = stat.mode & groupMayWrite || place !== path ? `its owner or a member of group ${group}` : 'its owner';
    return `${place === path ? 'it' : place} has mode ${mode} and group ${group}: run as ${who}`;
  }
}

/** A file below a directory that may not be searched cannot be looked at; the directory can. */
function lookAt(place: string): { readonly mode: number; readonly gid: number } | undefined {
  try {
    return statSync(place);
  } catch {
    return undefined;
  }
}

function groupName(gid: number): string {
  try {
    const entries = readFileSync('/etc/group', 'utf8').split('\n');
    return entries.find((entry) => entry.split(':')[2] === String(gid))?.split(':')[0] ?? String(gid);
  } catch {
    return String(gid);
  }
}
