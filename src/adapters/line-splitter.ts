/** Splits bytes at line feeds, whatever the chunks; bytes, because a chunk may end inside a character. */
export class LineSplitter {
  onLine: (line: Buffer) => void = () => undefined;
  #rest: Buffer[] = [];

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      const tail = chunk.subarray(start, end);
      const line = this.#rest.length === 0 ? tail : Buffer.concat([...this.#rest, tail]);
      this.#rest = [];
      start = end + 1;
      this.onLine(line);
    }
    if (start < chunk.length) this.#rest.push(chunk.subarray(start));
  }
}
