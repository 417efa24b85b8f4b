const eventStart = '{"jsonrpc":"2.0","method":"event","params":{"seq":';
const lostStart = '{"jsonrpc":"2.0","method":"lost","params":';
const helloStart = '{"jsonrpc":"2.0","method":"hello","params":';

/** How many events a line of figd says are lost; 0 for any other line. */
export function lostIn(line: Buffer): number {
  const text = line.toString('utf8', 0, 256);
  if (!text.startsWith(lostStart)) return 0;
  const { params } = JSON.parse(text);
  return params.to - params.from + 1;
}

/** Where a reader of figd's lines is: what it gives as `from` when it comes back. */
export class Position {
  #epoch: string | null = null;
  #seq: number | null = null;

  /** Takes any line of figd. */
  see(line: Buffer): void {
    const text = line.toString('latin1', 0, eventStart.length + 20);
    if (text.startsWith(eventStart)) this.#seq = Number.parseInt(text.slice(eventStart.length), 10);
    else if (text.startsWith(helloStart)) this.#epoch = JSON.parse(line.toString()).params.epoch;
  }

  /** The next event wanted, or `now` before the first one. */
  get from(): { readonly epoch: string; readonly seq: number } | 'now' {
    return this.#epoch === null || this.#seq === null ? 'now' : { epoch: this.#epoch, seq: this.#seq + 1 };
  }
}
