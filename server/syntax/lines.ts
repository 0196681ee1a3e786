// Offsets to lines and columns. Offsets and columns count UTF-16 units, lines end at \n, \r\n or \r; everything is zero-based.

export interface Position {
  readonly line: number;
  readonly column: number;
}

export class LineIndex {
  readonly #starts: readonly number[];

  constructor(text: string) {
    const starts = [0];
    for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
    if (text.includes('\r')) {
      for (let i = text.indexOf('\r'); i !== -1; i = text.indexOf('\r', i + 1)) if (text[i + 1] !== '\n') starts.push(i + 1);
      starts.sort((a, b) => a - b);
    }
    this.#starts = starts;
  }

  get lineCount(): number {
    return this.#starts.length;
  }

  position(offset: number): Position {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low, column: offset - this.#starts[low]! };
  }

  /** Offset of a position; lines and columns beyond the text give its end. */
  offset({ line, column }: Position, length: number): number {
    if (line >= this.#starts.length) return length;
    return Math.min(this.#starts[line]! + column, this.#starts[line + 1] ?? length, length);
  }
}
