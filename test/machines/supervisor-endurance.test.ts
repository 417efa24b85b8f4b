import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FailureCode, failure, failureCodes } from '../../src/protocol/failure.ts';
import { DaemonStage, never, refuseWith, wellBehaved } from './support/daemon-stage.ts';
import { ack, allChannels } from './support/session-stage.ts';
import { seeded } from './support/virtual-time.ts';

const second = 1_000;
const minute = 60 * second;
const renewals = ['auto', 'auto', 'in-place', 'rotate', 'reconnect'] as const;
const codes = Object.keys(failureCodes) as FailureCode[];

function expectPace(moments: readonly number[], most: number, windowMs: number): void {
  for (const [index, at] of moments.entries()) {
    expect((moments[index + most] ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThanOrEqual(windowMs);
  }
}

/** A venue that fails in any way at any stage, and in between works. */
function hostileStage(seed: number): DaemonStage {
  const random = seeded(seed);
  // Every third venue fails only in ways after which figd need not wait: there the ceiling alone holds it back.
  const choice: readonly FailureCode[] = random() < 0.35 ? ['renewal', 'on-request'] : codes;
  const any = () => failure(choice[Math.floor(random() * choice.length)] ?? 'internal', 'any failure');
  const perhaps = <T>(answer: T): Promise<T> => (random() < 0.3 ? refuseWith(any()) : Promise.resolve(answer));
  return new DaemonStage(
    {
      grant: () => perhaps({ lifeMs: 1_000 + random() * 600_000 }),
      connect: () => (random() < 0.5 ? 'opens' : random() < 0.2 ? null : any()),
      authenticate: (_, token) => perhaps(token),
      subscribe: () => perhaps({ confirmed: allChannels, refused: [] }),
      heartbeat: () => perhaps(ack),
      renewInPlace: (_, token) => perhaps(token),
      quietMoment: () => (random() < 0.5 ? never() : perhaps(0)),
      compare: () => perhaps({ missed: 0 }),
      hangsUp: random() < 0.5,
    },
    {
      session: {
        channels: allChannels,
        connectTimeout: 10_000,
        heartbeatInterval: 10_000,
        renewal: renewals[Math.floor(random() * renewals.length)] ?? 'auto',
      },
      reconcileInterval: random() < 0.5 ? null : 5 * minute,
    },
    random,
  );
}

test('no venue, however broken, is dialled more than ten times a minute or asked for tokens more than twelve', async () => {
  let dialled = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(
        fc.record({
          pause: fc.oneof(fc.nat({ max: second }), fc.nat({ max: 40 * second })),
          command: fc.constantFrom('drop', 'reconnect', 'refresh', 'rotate', 'clock.jumped', 'nothing'),
        }),
        { maxLength: 40, size: 'max' },
      ),
      async (seed, disturbances) => {
        const stage = hostileStage(seed);
        for (const { pause, command } of disturbances) {
          await stage.time.advance(pause);
          if (command === 'drop') await stage.drop();
          else if (command !== 'nothing') await stage.send({ type: command });
        }
        await stage.time.advance(60 * minute);

        expectPace(stage.dials, 10, minute);
        expectPace(stage.requests, 12, minute);
        const gaps = stage.takeFacts().filter(({ type }) => type.startsWith('gap.'));
        for (const [index, gap] of gaps.entries()) expect(gap.type).toBe(index % 2 === 0 ? 'gap.ended' : 'gap.opened');
        expect(stage.actor.getSnapshot().status).toBe('active');
        // A second one only while it takes over.
        expect(stage.sockets.most).toBeLessThanOrEqual(2);
        dialled = Math.max(dialled, stage.dials.length);

        await stage.send({ type: 'stop' });
        await stage.time.advance(3 * second);
        expect([stage.state, stage.sockets.open]).toEqual(['stopped', 0]);
        stage.time.expectNoTimers();
      },
    ),
    { numRuns: 20 },
  );
  // The property says something only if there was much to hold back.
  expect(dialled).toBeGreaterThan(30);
});

test('whatever failed before, figd is live again within minutes of the venue’s recovery', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const stage = hostileStage(seed);
      await stage.time.advance(60 * minute);
      Object.assign(stage.venue, wellBehaved());
      await stage.time.advance(12 * minute);
      expect([stage.sessionState, stage.tokenState]).toEqual(['live', 'valid']);
      stage.strike();
      stage.time.expectNoTimers();
    }),
    { numRuns: 20 },
  );
});

test('a venue that hangs at every stage holds nothing up: there is one socket and no crowd of timers', async () => {
  const stage = new DaemonStage({ connect: () => null, grant: async () => ({ lifeMs: 100 * minute }), hangsUp: false });
  await stage.time.advance(60 * minute);
  expect(stage.sockets).toEqual({ open: 1, most: 1 });
  expectPace(stage.dials, 10, minute);
  stage.venue.connect = () => 'opens';
  stage.venue.authenticate = never;
  await stage.time.advance(minute);
  expect([stage.sessionState, stage.sockets]).toEqual(['authenticating', { open: 1, most: 1 }]);
  stage.strike();
  stage.time.expectNoTimers();
});

test('a thousand sessions dropped and dialled again leave no timer and no child behind', async () => {
  const stage = new DaemonStage();
  await stage.time.advance(0);
  const children = () => Object.keys(stage.actor.getSnapshot().children);
  const atStart = { children: children(), timers: stage.time.timers() };
  for (let times = 0; times < 1_000; times++) {
    await stage.drop();
    while (stage.sessionState !== 'live') await stage.time.toNextTimer();
    await stage.time.advance(31 * second);
    stage.facts.length = 0;
  }
  expect(stage.dials).toHaveLength(1_001);
  expect({ children: children(), timers: stage.time.timers() }).toEqual(atStart);
  expect([atStart.children, stage.context.dials.length]).toEqual([['token', 'reconcile', 'session'], 10]);

  const token = stage.actor.getSnapshot().children['token'];
  await stage.send({ type: 'stop' });
  expect([stage.state, token?.getSnapshot().status, stage.sockets]).toEqual([
    'stopped',
    'stopped',
    { open: 0, most: 1 },
  ]);
  stage.time.expectNoTimers();
});
