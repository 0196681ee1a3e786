// Where regions leave in the middle of a block: for each such place the address of the instruction that was not carried out, how
// many instructions of its block give their budget back, and the kind of flags. The code only names the place.

const WORDS = 4;

export class ExitTable {
  private words = new Int32Array(1 << 14);
  private used = 0;

  /** Number of a place; `op`: FLAG_OP there, -1 when the code stores it itself. */
  add(lo: number, hi: number, back: number, op: number): number {
    const at = this.used * WORDS;
    if (at === this.words.length) {
      const more = new Int32Array(this.words.length * 2);
      more.set(this.words);
      this.words = more;
    }
    this.words[at] = lo;
    this.words[at + 1] = hi;
    this.words[at + 2] = back;
    this.words[at + 3] = op;
    return this.used++;
  }
  lo(place: number): number {
    return this.words[place * WORDS]!;
  }
  hi(place: number): number {
    return this.words[place * WORDS + 1]!;
  }
  back(place: number): number {
    return this.words[place * WORDS + 2]!;
  }
  op(place: number): number {
    return this.words[place * WORDS + 3]!;
  }
  clear(): void {
    this.used = 0;
  }
}
