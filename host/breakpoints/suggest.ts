// The nearest name to a misspelt one, as the end of an error message.

/** Edit distance, bounded by the lengths of names. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** The end of a sentence about an unknown name: `; did you mean 'x'?` or the list of what there is. */
export function suggest(wrong: string, names: readonly string[]): string {
  const written = wrong.slice(0, 60).toLowerCase();
  const ranked = names
    .map((name) => ({ name, away: name.toLowerCase().includes(written) ? 1 : distance(written, name.toLowerCase()) }))
    .sort((x, y) => x.away - y.away);
  const best = ranked[0];
  if (best && best.away <= Math.max(2, written.length / 3)) return `; did you mean '${best.name}'?`;
  return `; there is: ${names.slice(0, 60).join(', ')}.`;
}
