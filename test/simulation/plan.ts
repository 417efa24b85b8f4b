import { integer, pick, seededRandom } from '../../src/simulator/random.ts';
import type { Action, Deed } from './deeds.ts';
import { drop, fault, forMs } from './faults.ts';
import { reloads } from './reloads.ts';
import { drawSetting, type Setting } from './setting.ts';
import { troubles } from './troubles.ts';

export type { Action, Deed, Reload } from './deeds.ts';
export type { Setting } from './setting.ts';

export interface Plan {
  readonly seed: number;
  readonly hours: number;
  readonly setting: Setting;
  readonly actions: readonly Action[];
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
/** No fault is left in the last of it: figd has to be live again by the end. */
export const calmAtTheEnd = 30 * minute;

/** Everything that a seed decides. */
export function planFor(seed: number, hours: number): Plan {
  const random = seededRandom(seed * 7_919 + 17);
  // Drawn apart, so that the rest of a plan is what it was before there were a disk and callers.
  const diskRandom = seededRandom(seed * 104_729 + 5);
  const crowdRandom = seededRandom(seed * 1_299_709 + 3);
  const setting = drawSetting({ session: random, disk: diskRandom, crowd: crowdRandom });
  const actions: Action[] = [];
  const end = hours * hour - calmAtTheEnd;
  // From one trouble in two hours to one in six minutes.
  const pause = pick(random, [6, 15, 30, 60, 120]) * minute;
  for (let at = random() * 2 * minute; at < end; at += random() * 2 * pause) {
    for (const { after = 0, ...deed } of pick(random, troubles)(random)) {
      actions.push({ at: at + after, ...lastingAtMost(deed, Math.max(1_000, Math.floor(end - at))) });
    }
  }
  actions.push(...drawDiskTrouble(diskRandom, end), ...drawCrowd(crowdRandom, setting, end));
  actions.push(...drawCalls(seededRandom(seed * 49_979_687 + 3), hours * hour));
  actions.push(...drawReloads(seededRandom(seed * 86_028_121 + 3), end));
  actions.push(...drawBursts(seededRandom(seed * 122_949_823 + 3), end));
  actions.sort((a, b) => a.at - b.at);
  return { seed, hours, setting, actions };
}

/** On every other day the disk fails now and then; and on each somebody reads back what there is. */
function drawDiskTrouble(random: () => number, end: number): readonly Action[] {
  const actions: Action[] = [];
  if (random() < 0.5) {
    for (let at = random() * 6 * hour; at < end; at += random() * 12 * hour) {
      const what = pick(random, ['fill the disk', 'fill the disk', 'break the disk'] as const);
      const ms = pick(random, [() => forMs(random), () => integer(random, hour, 6 * hour)])();
      actions.push({ at, ...lastingAtMost({ do: what, ms }, Math.max(1_000, Math.floor(end - at))) });
    }
  }
  for (let at = hour + random() * hour; at < end; at += (1 + 5 * random()) * hour)
    actions.push({ at, do: 'read back' });
  return actions;
}

/** On every other day local programs ask now and then, mostly for more than there is, or others use the same key. */
function drawCrowd(random: () => number, { requestsPerMinute }: Setting, end: number): readonly Action[] {
  const actions: Action[] = [];
  if (random() < 0.5) return actions;
  for (let at = random() * 2 * hour; at < end; at += random() * 4 * hour) {
    const callers = integer(random, 1, 12);
    const each = pick(random, [1, 3, Math.ceil((requestsPerMinute * (0.3 + 1.7 * random())) / callers)]);
    actions.push({ at, do: 'flood', callers, each, patience: pick(random, [0, 1_000, 30_000, 90_000]) });
    if (random() < 0.3)
      actions.push({ at: at + random() * minute, do: 'rival', count: Math.ceil(random() * requestsPerMinute) });
  }
  return actions;
}

/** Programs call every now and then, also in the calm: a few at a time, or more than are let through at once. */
function drawCalls(random: () => number, end: number): readonly Action[] {
  const actions: Action[] = [];
  for (let at = random() * 10 * minute; at < end; at += random() * hour) {
    const calls = pick(random, [
      () => integer(random, 1, 8),
      () => integer(random, 1, 8),
      () => integer(random, 60, 90),
    ])();
    const slowestMs = pick(random, [0, second, 8 * second, 40 * second]);
    actions.push({ at, do: 'call', calls, slowestMs });
    // They are under way while a second session takes over, or their session is lost.
    const meanwhile = pick(random, [
      null,
      null,
      null,
      { do: 'rotate' },
      { do: 'rotate' },
      fault(drop(random)),
    ] as const);
    const isCalm = at > end - calmAtTheEnd - second;
    if (meanwhile !== null && !(isCalm && meanwhile.do === 'fault'))
      actions.push({ at: at + random() * second, ...meanwhile });
  }
  return actions;
}

/**
 * On every third day more comes now and then than a small ring holds, while somebody falls behind or reads back; not so
 * fast that a network with much jitter would bring it all at once.
 */
function drawBursts(random: () => number, end: number): readonly Action[] {
  const actions: Action[] = [];
  if (random() < 2 / 3) return actions;
  for (let at = random() * 2 * hour; at < end - minute; at += random() * 4 * hour) {
    actions.push({ at, do: 'burst', events: integer(random, 20, 80), everyMs: integer(random, 40, 120) });
    if (random() < 0.5)
      actions.push({ at: at - random() * second, do: 'stall consumer', ms: integer(random, 100, 9_000) });
    if (random() < 0.5) actions.push({ at: at + random() * 9 * second, do: 'read back' });
  }
  return actions;
}

/** On two of three days somebody changes the configuration now and then. */
function drawReloads(random: () => number, end: number): readonly Action[] {
  const actions: Action[] = [];
  if (random() < 1 / 3) return actions;
  for (let at = random() * 2 * hour; at < end; at += random() * 3 * hour) {
    for (const { after = 0, ...deed } of pick(random, reloads)(random)) {
      if (at + after < end) actions.push({ at: at + after, ...lastingAtMost(deed, Math.max(1_000, end - at)) });
    }
  }
  return actions;
}

/** Nothing lasts into the calm. */
function lastingAtMost(deed: Deed, ms: number): Deed {
  if ('ms' in deed && deed.do !== 'step the clock') return { ...deed, ms: Math.min(deed.ms, ms) };
  if (deed.do !== 'fault' || !('forMs' in deed.fault) || deed.fault.forMs === undefined) return deed;
  return { ...deed, fault: { ...deed.fault, forMs: Math.min(deed.fault.forMs, Math.ceil(ms)) } };
}
