// Each event carries, as the last member of its params, `"mark":"~number~nanoseconds~"` in fixed width: the feed patches it
// into a frame that was built before, and a consumer finds it by its distance from the end, without parsing JSON.

const numberDigits = 10;
const timeDigits = 18;
const tilde = 0x7e;
const zero = 0x30;
/** What follows the mark in a frame. */
const tail = '"}}';

/** A mark to be patched, with what follows it. */
export const blankMark = `"mark":"~${'0'.repeat(numberDigits)}~${'0'.repeat(timeDigits)}~${tail}`;

/** Distances from the end of the frame. */
const lastTilde = tail.length + 1;
const timeStart = lastTilde + timeDigits;
const middleTilde = timeStart + 1;
const numberStart = middleTilde + numberDigits;
const firstTilde = numberStart + 1;

/** Writes the number of an event into the mark of the frame that ends at `end`. */
export function writeNumber(bytes: Uint8Array, end: number, value: number): void {
  writeDigits(bytes, end - middleTilde, numberDigits, value);
}

/** Writes when it was sent (nanoseconds of the shared monotonic clock) into the mark of the frame that ends at `end`. */
export function writeTime(bytes: Uint8Array, end: number, nanoseconds: number): void {
  writeDigits(bytes, end - lastTilde, timeDigits, nanoseconds);
}

/** Whether a frame that begins at `start` and ends at `end` has a mark. */
export function isMarked(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - firstTilde >= start &&
    bytes[end - firstTilde] === tilde &&
    bytes[end - middleTilde] === tilde &&
    bytes[end - lastTilde] === tilde
  );
}

/** The number of the event whose frame ends at `end`. */
export function numberAt(bytes: Uint8Array, end: number): number {
  return readDigits(bytes, end - numberStart, numberDigits);
}

/** When the event whose frame ends at `end` was sent, in nanoseconds. */
export function timeAt(bytes: Uint8Array, end: number): number {
  return readDigits(bytes, end - timeStart, timeDigits);
}

/** Writes the digits of a whole number so that the last one stands before `end`. */
function writeDigits(bytes: Uint8Array, end: number, digits: number, value: number): void {
  let rest = value;
  for (let at = end - 1; at >= end - digits; at -= 1) {
    const quotient = Math.floor(rest / 10);
    bytes[at] = zero + rest - quotient * 10;
    rest = quotient;
  }
}

function readDigits(bytes: Uint8Array, start: number, digits: number): number {
  let value = 0;
  for (let at = start; at < start + digits; at += 1) value = value * 10 + (bytes[at] ?? zero) - zero;
  return value;
}
