import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that the processes have used so far, all threads that still live, in nanoseconds (`/proc/…/schedstat`). */
export function cpuTime(pids: readonly number[]): number {
  let total = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) total += threadTime(pid, thread);
  }
  return total;
}

function threadTime(pid: number, thread: string): number {
  try {
    return parseSchedstat(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'));
  } catch {
    // It has ended meanwhile.
    return 0;
  }
}

/** The first of the three numbers: nanoseconds spent on the CPU. */
export function parseSchedstat(text: string): number {
  return Number(text.split(' ', 1)[0]);
}

/** Resident memory of a process, in bytes; NaN when it is gone. */
export function residentBytes(pid: number): number {
  try {
    return parseResident(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return Number.NaN;
  }
}

/** `VmRSS` in the text of `/proc/<pid>/status`, in bytes. */
export function parseResident(text: string): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(text);
  return found === null ? Number.NaN : Number(found[1]) * 1_024;
}
