import { readFileSync } from 'node:fs';
import { blankMark } from '../mark.ts';

/** The venue's channels, a sample of each, and how the venue mixes them is not known: one after the other. */
const channels = ['rfq.maker', 'rfq.taker', 'rfq_quote.maker', 'rfq_quote.taker'] as const;

/** The events to send in turn, each a whole WebSocket frame with a blank mark at its end. */
export function realisticFrames(): readonly Buffer[] {
  return channels.map((channel) => {
    const sample = new URL(`../../test/fixtures/venue/${channel}.json`, import.meta.url);
    return webSocketFrame(notification(channel, readFileSync(sample, 'utf8').trim()));
  });
}

/** Events of about 200 bytes. */
export function smallFrames(): readonly Buffer[] {
  const data = '{"rfqQuoteId":41277,"rfqId":90418,"price":0.019,"amount":10,"event":"created"}';
  return [webSocketFrame(notification('rfq_quote.taker', data))];
}

function notification(channel: string, data: string): string {
  return `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${channel}","data":${data},${blankMark}`;
}

/** A text frame from a server (RFC 6455, 5.2): final, not masked. */
export function webSocketFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  if (length > 0xffff) throw new RangeError('longer than a length of two bytes can say');
  const header = length < 126 ? [0x81, length] : [0x81, 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), payload]);
}
