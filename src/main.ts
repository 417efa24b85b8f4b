#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { isSea } from 'node:sea';
import { compileCacheDirectory } from './config/compile-cache.ts';

// Before anything else is loaded: most of the time of a short command goes into reading code. A single executable has
// its code compiled with it.
const directory = isSea() ? null : compileCacheDirectory(process.env);
if (directory !== null) enableCompileCache(directory);
const { runCommandLine } = await import('./commands/command-line.ts');
await runCommandLine(process.argv.slice(2));
