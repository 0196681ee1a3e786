// Binary search over anything that is sorted.

/** Number of the last of `count` items whose key is at most `value`; -1 when there is none. */
export function lastAtMost(count: number, key: (item: number) => number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (key(middle) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
