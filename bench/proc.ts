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

/** Memory of a process, in bytes. */
export interface Memory {
  /** Resident, the program's own file in it. */
  readonly resident: number;
  /** The part of it that is no file: heap, buffers, stacks. */
  readonly anonymous: number;
}

/** What a process holds now; NaN when it is gone. */
export function memoryOf(pid: number): Memory {
  try {
    return parseMemory(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return { resident: Number.NaN, anonymous: Number.NaN };
  }
}

/** `VmRSS` and `RssAnon` in the text of `/proc/<pid>/status`, in bytes. */
export function parseMemory(text: string): Memory {
  const bytes = (name: string) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text);
    return found === null ? Number.NaN : Number(found[1]) * 1_024;
  };
  return { resident: bytes('VmRSS'), anonymous: bytes('RssAnon') };
}
