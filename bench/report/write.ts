import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../machine.ts';
import type { MemoryResult } from '../measures/memory.ts';
import { say } from '../output.ts';
import { resultsPage } from './page.ts';
import { cpuPlot, latencyPlot, memoryPlot, throughputPlot } from './plots.ts';
import { consumerCounts, type Sample } from './samples.ts';
import { memoryLimit } from './targets.ts';

interface Comparison {
  readonly machine: Machine;
  readonly samples: readonly Sample[];
}

interface Memory {
  readonly machine: Machine;
  readonly result: MemoryResult;
}

const comparisonFile = 'results.json';
const memoryFile = 'memory.json';

/** Writes the figures, the page and the plots; what the memory mode left in the directory becomes part of the page. */
export function writeComparison(directory: string, comparison: Comparison): void {
  save(directory, comparisonFile, toJson(comparison));
  const { samples } = comparison;
  if (consumerCounts(samples, 'throughput').length > 0) {
    save(directory, 'throughput.svg', throughputPlot(samples));
    save(directory, 'cpu.svg', cpuPlot(samples));
  }
  if (consumerCounts(samples, 'latency').length > 0) save(directory, 'latency.svg', latencyPlot(samples));
  writePage(directory);
}

/** Writes what the memory mode found, and the page anew. */
export function writeMemory(directory: string, memory: Memory): void {
  save(directory, memoryFile, toJson(memory));
  save(directory, 'memory.svg', memoryPlot(memory.result, memoryLimit));
  writePage(directory);
}

function writePage(directory: string): void {
  const comparison = load<Comparison>(directory, comparisonFile);
  const memory = load<Memory>(directory, memoryFile);
  const machine = comparison?.machine ?? memory?.machine;
  if (machine === undefined) return;
  const results = {
    machine,
    samples: comparison?.samples ?? [],
    memory: memory?.result ?? null,
    ...(memory === null ? {} : { memoryMachine: memory.machine }),
  };
  save(directory, 'results.md', resultsPage(results));
  say(`\n${resultsPage(results)}`);
  say(`written to ${directory}`);
}

function save(directory: string, name: string, content: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), content);
}

function load<Content>(directory: string, name: string): Content | null {
  const path = join(directory, name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Content) : null;
}

function toJson(content: object): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}
