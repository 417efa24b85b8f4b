import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { LoopFigures } from '../protocol/diagnosis.ts';

/** A look every so many milliseconds costs next to nothing, and sees whatever a human would call late. */
const resolutionMs = 100;
const nsPerMs = 1e6;

/** Watches how late the event loop runs, and how much it has to do. */
export class LoopWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  #since = performance.now();
  #utilization = performance.eventLoopUtilization();
  #cpu = process.cpuUsage();

  constructor() {
    this.#delay.enable();
  }

  /** The figures since the last time, or since the start. */
  take(): LoopFigures {
    const now = performance.now();
    const utilization = performance.eventLoopUtilization();
    const cpu = process.cpuUsage();
    const figures = {
      sinceMs: Math.round(now - this.#since),
      utilization: Number(performance.eventLoopUtilization(utilization, this.#utilization).utilization.toFixed(4)),
      delayMs: {
        mean: late(this.#delay.mean),
        p50: late(this.#delay.percentile(50)),
        p99: late(this.#delay.percentile(99)),
        max: late(this.#delay.max),
      },
      cpuMs: {
        user: Math.round((cpu.user - this.#cpu.user) / 1_000),
        system: Math.round((cpu.system - this.#cpu.system) / 1_000),
      },
    };
    this.#since = now;
    this.#utilization = utilization;
    this.#cpu = cpu;
    this.#delay.reset();
    return figures;
  }

  stop(): void {
    this.#delay.disable();
  }
}

/** What is measured is the time from one look to the next. */
function late(ns: number): number {
  return Number(Math.max(0, ns / nsPerMs - resolutionMs).toFixed(2)) || 0;
}
