import fc from 'fast-check';
import { expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { type SeenRequest, setTokenStage } from './support/token-stage.ts';
import { seeded } from './support/virtual-time.ts';

const outcomes = [
  failure('connection-lost', 'reset'),
  failure('server-error', 'HTTP 500'),
  failure('bad-reply', 'not JSON'),
  failure('rate-limited', 'HTTP 429', 0),
  failure('rate-limited', 'HTTP 429'),
  failure('credentials-refused', 'HTTP 401'),
  failure('refresh-token-refused', 'HTTP 400'),
];

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 12_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 4_000_000 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('grant' as const), lifeMs: fc.integer({ min: 1, max: 900_000 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fail' as const), failure: fc.constantFrom(...outcomes) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      type: fc.constantFrom('start', 'refresh', 'token.accepted', 'expiry.reached', 'clock.jumped', 'token.refused'),
      back: fc.nat({ max: 1 }),
    }),
  },
);

test('never two token requests at once, never closer than 5 s but to replace a refresh token, at most 12 a minute, whatever happens', async () => {
  let longest = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 80, maxLength: 160, size: 'max' }),
      fc.integer(),
      async (steps, seed) => {
        const stage = setTokenStage({ random: seeded(seed) });
        const { actor, requests, time } = stage;
        const answered = new Set<SeenRequest>();
        /** Requests that may follow at once, because the one before was refused for its refresh token. */
        const fallbacks = new Set<number>();
        const open = () => requests.filter((request) => !answered.has(request));
        actor.send({ type: 'start' });
        for (const each of steps) {
          const [request] = open();
          if (each.do === 'wait') await time.advance(each.ms);
          else if (each.do === 'send') {
            const { generation } = actor.getSnapshot().context;
            if (each.type === 'token.refused') actor.send({ type: each.type, generation: generation - each.back });
            else actor.send({ type: each.type });
          } else if (request !== undefined) {
            answered.add(request);
            if (each.do === 'fail' && each.failure.code === 'refresh-token-refused') fallbacks.add(requests.length);
            await (each.do === 'grant' ? request.grant(each.lifeMs) : request.fail(each.failure));
          }
          expect(open().length).toBeLessThanOrEqual(1);
        }
        const moments = requests.map(({ at }) => at);
        for (const [index, at] of moments.entries()) {
          if (!fallbacks.has(index)) {
            expect(at - (moments[index - 1] ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(5_000);
          }
          expect((moments[index + 12] ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThanOrEqual(60_000);
        }
        longest = Math.max(longest, moments.length);
        expect(actor.getSnapshot().status).toBe('active');
        stage.strike();
        time.expectNoTimers();
      },
    ),
    { numRuns: 100 },
  );
  // The property says something only if requests were made.
  expect(longest).toBeGreaterThan(12);
});
