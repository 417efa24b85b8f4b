import { type Failure, type FailureCode, failure } from '../../protocol/failure.ts';

/** A session that lives longer than this was not cut short. */
const shortLifeMs = 60_000;
/** So many in a row are no accident. */
const sessionsOfAContest = 4;

/**
 * How a venue ends a session in favour of another one of the same key. Faults of the venue (1011, 1012, going away) and
 * broken connections are left out: they hit everybody.
 */
const inFavourOfAnother: readonly FailureCode[] = [
  'closed-by-venue',
  'closed-unknown',
  'session-expired',
  'too-many-sessions',
];

export interface EndedSession {
  readonly failure: Failure;
  /** How long ago it was authenticated; null when it never was. */
  readonly authenticatedForMs: number | null;
}

/** How many sessions in a row the venue has cut short, with this one. */
export function countCutShort(before: number, { failure: found, authenticatedForMs }: EndedSession): number {
  // One that was not let in at all says nothing about those that were.
  if (authenticatedForMs === null) return before;
  if (authenticatedForMs >= shortLifeMs) return 0;
  return inFavourOfAnother.includes(found.code) ? before + 1 : before;
}

/** What ended the session, in the light of those before it: who else uses the key matters more than how it shows. */
export function judgeEnding(found: Failure, cutShort: number): Failure {
  if (cutShort < sessionsOfAContest || !inFavourOfAnother.includes(found.code)) return found;
  const words = `the venue ended ${cutShort} sessions in a row within a minute of authenticating; another program seems to use this key (${found.message})`;
  const { class: contested, code } = failure('contested', words);
  return { ...found, class: contested, code, message: words };
}
