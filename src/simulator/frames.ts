/** The channels of the venue that carry market events. */
export const channels = ['rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker'] as const;

export type Channel = (typeof channels)[number];

export function isChannel(name: string): name is Channel {
  return (channels as readonly string[]).includes(name);
}

/** The places where a notification may carry its channel; the venue's pages show only the payload. */
export const envelopeStyles = ['params', 'channel', 'method', 'subscription', 'result'] as const;

export type EnvelopeStyle = (typeof envelopeStyles)[number];

/** Wraps `data` as a notification on `channel`. */
export function envelope(style: EnvelopeStyle, channel: Channel, data: unknown): object {
  switch (style) {
    case 'params':
      return { jsonrpc: '2.0', method: 'subscription', params: { channel, data } };
    case 'channel':
      return { channel, data };
    case 'method':
      return { jsonrpc: '2.0', method: channel, params: data };
    case 'subscription':
      return { jsonrpc: '2.0', method: 'subscription', params: { subscription: channel, result: data } };
    case 'result':
      return { jsonrpc: '2.0', result: { channel, data } };
  }
}

/** A frame with the channel it can be attributed to, `null` where it names no known one. */
export interface Frame {
  readonly channel: string | null;
  readonly frame: string | Uint8Array;
}

/**
 * Everything a venue should never send and one day will: not JSON, truncated JSON, JSON over several lines, bytes that
 * are not UTF-8 in a binary frame, JSON without a channel, JSON on a channel nobody knows.
 */
export function malformedFrames(style: EnvelopeStyle, sample: unknown): readonly Frame[] {
  const valid = envelope(style, 'rfq.maker', sample);
  const unknownChannel = { jsonrpc: '2.0', method: 'subscription', params: { channel: 'rfq.unknown', data: sample } };
  return [
    { channel: null, frame: 'this is not JSON' },
    { channel: null, frame: JSON.stringify(valid).slice(0, -7) },
    { channel: 'rfq.maker', frame: JSON.stringify(valid, null, 2) },
    { channel: null, frame: Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0xc3, 0x28, 0x0a, 0x22, 0x7d) },
    { channel: null, frame: '{"jsonrpc":"2.0","method":"notice","params":{"text":"maintenance at 08:00 UTC"}}' },
    { channel: null, frame: JSON.stringify(unknownChannel) },
  ];
}

/** A valid event of `bytes` bytes (or slightly more when `sample` alone is longer), padded with ASCII in its `description`. */
export function oversizedFrame(style: EnvelopeStyle, sample: object, bytes: number): Frame {
  const base = JSON.stringify(envelope(style, 'rfq.maker', { ...sample, description: '' })).length;
  const description = 'x'.repeat(Math.max(0, bytes - base));
  return {
    channel: 'rfq.maker',
    frame: JSON.stringify(envelope(style, 'rfq.maker', { ...sample, description })),
  };
}
