// A growing array of 32-bit numbers: references of a large kernel are millions.

export class Numbers {
  private values = new Int32Array(3 * 4096);
  length = 0;

  add3(a: number, b: number, c: number): void {
    if (this.length + 3 > this.values.length) {
      const larger = new Int32Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = a;
    this.values[this.length++] = b;
    this.values[this.length++] = c;
  }

  at(i: number): number {
    return this.values[i]!;
  }
}
