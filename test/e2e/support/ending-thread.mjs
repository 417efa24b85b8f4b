/*
 * Loaded into a daemon with `node --import`: on SIGUSR2 its threads end, as they do where they run out of memory.
 */
const threads = new Set();

process.on('worker', (thread) => {
  threads.add(thread);
  thread.once('exit', () => threads.delete(thread));
});
process.on('SIGUSR2', () => {
  for (const thread of threads) thread.terminate();
});
