// Comparing texts line by line.

/** Pairs of equal lines, as indices, of a longest common subsequence in which `weight` says how much the match of a line of `a` is worth. */
export function commonLines(a: string[], b: string[], weight: (index: number) => number = () => 1): [number, number][] {
  const best = Array.from({ length: a.length + 1 }, () => new Float64Array(b.length + 1));
  const row = (index: number) => best[index] as Float64Array;
  const at = (i: number, j: number) => row(i)[j] as number;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const skip = Math.max(at(i + 1, j), at(i, j + 1));
      row(i)[j] = a[i] === b[j] ? Math.max(skip, weight(i) + at(i + 1, j + 1)) : skip;
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j] && at(i, j) === weight(i) + at(i + 1, j + 1)) pairs.push([i++, j++]);
    else if (at(i, j) === at(i + 1, j)) i++;
    else j++;
  }
  return pairs;
}

/** The indices of lines of `after` that are not in `before`, and the lines of `before` that are not in `after`. */
export function changedLines(before: string[], after: string[]): { added: number[]; removed: string[] } {
  const pairs = commonLines(before, after);
  const kept = new Set(pairs.map(([index]) => index));
  const same = new Set(pairs.map(([, index]) => index));
  return {
    added: [...after.keys()].filter((index) => !same.has(index)),
    removed: before.filter((_, index) => !kept.has(index)),
  };
}
