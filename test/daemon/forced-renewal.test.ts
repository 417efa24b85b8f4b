import { beforeEach, describe, expect, test } from 'vitest';
import type { Vault } from '../../src/adapters/vault.ts';
import { ForcedRenewal } from '../../src/daemon/forced-renewal.ts';
import { vaultWith } from '../adapters/support/venue.ts';
import { TestClock } from './support/test-clock.ts';

let clock: TestClock;
let vault: Vault;
let asked: number;
let isOnItsWay: boolean;
let renewal: ForcedRenewal;

const grant = (generation: number) => {
  vault.keep({ value: `token-${generation}`, generation, expiresAt: Number.POSITIVE_INFINITY }, null);
  renewal.learn({ type: 'token.granted' });
};

beforeEach(() => {
  clock = new TestClock();
  vault = vaultWith();
  asked = 0;
  isOnItsWay = true;
  renewal = new ForcedRenewal({
    vault,
    clock,
    renew: () => {
      asked += 1;
      return isOnItsWay;
    },
  });
  grant(1);
});

describe('a call while there is no token', () => {
  beforeEach(() => vault.forget(1));

  test('waits for the one that is on its way', async () => {
    const present = [renewal.present(5_000), renewal.present(5_000)];
    grant(2);
    expect(await Promise.all(present)).toEqual([true, true]);
    expect([await renewal.present(5_000), clock.time.timers()]).toEqual([true, 0]);
  });

  test('is told at once that there is none where none is on its way, and at the latest in its time', async () => {
    const late = renewal.present(5_000);
    await clock.time.advance(5_000);
    expect(await late).toBe(false);
    isOnItsWay = false;
    expect([await renewal.present(5_000), clock.time.timers()]).toEqual([false, 0]);
  });

  test('does not count as a renewal that did not help', async () => {
    for (let times = 0; times < 3; times += 1) {
      const late = renewal.present(1);
      await clock.time.advance(1);
      await late;
    }
    grant(2);
    const refused = renewal.beyond(2, 5_000);
    grant(3);
    expect(await refused).toBe(true);
  });
});

describe('a token that was refused on a REST call', () => {
  test('is replaced once for all who were refused', async () => {
    const waiting = [renewal.beyond(1, 5_000), renewal.beyond(1, 5_000), renewal.beyond(1, 5_000)];
    expect(asked).toBe(1);
    grant(2);
    expect(await Promise.all(waiting)).toEqual([true, true, true]);
    expect(clock.time.timers()).toBe(0);
  });

  test('is not replaced where there is a newer one already', async () => {
    grant(2);
    expect([await renewal.beyond(1, 5_000), asked]).toEqual([true, 0]);
  });

  test('is given up at once where none is asked for, as the venue refuses the credentials', async () => {
    isOnItsWay = false;
    expect([await renewal.beyond(1, 5_000), asked, clock.time.timers()]).toEqual([false, 1, 0]);
  });

  test('is given up when the request for a new one fails', async () => {
    const waiting = renewal.beyond(1, 5_000);
    renewal.learn({ type: 'token.failed' });
    expect(await waiting).toBe(false);
  });

  test('is given up when nobody answers in time', async () => {
    const waiting = renewal.beyond(1, 5_000);
    renewal.learn({ type: 'token.requested' });
    await clock.time.advance(5_000);
    expect([await waiting, clock.time.timers()]).toEqual([false, 0]);
  });

  test('is not replaced again and again where new ones are refused too', async () => {
    const first = renewal.beyond(1, 5_000);
    grant(2);
    expect(await first).toBe(true);
    expect([await renewal.beyond(2, 5_000), asked]).toEqual([false, 1]);
    await clock.time.advance(60_000);
    const later = renewal.beyond(2, 5_000);
    grant(3);
    expect([await later, asked]).toEqual([true, 2]);
  });
});

describe('a path that is refused whatever the token', () => {
  const minute = 60_000;

  /** Refuses the newest token each second for so long, where there is a new one at once. @returns when new ones were asked for, in minutes */
  async function refusing(minutes: number): Promise<readonly number[]> {
    const beganAt = clock.monotonic();
    const times: number[] = [];
    for (let second = 0; second < minutes * 60; second += 1) {
      const before = asked;
      const generation = asked + 1;
      const answer = renewal.beyond(generation, 5_000);
      if (asked > before) {
        times.push((clock.monotonic() - beganAt) / minute);
        grant(generation + 1);
      }
      await answer;
      await clock.time.advance(1_000);
    }
    return times;
  }

  test('has tokens replaced ever more seldom, each quarter of an hour at last', async () => {
    expect(await refusing(62)).toEqual([0, 1, 3, 7, 15, 30, 45, 60]);
  });

  test('is forgotten as soon as a new token has helped a call that was refused', async () => {
    expect(await refusing(8)).toEqual([0, 1, 3, 7]);
    renewal.helped();
    expect(await refusing(4)).toEqual([0, 1, 3]);
  });

  test('does not have a renewal that helped made sooner than a minute after another', async () => {
    const first = renewal.beyond(1, 5_000);
    grant(2);
    await first;
    renewal.helped();
    expect([await renewal.beyond(2, 5_000), asked]).toEqual([false, 1]);
  });
});
