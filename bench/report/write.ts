import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
export function writeComparison(out: string, results: unknown): void {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
}
export function writeMemory(out: string, results: unknown): void {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'memory.json'), `${JSON.stringify(results, null, 2)}\n`);
}
