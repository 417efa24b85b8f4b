const smallestCapacity = 64;

/** A queue with places: a ring that grows to the most it ever held. Nothing is moved when the first one leaves. */
export class Fifo<Item> {
  #ring: (Item | undefined)[] = new Array(smallestCapacity);
  #first = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The item at a place, from 0 for the oldest, or undefined where there is none. */
  at(place: number): Item | undefined {
    return place < 0 || place >= this.#size ? undefined : this.#ring[this.#index(place)];
  }

  push(item: Item): void {
    if (this.#size === this.#ring.length) this.#grow();
    this.#ring[this.#index(this.#size)] = item;
    this.#size += 1;
  }

  /** Removes the oldest one. */
  shift(): Item | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#first];
    this.#ring[this.#first] = undefined;
    this.#first = this.#index(1);
    this.#size -= 1;
    return item;
  }

  #index(place: number): number {
    return (this.#first + place) & (this.#ring.length - 1);
  }

  #grow(): void {
    const items = [...this.#ring.slice(this.#first), ...this.#ring.slice(0, this.#first)];
    items.length = 2 * this.#ring.length;
    this.#ring = items;
    this.#first = 0;
  }
}
