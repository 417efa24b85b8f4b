/** A power of two, so that a mask finds the place; the venue documents four channels. */
const places = 64;
const mostCharacters = 256;
/** Channels whose names begin so are figd's own: a frame that claims one must not pass for a fact of figd. */
const ownPrefix = 'figd.';

/** Whether a name that a frame gives as its channel is taken for one. */
export function isChannelName(name: string): boolean {
  return name.length > 0 && name.length <= mostCharacters && !name.startsWith(ownPrefix);
}

/**
 * Gives the names that stand in bytes as strings, and the same string for the same bytes. Each name has one place, and a
 * new one takes it: whatever names the venue makes up, there are no more than {@link places} of them.
 */
export class ChannelNames {
  readonly #names: string[] = Array.from({ length: places }, () => '');

  /**
   * The name that stands from `start` to `end`, or null where those bytes are not the name of a channel.
   * @param bytes ASCII in that range
   */
  at(bytes: Uint8Array, start: number, end: number): string | null {
    if (end - start > mostCharacters) return null;
    let hash = 0;
    for (let at = start; at < end; at += 1) hash = (hash * 31 + (bytes[at] ?? 0)) | 0;
    const place = hash & (places - 1);
    const known = this.#names[place] ?? '';
    if (known !== '' && isAt(known, bytes, start, end)) return known;
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
    if (!isChannelName(name)) return null;
    this.#names[place] = name;
    return name;
  }
}

/** Whether those bytes are that text. */
export function isAt(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== text.length) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
