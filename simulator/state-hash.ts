// A digest of machine state: fed with bytes and numbers in a fixed order, 128 bits out. Not cryptographic.

export class StateHash {
  private readonly lanes = new Uint32Array([0x9e3779b9, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f]);
  private count = 0;

  word(value: number): void {
    const lane = this.count & 3;
    this.count = (this.count + 1) | 0;
    let k = Math.imul(value, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    const mixed = this.lanes[lane]! ^ Math.imul(k, 0x1b873593);
    this.lanes[lane] = Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64;
  }

  number(value: number): void {
    this.word(value | 0);
    this.word(Math.floor(value / 2 ** 32) | 0);
  }

  big(value: bigint): void {
    this.word(Number(value & 0xffff_ffffn) | 0);
    this.word(Number((value >> 32n) & 0xffff_ffffn) | 0);
  }

  text(value: string): void {
    this.bytes(new TextEncoder().encode(value));
  }

  bytes(bytes: Uint8Array): void {
    this.word(bytes.length);
    const whole = bytes.length >>> 2;
    if (bytes.byteOffset % 4 === 0) {
      for (const word of new Uint32Array(bytes.buffer, bytes.byteOffset, whole)) this.word(word);
    } else {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let n = 0; n < whole; n++) this.word(view.getUint32(n * 4, true));
    }
    for (let n = whole * 4; n < bytes.length; n++) this.word(bytes[n]!);
  }

  hex(): string {
    const lanes = [...this.lanes];
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 4; n++) {
        let h = lanes[n]! ^ (lanes[(n + 1) & 3]! + this.count);
        h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
        h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
        lanes[n] = (h ^ (h >>> 16)) >>> 0;
      }
    }
    return lanes.map((lane) => lane.toString(16).padStart(8, '0')).join('');
  }
}
