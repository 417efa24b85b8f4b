import { gapChannel, reconcileChannel, stateChannel, unroutedChannel } from '../protocol/local.ts';
import { patternTest } from './patterns.ts';

/** A channel of the log: a small number for speed, its name, and its name as it stands in a line. */
export interface Channel {
  readonly id: number;
  readonly name: string;
  /** JSON, ASCII only, so that its length in characters is its length in bytes. */
  readonly json: string;
  events: number;
  /** Unix milliseconds, or null before the first event. */
  lastEventAt: number | null;
}

/**
 * A venue gone mad could send every frame on a channel of its own. Each channel costs memory and a metric, so above
 * this number new names share {@link unroutedChannel}; the frame itself still tells where it belongs.
 */
export const maxChannels = 1_024;

/** Numbers the channels in the order they appear. */
export class Channels {
  readonly #byName = new Map<string, Channel>();
  readonly #all: Channel[] = [];

  constructor() {
    for (const name of [stateChannel, gapChannel, unroutedChannel, reconcileChannel]) this.#add(name);
  }

  /** The channel of that name, known from now on. */
  named(name: string): Channel {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    return this.#all.length < maxChannels ? this.#add(name) : this.named(unroutedChannel);
  }

  find(name: string): Channel | undefined {
    return this.#byName.get(name);
  }

  withId(id: number): Channel | undefined {
    return this.#all[id];
  }

  all(): readonly Channel[] {
    return this.#all;
  }

  #add(name: string): Channel {
    const channel = { id: this.#all.length, name, json: asciiJson(name), events: 0, lastEventAt: null };
    this.#all.push(channel);
    this.#byName.set(name, channel);
    return channel;
  }
}

function asciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Which channels a consumer wants, with the answers remembered by channel. */
export class ChannelFilter {
  readonly patterns: readonly string[];
  readonly #channels: Channels;
  readonly #test: ((name: string) => boolean) | null;
  /** Answers by channel id, found when first asked. */
  readonly #answers: (boolean | undefined)[] = [];

  constructor(channels: Channels, patterns: readonly string[]) {
    this.patterns = patterns;
    this.#channels = channels;
    this.#test = patternTest(patterns);
  }

  get passesAll(): boolean {
    return this.#test === null;
  }

  passes(channelId: number): boolean {
    const known = this.#answers[channelId];
    if (known !== undefined) return known;
    const answer = this.#test?.(this.#channels.withId(channelId)?.name ?? '') ?? true;
    this.#answers[channelId] = answer;
    return answer;
  }
}
