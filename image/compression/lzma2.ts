// LZMA2 as .xz files have it: chunks of a range-coded dictionary compression. The output itself is the dictionary.

export class DamagedStream extends Error {
  override readonly name = 'DamagedStream';
}

const STATES = 12;
const POSITIONS = 16;
/** Probabilities are counts of 2048; where each group begins. */
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * POSITIONS;
const IS_REP0 = IS_REP + STATES;
const IS_REP1 = IS_REP0 + STATES;
const IS_REP2 = IS_REP1 + STATES;
const IS_LONG_REP0 = IS_REP2 + STATES;
const SLOTS = IS_LONG_REP0 + STATES * POSITIONS;
const SPECIAL = SLOTS + 4 * 64;
const ALIGN = SPECIAL + 128;
/** A length coder: two choices, 16 trees of 8, 16 trees of 8, one of 256. */
const LENGTH = ALIGN + 16;
const REP_LENGTH = LENGTH + 2 + 2 * POSITIONS * 8 + 256;
const LITERALS = REP_LENGTH + 2 + 2 * POSITIONS * 8 + 256;
const LITERAL_SIZE = 0x300;
/** LZMA2 allows at most 4 bits of context and position together. */
const ALL = LITERALS + (LITERAL_SIZE << 4);

export class Lzma2Decoder {
  private readonly probabilities = new Uint16Array(ALL);
  private input: Uint8Array;
  private at: number;
  private out: Uint8Array;
  private written = 0;
  /** Where the dictionary begins in `out`. */
  private start = 0;
  private range = 0;
  private code = 0;
  private state = 0;
  private rep0 = 0;
  private rep1 = 0;
  private rep2 = 0;
  private rep3 = 0;
  private contextBits = 0;
  private literalMask = 0;
  private positionMask = 0;
  private readonly limit: number;

  /** `limit`: how many bytes may come out. */
  constructor(input: Uint8Array, at: number, limit: number) {
    this.input = input;
    this.at = at;
    this.limit = limit;
    this.out = new Uint8Array(Math.min(limit, Math.max(1 << 16, (input.length - at) * 4)));
  }

  /** Everything up to the end mark, and the offset in the input behind it. Throws DamagedStream. */
  decode(): { bytes: Uint8Array; end: number } {
    let needsProperties = true;
    let needsDictionary = true;
    for (;;) {
      const control = this.byte();
      if (control === 0) return { bytes: this.out.subarray(0, this.written), end: this.at };
      if (control === 1 || control >= 0xe0) {
        this.start = this.written;
        needsDictionary = false;
      } else if (needsDictionary) throw new DamagedStream('the first chunk has no dictionary');
      if (control < 0x80) {
        if (control > 2) throw new DamagedStream('an unknown kind of chunk');
        this.copy(this.byte() * 256 + this.byte() + 1);
        continue;
      }
      const size = (control & 31) * 65536 + this.byte() * 256 + this.byte() + 1;
      const packed = this.byte() * 256 + this.byte() + 1;
      if (control >= 0xc0) {
        this.properties(this.byte());
        needsProperties = false;
      } else if (needsProperties) throw new DamagedStream('a chunk without properties');
      if (control >= 0xa0) this.reset();
      this.chunk(size, packed);
    }
  }

  private byte(): number {
    if (this.at >= this.input.length) throw new DamagedStream('it ends too early');
    return this.input[this.at++]!;
  }

  private room(more: number): void {
    const needed = this.written + more;
    if (needed <= this.out.length) return;
    if (needed > this.limit) throw new DamagedStream(`more than ${this.limit} bytes come out`);
    const larger = new Uint8Array(Math.min(this.limit, Math.max(needed, this.out.length * 2)));
    larger.set(this.out);
    this.out = larger;
  }

  private copy(size: number): void {
    if (this.at + size > this.input.length) throw new DamagedStream('it ends too early');
    this.room(size);
    this.out.set(this.input.subarray(this.at, this.at + size), this.written);
    this.written += size;
    this.at += size;
  }

  private properties(value: number): void {
    const literalPosition = Math.floor(value / 9) % 5;
    const position = Math.floor(value / 45);
    this.contextBits = value % 9;
    if (position > 4 || this.contextBits + literalPosition > 4) throw new DamagedStream('impossible properties');
    this.literalMask = (1 << literalPosition) - 1;
    this.positionMask = (1 << position) - 1;
  }

  private reset(): void {
    this.probabilities.fill(1024);
    this.state = 0;
    this.rep0 = this.rep1 = this.rep2 = this.rep3 = 0;
  }

