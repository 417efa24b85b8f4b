import { gapChannel, reconcileChannel, stateChannel } from '../protocol/local.ts';

/** The channels whose events the venue lists as well. */
const listedChannels = ['rfq.maker', 'rfq.taker'];

/**
 * Whether a channel is one that a consumer wants, by its patterns: channel names in which `*` stands for any run of
 * characters. figd's own facts pass whatever the patterns. Null where every channel passes.
 */
export function patternTest(patterns: readonly string[]): ((channel: string) => boolean) | null {
  if (patterns.includes('*')) return null;
  const tests = patterns.map(singleTest);
  const wants = (name: string) => tests.some((test) => test(name));
  return (name) => {
    if (name === stateChannel || name === gapChannel || wants(name)) return true;
    // Who wants RFQs wants those as well that were fetched afterwards.
    return name === reconcileChannel && listedChannels.some(wants);
  };
}

/**
 * Matches by walking the parts between the stars, which is linear in the name: a regular expression made from a
 * consumer's pattern could take for ever.
 */
function singleTest(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*');
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return (name) => name === pattern;
  return (name) => {
    if (!name.startsWith(first)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = name.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return name.length - last.length >= at && name.endsWith(last);
  };
}
