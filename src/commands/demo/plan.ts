import type { Fault } from '../../simulator/faults.ts';

/** Something the demo breaks, in words a spectator understands. */
export interface PlannedFault {
  readonly title: string;
  readonly faults: readonly Fault[];
  /** False where the session is expected to carry on. */
  readonly interrupts: boolean;
}

/** What goes wrong in a demo, in this order, over and over. */
export const plan: readonly PlannedFault[] = [
  { title: 'the venue drops the connection', faults: [{ kind: 'drop' }], interrupts: true },
  { title: 'the venue sends garbage', faults: [{ kind: 'malformed' }], interrupts: false },
  {
    title: 'the connection goes half-open: it looks fine and nothing comes back',
    faults: [{ kind: 'half-open', forMs: 500 }],
    interrupts: true,
  },
  { title: 'the venue revokes every token', faults: [{ kind: 'expire-tokens' }], interrupts: true },
  { title: 'the venue is down for two seconds', faults: [{ kind: 'down', forMs: 2_000 }], interrupts: true },
  {
    title: 'the venue limits the rate: come back in two seconds',
    faults: [{ kind: 'http-status', status: 429, path: '/ws/v1', retryAfterS: 2, times: 1 }, { kind: 'drop' }],
    interrupts: true,
  },
  {
    title: 'the socket refuses a good token once',
    faults: [{ kind: 'refuse-auth', times: 1 }, { kind: 'drop' }],
    interrupts: true,
  },
];
