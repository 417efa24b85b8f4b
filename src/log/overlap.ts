/**
 * Merges what two sessions with the same subscriptions deliver while one takes over from the other, so that each event
 * of the venue is published once.
 *
 * The venue numbers nothing, so an event is known by its bytes alone, and two genuine events may be the same to the
 * byte. What tells them apart is order: on a channel both sessions deliver the same events one after the other, the
 * newer one from the moment on at which it was subscribed. So what the older one brings is either from before that
 * moment or the oldest that still waits for its twin; and where the newer one has brought what waits, it is ahead, and
 * nothing that the older one brought can be a twin of what comes on it now.
 */
export class Overlap {
  /** By channel and session: frames published, oldest first, whose twin has not come yet. */
  readonly #waiting = new Map<string, Map<number, string[]>>();
  #suppressed = 0;

  /** Frames that were not published because the other session had brought them. */
  get suppressed(): number {
    return this.#suppressed;
  }

  /** Whether an event that a session brings now is new, and has to be published. */
  isNew(session: number, channel: string, message: Uint8Array): boolean {
    const frame = Buffer.from(message.buffer, message.byteOffset, message.length).toString('latin1');
    const waiting = this.#waiting.get(channel) ?? new Map<number, string[]>();
    this.#waiting.set(channel, waiting);
    const own = waiting.get(session);
    for (const [other, frames] of waiting) {
      const twin = other === session ? -1 : findTwin(frames, frame, other < session, own !== undefined);
      if (twin === -1) continue;
      // Whatever waited longer has no twin: it came before the newer session was subscribed.
      frames.splice(0, twin + 1);
      if (frames.length === 0) waiting.delete(other);
      // The other session is ahead: what this one brought before and the other did not, the other never will.
      waiting.delete(session);
      this.#suppressed += 1;
      return false;
    }
    if (own === undefined) waiting.set(session, [frame]);
    else own.push(frame);
    return true;
  }
}

/** Where the twin of a frame waits that a session brings now, among those of the other session; −1: nowhere. */
function findTwin(frames: readonly string[], frame: string, isOtherOlder: boolean, isWaitedFor: boolean): number {
  if (!isOtherOlder) return frames[0] === frame ? 0 : -1;
  return isWaitedFor ? -1 : frames.indexOf(frame);
}
