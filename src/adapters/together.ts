/**
 * The same bytes in memory of their own: a few small pieces must not keep all that stands around them. Not Buffer's shared
 * pool, which cannot be handed over, and of which each would keep a piece.
 */
export function together(pieces: readonly Uint8Array[], bytes: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
