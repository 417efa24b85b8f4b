import { afterEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/protocol/failure.ts';
import { DaemonStage, never, refuseWith } from './support/daemon-stage.ts';

const refused = failure('token-refused', 'auth: success: false');
const wentAway = failure('closed-by-venue', 'the venue closed the session with 1000');

let stage: DaemonStage;
afterEach(() => stage.strikeLeavingNothing());

/** Goes on until a session is authenticated, or the token is blocked. */
async function authenticated(): Promise<boolean> {
  stage.takeFacts();
  await stage.time.advance(0);
  for (;;) {
    if (stage.tokenState === 'blocked') return false;
    if (stage.facts.some(({ type }) => type === 'session.authenticated')) return true;
    await stage.time.toNextTimer();
  }
}

describe('tokens that the socket refuses', () => {
  test('are no row where it takes one in between, though that session never becomes live', async () => {
    stage = new DaemonStage({
      authenticate: async (session, newest) => (session % 2 === 1 ? refuseWith(refused) : newest),
      subscribe: never,
    });
    for (let times = 0; times < 8; times += 1) {
      expect(await authenticated()).toBe(true);
      await stage.drop(wentAway);
    }
  });

  test('are one where each is taken at first, and the session closed for it at once', async () => {
    stage = new DaemonStage({ subscribe: never });
    let sessions = 0;
    while (await authenticated()) {
      sessions += 1;
      if (sessions > 8) break;
      await stage.drop(refused);
    }
    expect(sessions).toBe(4);
  });
});
