import { gapChannel, reconcileChannel, stateChannel } from '../protocol/local.ts';
import { starPattern } from '../protocol/star-pattern.ts';

/** The channels whose events the venue lists as well. */
const listedChannels = ['rfq.maker', 'rfq.taker'];

/**
 * Whether a channel is one that a consumer wants, by its patterns: channel names in which `*` stands for any run of
 * characters. figd's own facts pass whatever the patterns. Null where every channel passes.
 */
export function patternTest(patterns: readonly string[]): ((channel: string) => boolean) | null {
  if (patterns.includes('*')) return null;
  const tests = patterns.map(starPattern);
  const wants = (name: string) => tests.some((test) => test(name));
  return (name) => {
    if (name === stateChannel || name === gapChannel || wants(name)) return true;
    // Who wants RFQs wants those as well that were fetched afterwards.
    return name === reconcileChannel && listedChannels.some(wants);
  };
}