  private bit(index: number): number {
    const { probabilities } = this;
    const probability = probabilities[index]!;
    const bound = (this.range >>> 11) * probability;
    let bit = 0;
    if (this.code < bound) {
      this.range = bound;
      probabilities[index] = probability + ((2048 - probability) >> 5);
    } else {
      this.range -= bound;
      this.code -= bound;
      probabilities[index] = probability - (probability >> 5);
      bit = 1;
    }
    if (this.range < 0x1000000) this.normalize();
    return bit;
  }
  private normalize(): void {
    this.range = (this.range << 8) >>> 0;
    // Reading behind the chunk gives zeros; the chunk's length is compared when it is done.
    this.code = ((this.code << 8) | (this.input[this.at++] ?? 0)) >>> 0;
  }
  private tree(base: number, bits: number): number {
    let node = 1;
    for (let i = 0; i < bits; i++) node = node * 2 + this.bit(base + node);
    return node - (1 << bits);
  }
  private reverseTree(base: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(base + node);
      node = node * 2 + bit;
      value |= bit << i;
    }
    return value;
  }
  private direct(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      this.range >>>= 1;
      const bit = this.code >= this.range ? 1 : 0;
      if (bit) this.code -= this.range;
      if (this.range < 0x1000000) this.normalize();
      value = value * 2 + bit;
    }
    return value;
  }

  private length(base: number, position: number): number {
    if (!this.bit(base)) return 2 + this.tree(base + 2 + position * 8, 3);
    if (!this.bit(base + 1)) return 10 + this.tree(base + 2 + POSITIONS * 8 + position * 8, 3);
    return 18 + this.tree(base + 2 + 2 * POSITIONS * 8, 8);
  }

  private distance(length: number): number {
    const slot = this.tree(SLOTS + Math.min(length - 2, 3) * 64, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) * 2 ** bits;
    if (slot < 14) return high + this.reverseTree(SPECIAL + high - slot, bits);
    return high + this.direct(bits - 4) * 16 + this.reverseTree(ALIGN, 4);
  }

  private literal(): void {
    const { out, written } = this;
    const before = written > this.start ? out[written - 1]! : 0;
    const context = ((((written - this.start) & this.literalMask) << this.contextBits) | (before >> (8 - this.contextBits))) >>> 0;
    const base = LITERALS + context * LITERAL_SIZE;
    let symbol = 1;
    if (this.state >= 7) {
      let match = out[written - this.rep0 - 1]!;
      do {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const bit = this.bit(base + ((1 + matchBit) << 8) + symbol);
        symbol = symbol * 2 + bit;
        if (bit !== matchBit) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = symbol * 2 + this.bit(base + symbol);
    out[this.written++] = symbol;
    this.state = this.state < 4 ? 0 : this.state < 10 ? this.state - 3 : this.state - 6;
  }

  /** The distance goes to rep0, the length is answered. */
  private match(position: number): number {
    const { state } = this;
    if (!this.bit(IS_REP + state)) {
      this.rep3 = this.rep2;
      this.rep2 = this.rep1;
      this.rep1 = this.rep0;
      const length = this.length(LENGTH, position);
      this.state = state < 7 ? 7 : 10;
      this.rep0 = this.distance(length);
      return length;
    }
    if (!this.bit(IS_REP0 + state)) {
      if (!this.bit(IS_LONG_REP0 + state * POSITIONS + position)) {
        this.state = state < 7 ? 9 : 11;
        return 1;
      }
    } else {
      let distance = this.rep1;
      if (this.bit(IS_REP1 + state)) {
        distance = this.rep2;
        if (this.bit(IS_REP2 + state)) {
          distance = this.rep3;
          this.rep3 = this.rep2;
        }
        this.rep2 = this.rep1;
      }
      this.rep1 = this.rep0;
      this.rep0 = distance;
    }
    const length = this.length(REP_LENGTH, position);
    this.state = state < 7 ? 8 : 11;
    return length;
  }

  private chunk(size: number, packed: number): void {
    const behind = this.at + packed;
    if (packed < 5 || behind > this.input.length) throw new DamagedStream('it ends too early');
    this.room(size);
    const end = this.written + size;
    this.at++;
    this.code = 0;
    for (let i = 0; i < 4; i++) this.code = ((this.code << 8) | this.input[this.at++]!) >>> 0;
    this.range = 0xffffffff;
    const { out } = this;
    while (this.written < end) {
      const position = (this.written - this.start) & this.positionMask;
      if (!this.bit(IS_MATCH + this.state * POSITIONS + position)) {
        this.literal();
        continue;
      }
      const length = this.match(position);
      const from = this.written - this.rep0 - 1;
      if (from < this.start || this.written + length > end) throw new DamagedStream('a match outside of what came before');
      for (let i = 0; i < length; i++) out[this.written + i] = out[from + i]!;
      this.written += length;
    }
    if (this.at !== behind) throw new DamagedStream('a chunk of another length than it says');
  }
}
