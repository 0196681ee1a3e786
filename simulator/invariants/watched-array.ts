// A typed array that is asked which of its elements changed since it was asked before. It is looked at in words of four bytes: the
// checker asks after each hypercall.

export class WatchedArray {
  private readonly words: Int32Array;
  private readonly before: Int32Array;
  /** What is left when the length is no multiple of four bytes. */
  private readonly rest: Uint8Array;
  private readonly restBefore: Uint8Array;
  /** Elements in a word. */
  private readonly perWord: number;

  constructor(array: Uint8Array | Uint16Array | Int16Array | Uint32Array) {
    const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT } = array;
    const whole = byteLength & ~3;
    this.words = new Int32Array(buffer, byteOffset, whole >> 2);
    this.rest = new Uint8Array(buffer, byteOffset + whole, byteLength - whole);
    this.before = this.words.slice();
    this.restBefore = this.rest.slice();
    this.perWord = 4 / BYTES_PER_ELEMENT;
  }

  /** Adds the indices of what changed, and remembers what is there now. */
  changes(into: Set<number>): void {
    const { words, before, perWord } = this;
    for (let n = 0; n < words.length; n++) {
      const changed = words[n]! ^ before[n]!;
      if (changed === 0) continue;
      before[n] = words[n]!;
      this.add(n * perWord, changed, into);
    }
    for (let n = 0; n < this.rest.length; n++) {
      if (this.rest[n] === this.restBefore[n]) continue;
      this.restBefore[n] = this.rest[n]!;
      into.add(words.length * perWord + ((n * perWord) >> 2));
    }
  }

  private add(first: number, changed: number, into: Set<number>): void {
    const bits = 32 / this.perWord;
    const mask = bits === 32 ? -1 : (1 << bits) - 1;
    for (let k = 0; k < this.perWord; k++) if ((changed >>> (k * bits)) & mask) into.add(first + k);
  }

  /** As changes(), with nobody to tell. */
  settle(): void {
    this.before.set(this.words);
    this.restBefore.set(this.rest);
  }
}
