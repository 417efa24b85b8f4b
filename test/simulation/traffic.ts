import type { Venue } from '../../src/simulator/venue.ts';
import type { Deed } from './deeds.ts';
import type { Scheduler } from './scheduler.ts';

export interface TrafficPorts {
  readonly venue: Venue;
  readonly scheduler: Scheduler;
  readonly random: () => number;
  /** Told of each event of a burst how many that has. */
  readonly onBurst: (events: number) => void;
}

/** Sixteen of them are the smallest ring. */
const largeNote = 'x'.repeat(16_384);

/** What happens at the venue beside its market. */
export class Traffic {
  readonly #ports: TrafficPorts;

  constructor(ports: TrafficPorts) {
    this.#ports = ports;
  }

  /** Two events of the venue that are the same to the byte, and both count. */
  publishTwins(): void {
    const data = this.#someQuote();
    for (let each = 0; each < 2; each += 1) this.#ports.venue.publish('rfq_quote.maker', data);
  }

  /** @param isFlowing whether one more event reaches the readers before the next: else it is left out */
  publishBurst({ events, everyMs }: Extract<Deed, { do: 'burst' }>, isFlowing: () => boolean): void {
    const { scheduler, venue, onBurst } = this.#ports;
    for (let each = 0; each < events; each += 1) {
      const data = { ...this.#someQuote(), note: largeNote };
      scheduler.at(scheduler.now + each * everyMs, 'world', () => {
        if (!isFlowing()) return;
        onBurst(events);
        venue.publish('rfq_quote.maker', data);
      });
    }
  }

  /** Somebody else uses the same key, or the same address. */
  useTheKey(count: number): void {
    const request = { method: 'GET', path: '/v1/rfq', headers: {}, body: '' };
    for (let each = 0; each < count; each += 1) void this.#ports.venue.request(request).catch(() => undefined);
  }

  #someQuote() {
    return { rfqQuoteId: Math.floor(this.#ports.random() * 1e9), rfqId: 1, event: 'updated' };
  }
}
