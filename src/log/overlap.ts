/**
 * Merges what two sessions with the same subscriptions deliver while one takes over from the other, so that each event
 * of the venue is published once.
 *
 * The venue numbers nothing, so an event is known by its bytes alone, and two events may be the same to the byte. They
 * are therefore counted: of a frame that one session has delivered three times and the other twice, three are
 * published. An occurrence is published by whichever session brings it first.
 */
export class Overlap {
  /** How often each frame came, by session, and how often it was published: the greatest of those. */
  readonly #frames = new Map<string, Occurrences>();
  #suppressed = 0;

  /** Frames that were not published because the other session had brought them. */
  get suppressed(): number {
    return this.#suppressed;
  }

  /** Whether an event that a session brings now is new, and has to be published. */
  isNew(session: number, channel: string, message: Uint8Array): boolean {
    const key = `${channel}\n${Buffer.from(message.buffer, message.byteOffset, message.length).toString('latin1')}`;
    const seen = this.#frames.get(key) ?? { published: 0, bySession: new Map<number, number>() };
    this.#frames.set(key, seen);
    const count = (seen.bySession.get(session) ?? 0) + 1;
    seen.bySession.set(session, count);
    if (count <= seen.published) {
      this.#suppressed += 1;
      return false;
    }
    seen.published = count;
    return true;
  }
}

interface Occurrences {
  published: number;
  readonly bySession: Map<number, number>;
}
