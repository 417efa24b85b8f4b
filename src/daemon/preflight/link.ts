import { FailureError } from '../../protocol/failure.ts';
import type { Venue } from '../venue.ts';

/** A session with the venue that is only looked at. */
export interface Link {
  readonly session: ReturnType<Venue['dial']>;
  readonly opened: Promise<void>;
  readonly close: () => Promise<void>;
}

const closeDeadlineMs = 1_000;

export function dial(venue: Venue): Link {
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const session = venue.dial(
    {
      opened: () => opened.resolve(),
      closed: (found) => {
        opened.reject(new FailureError(found));
        closed.resolve();
      },
    },
    { publish: () => undefined, onStrayReply: () => undefined, onSubscribing: () => undefined },
  );
  return {
    session,
    opened: opened.promise,
    close: async () => {
      session.hangUp();
      const deadline = setTimeout(closed.resolve, closeDeadlineMs);
      await closed.promise;
      clearTimeout(deadline);
      session.dispose();
    },
  };
}
