/**
 * Merges what two sessions with the same subscriptions deliver while one takes over from the other, so that each event
 * of the venue is published once.
 *
 * The venue numbers nothing, so an event is known by its bytes alone, and two genuine events may be the same to the
 * byte. What tells them apart is order: on a channel both sessions deliver the same events one after the other. A frame
 * that one session brings is taken for the oldest one of the same bytes that the other has brought and that still
 * waits for its twin; whatever waited longer than that one has no twin (it came before the second session was
 * subscribed), and is not waited for any more.
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
    for (const [other, frames] of waiting) {
      const twin = other === session ? -1 : frames.indexOf(frame);
      if (twin === -1) continue;
      frames.splice(0, twin + 1);
      // The other session is ahead: what this one brought before and the other did not, the other never will.
      waiting.delete(session);
      this.#suppressed += 1;
      return false;
    }
    const own = waiting.get(session);
    if (own === undefined) waiting.set(session, [frame]);
    else own.push(frame);
    return true;
  }
}
