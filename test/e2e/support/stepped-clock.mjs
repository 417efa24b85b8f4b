/*
 * Loaded into a daemon with `node --import`: sets its wall clock, and nothing else. On SIGUSR2 `Date.now` is shifted by
 * the milliseconds that stand in the file STEPPED_CLOCK_FILE names.
 */
import { readFileSync } from 'node:fs';

const file = process.env.STEPPED_CLOCK_FILE;
if (file === undefined) throw new Error('STEPPED_CLOCK_FILE names no file');
const trueNow = Date.now;
let shift = 0;

Date.now = () => trueNow() + shift;
process.on('SIGUSR2', () => {
  shift = Number(readFileSync(file, 'utf8'));
});
