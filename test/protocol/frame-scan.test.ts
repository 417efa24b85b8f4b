import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { FrameScan } from '../../src/protocol/frame-scan.ts';
import { readFrame } from '../../src/protocol/venue-frame.ts';
import { channels, envelope, envelopeStyles } from '../../src/simulator/frames.ts';

const known = (name: string) => name.startsWith('rfq');

function channelOf(text: string): string | null {
  return new FrameScan().channelOf(Buffer.from(text), known);
}

it.each(channels.flatMap((channel) => envelopeStyles.map((style) => [channel, style] as const)))(
  'finds the channel of the documented sample of %s in the envelope "%s" without parsing',
  (channel, style) => {
    const sample: unknown = JSON.parse(
      readFileSync(new URL(`../fixtures/venue/${channel}.json`, import.meta.url), 'utf8'),
    );
    expect(channelOf(JSON.stringify(envelope(style, channel, sample)))).toBe(channel);
  },
);

it.each([
  ['a possible reply', '{"id":1,"result":{"channel":"rfq.maker"}}'],
  ['a possible refusal', '{"id":1,"error":{},"channel":"rfq.maker"}'],
  ['a channel of figd', '{"channel":"figd.state"}'],
  ['an escape in a key', '{"ch\\u0061nnel":"rfq.maker"}'],
  ['an escape in the channel', '{"channel":"rfq\\u002emaker"}'],
  ['a channel that is not ASCII', '{"channel":"rfq.mäker"}'],
  ['no channel', '{"params":{"text":"maintenance"}}'],
  ['an array', '[{"channel":"rfq.maker"}]'],
  ['a key that stands twice, with a channel only in the first', '{"params":{"channel":"rfq.maker"},"params":1}'],
  ['nesting beyond what is followed', `{"channel":"rfq.maker","data":${'['.repeat(40)}${']'.repeat(40)}}`],
  ['a frame above 64 KiB', `{"channel":"rfq.maker","data":"${'x'.repeat(65_536)}"}`],
  ['no JSON', '{"channel":"rfq.maker"'],
  ['a zero byte behind the end', '{"channel":"rfq.maker"}\0'],
])('leaves %s to somebody who parses', (_what, text) => {
  expect(channelOf(text)).toBeNull();
});

it('takes for UTF-8 what is UTF-8, at every boundary of its table', () => {
  const scan = new FrameScan();
  const frame = Buffer.from('{"channel":"rfq.maker","data":"....x"}');
  const at = frame.indexOf('....');
  const boundaries = [0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xf0, 0xff];
  const mistaken: string[] = [];
  for (let first = 0x80; first <= 0xff; first += 1) {
    for (const second of boundaries) {
      for (const third of boundaries) {
        for (const fourth of boundaries) {
          frame.set([first, second, third, fourth], at);
          const isTaken = scan.channelOf(frame, known) !== null;
          if (isTaken !== isUtf8(frame)) mistaken.push(frame.toString('hex', at, at + 4));
        }
      }
    }
  }
  expect(mistaken).toEqual([]);
});

it('remembers at each of 31 levels whether it is in an object or an array', () => {
  const levels = Array.from({ length: 31 }, (_, level) => level % 3 === 0);
  const opened = levels.map((isObject) => (isObject ? '{"a":' : '[')).join('');
  const closings = levels.map((isObject) => (isObject ? '}' : ']')).toReversed();
  const frame = (closed: readonly string[]) => `{"channel":"rfq.maker","data":${opened}1${closed.join('')}}`;
  expect(channelOf(frame(closings))).toBe('rfq.maker');
  for (let wrong = 0; wrong < closings.length; wrong += 1) {
    const swapped = closings.with(wrong, closings[wrong] === '}' ? ']' : '}');
    expect(channelOf(frame(swapped))).toBeNull();
  }
});

it('lets the last of two equal keys count', () => {
  expect(channelOf('{"params":{"channel":"rfq.maker"},"params":{"channel":"rfq.a","channel":"rfq.b"}}')).toBe('rfq.b');
  expect(channelOf('{"params":{"channel":"rfq.a"},"channel":"rfq.b","params":{"channel":null}}')).toBe('rfq.b');
});

it('gives the same string for the same bytes, and other names where they share a place', () => {
  const scan = new FrameScan();
  for (let round = 0; round < 2; round += 1) {
    for (let index = 0; index < 1_000; index += 1) {
      const name = `rfq.${index}`;
      expect(scan.channelOf(Buffer.from(`{"channel":"${name}"}`), known)).toBe(name);
    }
  }
});

it('reads a frame from before and after a longer one as if that had not been', () => {
  const short = Buffer.from('{"channel":"rfq.maker"');
  readFrame(Buffer.from(`{"channel":"rfq.maker","data":"}${'}'.repeat(100)}"}`), known);
  expect(readFrame(short, known)).toMatchObject({ channel: 'venue.unrouted', encoding: 'text' });
});
