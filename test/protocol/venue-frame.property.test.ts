import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type EventFrame, readFrame } from '../../src/protocol/venue-frame.ts';

const known = (name: string) => name === 'rfq.maker';

function eventOf(bytes: Uint8Array): EventFrame {
  const frame = readFrame(bytes, known);
  const event = frame.kind === 'event' ? frame : frame.otherwise;
  if (event === null) throw new Error('the frame is a reply without a channel');
  return event;
}

function textOf(event: EventFrame): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(event.message);
}

/** The frame as it came, up to line breaks between tokens. */
function restore(event: EventFrame): Buffer {
  const text = textOf(event);
  if (event.encoding === undefined) return Buffer.from(text);
  const content: unknown = JSON.parse(text);
  if (typeof content !== 'string') throw new Error('an encoded message is a JSON text');
  return Buffer.from(content, event.encoding === 'base64' ? 'base64' : 'utf8');
}

const withoutBreaks = (bytes: Uint8Array) =>
  Buffer.from(bytes.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte)));

/** Bytes that have come close to being a frame: pieces of JSON, UTF-8 and rubbish in any order. */
const pieces = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom('\ufeff', '\ufffd', '{"a":', '"', '}', '[', ']', '1', '\n', '\r', 'null', '"x"').map(Buffer.from),
      fc.jsonValue({ maxDepth: 2 }).map((value) => Buffer.from(JSON.stringify(value))),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

const layouts = fc.constantFrom<(value: unknown) => string>(
  (value) => JSON.stringify(value),
  (value) => JSON.stringify(value, null, 2),
  (value) => JSON.stringify(value, null, '\t').replaceAll('\n', '\r\n'),
  (value) => `\r\n ${JSON.stringify(value)} \n`,
  (value) =>
    JSON.stringify(value).replace(
      /[\u007f-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
);

it('turns any JSON value in any layout into one line of JSON of the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 }), layouts, (value, layout) => {
      // As an inner value, so that no random object is a reply.
      const frame = { params: { channel: 'rfq.maker', data: value } };
      const event = eventOf(Buffer.from(layout(frame)));
      expect(event.channel).toBe('rfq.maker');
      expect(event.encoding).toBeUndefined();
      const text = textOf(event);
      expect(text).not.toMatch(/[\r\n]/);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(frame)));
    }),
    { numRuns: 200 },
  );
});

it('turns any bytes at all into one line of valid JSON, from which they can be restored', () => {
  fc.assert(
    fc.property(pieces, (bytes) => {
      const before = Buffer.from(bytes);
      const event = eventOf(bytes);
      const text = textOf(event);
      expect(text).not.toMatch(/[\r\n]/);
      JSON.parse(text);
      const restored = restore(event);
      expect(restored).toEqual(event.encoding === undefined ? withoutBreaks(bytes) : Buffer.from(bytes));
      expect(Buffer.from(bytes)).toEqual(before);
    }),
    { numRuns: 1_500 },
  );
});
