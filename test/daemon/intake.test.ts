import { createClock } from '@sinonjs/fake-timers';
import { describe, expect, test } from 'vitest';
import { Intake } from '../../src/daemon/intake.ts';
import { ChannelFilter } from '../../src/log/channels.ts';
import { EventLog } from '../../src/log/event-log.ts';
import { passingNumbers } from '../../src/log/numbers.ts';

function setUp() {
  const fake = createClock();
  const log = new EventLog({
    numbers: passingNumbers('e'),
    journal: null,
    ringBytes: 1_048_576,
    schedule: () => undefined,
  });
  const intake = new Intake(log, {
    monotonic: () => fake.now,
    wall: () => fake.now,
    look: () => ({ suspendedMs: 0, steppedMs: 0 }),
    setTimeout: (run, ms) => fake.setTimeout(run, ms),
    clearTimeout: (handle) => fake.clearTimeout(handle as number),
  });
  const bring = (id: number, text: string) =>
    intake.take(id, { kind: 'event', channel: 'rfq.maker', message: Buffer.from(JSON.stringify(text)) }, fake.now);
  return { fake, log, intake, bring };
}

const session = (lastFrameAt: number | null = null) => ({ lastFrameAt });

test('one session alone: whatever it brings is published, twice where it happened twice', () => {
  const { log, intake, bring } = setUp();
  intake.begin(1, session());
  intake.join(1);
  bring(1, 'a');
  bring(1, 'a');
  expect([log.head, intake.suppressed]).toEqual([2, 0]);
});

test('what two sessions bring is published once from the moment the second one subscribes', () => {
  const { log, intake, bring } = setUp();
  intake.begin(1, session());
  bring(1, 'before');
  intake.begin(2, session());
  bring(1, 'before it subscribes');
  intake.join(2);
  bring(1, 'both');
  bring(2, 'both');
  bring(2, 'before');
  intake.end(1);
  expect([log.head, intake.suppressed]).toEqual([4, 1]);
});

test('a session that overlapped with none is compared with none', () => {
  const { fake, log, intake, bring } = setUp();
  for (const id of [1, 2]) {
    intake.begin(id, session());
    intake.join(id);
  }
  fake.tick(1_000);
  intake.end(1);
  bring(2, 'the same words');
  fake.tick(200);
  intake.end(2);
  intake.begin(3, session());
  intake.join(3);
  bring(3, 'the same words');
  expect([log.head, intake.suppressed, fake.countTimers()]).toEqual([2, 0, 0]);
});

test('when a session was heard is known after its end, however many have tried to take over from it', () => {
  const { intake } = setUp();
  intake.begin(1, session(500));
  for (let id = 2; id <= 20; id += 1) {
    intake.begin(id, session(500 + id));
    intake.end(id);
  }
  intake.begin(21, session());
  intake.end(1);
  intake.end(21);
  expect([intake.heardOn(1), intake.heardOn(20), intake.heardOn(2)]).toEqual([500, 520, null]);
});

describe('what the second session brings', () => {
  const published = ({ log }: ReturnType<typeof setUp>) =>
    log
      .read(1, new ChannelFilter(log.channels, ['*']), 1_048_576)
      .chunks.join('')
      .split('\n')
      .flatMap((line) => /"message":"(.*)"/.exec(line)?.[1] ?? []);

  test('stands behind all that the first one brings, for two connections have no order between them', () => {
    const stage = setUp();
    const { intake, bring } = stage;
    intake.begin(1, session());
    intake.begin(2, session());
    intake.join(2);
    bring(2, 'second');
    bring(1, 'first, and late');
    bring(2, 'third');
    bring(1, 'second');
    expect(published(stage)).toEqual(['first, and late', 'second']);
    intake.end(1);
    expect(published(stage)).toEqual(['first, and late', 'second', 'third']);
    bring(2, 'fourth');
    expect(published(stage).at(-1)).toBe('fourth');
    expect(intake.suppressed).toBe(1);
  });

  test('waits for half a second at most, and keeps the time at which it came', () => {
    const stage = setUp();
    const { fake, intake, bring, log } = stage;
    intake.begin(1, session());
    intake.begin(2, session());
    intake.join(2);
    bring(2, 'held back');
    fake.tick(499);
    expect(published(stage)).toEqual([]);
    fake.tick(1);
    expect(published(stage)).toEqual(['held back']);
    expect(log.lastReceivedAt).toBe(0);
    bring(2, 'at once');
    expect(published(stage)).toEqual(['held back', 'at once']);
  });

  test('is published when that one is lost before it has taken over, and when figd stops', () => {
    const stage = setUp();
    const { fake, intake, bring } = stage;
    intake.begin(1, session());
    intake.begin(2, session());
    intake.join(2);
    bring(2, 'of the second');
    intake.end(2);
    intake.begin(3, session());
    intake.join(3);
    bring(3, 'of the third');
    intake.stop();
    expect(published(stage)).toEqual(['of the second', 'of the third']);
    expect(fake.countTimers()).toBe(0);
  });
});

test('the second one may lag behind for two seconds after the first one is gone, and no longer', () => {
  const { fake, log, intake, bring } = setUp();
  intake.begin(1, session());
  intake.begin(2, session());
  intake.join(2);
  bring(1, 'late');
  bring(1, 'lost on the second one');
  intake.end(1);
  fake.tick(1_999);
  bring(2, 'late');
  fake.tick(1);
  bring(2, 'lost on the second one');
  expect([log.head, intake.suppressed, fake.countTimers()]).toEqual([3, 1, 0]);
});

test('a rotation that follows a failed one is not cut short by the end of that', () => {
  const { fake, intake, log, bring } = setUp();
  intake.begin(1, session());
  intake.begin(2, session());
  intake.join(2);
  intake.end(2);
  fake.tick(1_000);
  intake.begin(3, session());
  intake.join(3);
  fake.tick(1_500);
  bring(1, 'both');
  bring(3, 'both');
  fake.tick(500);
  expect([log.head, intake.suppressed]).toEqual([1, 1]);
});

test('remembers when the venue was heard last, also of sessions that are gone', () => {
  const { intake } = setUp();
  expect(intake.lastHeardAt).toBeNull();
  intake.begin(1, session(70));
  intake.begin(2, session());
  intake.end(1);
  expect(intake.lastHeardAt).toBe(70);
  intake.begin(3, session(90));
  expect(intake.lastHeardAt).toBe(90);
});
