// How text is put in the place of other text: indentation, line ends and indentation step of the file.

/** White space before the first other character of the line that holds `offset`. */
export function indentationAt(text: string, offset: number): string {
  const line = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(line, offset))![0];
}

export const lineEndOf = (text: string): string => (/\r\n/.test(text.slice(0, 10_000)) ? '\r\n' : '\n');

/** One level of the file's own indentation. */
export function indentationStep(text: string): string {
  const sample = text.slice(0, 100_000);
  const tabs = sample.match(/^\t/gm)?.length ?? 0;
  const blanks = [...sample.matchAll(/^( {2,8})\S/gm)].map((match) => match[1]!.length);
  if (tabs >= blanks.length) return tabs === 0 && blanks.length === 0 ? '    ' : '\t';
  return ' '.repeat(Math.min(8, Math.max(2, Math.min(...blanks))));
}

/** The whole lines that a statement stands on alone, or null when something else shares them. */
export function ownLines(text: string, start: number, end: number): { readonly start: number; readonly end: number } | null {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const newline = text.indexOf('\n', end);
  const to = newline === -1 ? text.length : newline + 1;
  if (text.slice(from, start).trim() !== '') return null;
  return /^\s*(\/\*[^\n]*\*\/|\/\/[^\n]*)?\s*$/.test(text.slice(end, to)) ? { start: from, end: to } : null;
}
