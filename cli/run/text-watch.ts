// Finds a text in the guest's console output as it streams by, also when it comes in pieces.

export class TextWatch {
  private readonly wanted: Uint8Array;
  private tail: number[] = [];
  seen = false;

  constructor(text: string) {
    this.wanted = new TextEncoder().encode(text);
    this.seen = this.wanted.length === 0;
  }

  push(bytes: Uint8Array): boolean {
    if (this.seen) return true;
    const hay = [...this.tail, ...bytes];
    const n = this.wanted.length;
    for (let at = 0; at + n <= hay.length && !this.seen; at++) {
      let same = 0;
      while (same < n && hay[at + same] === this.wanted[same]) same++;
      this.seen = same === n;
    }
    this.tail = n > 1 ? hay.slice(-(n - 1)) : [];
    return this.seen;
  }
}
