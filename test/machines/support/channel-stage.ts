import { failure } from '../../../src/protocol/failure.ts';
import { allChannels, SessionStage } from './session-stage.ts';

const second = 1_000;
export const [maker = '', taker = ''] = allChannels;
/** A channel that is not among those of the start. */
export const quotes = 'rfq_quote.maker';
export const limited = failure('rate-limited', 'v1/subscribe: error 429', 90 * second);
/** What session 7 asks for at the start. */
export const firstAsk = `subscribe ${allChannels.join()} on 7`;

/** A session whose channels change. */
export class ChannelStage extends SessionStage {
  /** These channels are wanted from now on. */
  wish(...channels: string[]): Promise<void> {
    return this.change({ channels });
  }

  /** The venue confirms what it was asked for last. */
  yes(...confirmed: string[]): Promise<void> {
    return this.answer('subscribe', { confirmed, refused: [] });
  }

  book() {
    const { confirmed, refused, held } = this.actor.getSnapshot().context;
    return { confirmed, refused, held };
  }

  /** What was asked of the venue about channels, in order. */
  asks(): readonly string[] {
    return this.calls.flatMap(({ name, input }) => {
      const { session, channels = [] } = input as { session: number; channels?: readonly string[] };
      return name === 'subscribe' || name === 'unsubscribe' ? [`${name} ${channels.join()} on ${session}`] : [];
    });
  }

  /** What it has reported, without the heartbeats. */
  told() {
    return this.reports.filter(({ type }) => type !== 'session.heartbeat');
  }
}
