// Splits a pasted log into lines: what a console, `xl dmesg`, a journal or a bug report put in front of Xen's own text is taken off.

import type { LogLine } from './note.ts';

/** More than any dump has; the rest of a text is not looked at. */
export const MOST_LINES = 200_000;
/** A line longer than this is no line of Xen's. */
const MOST_CHARACTERS = 2000;

/** Colours and cursor movements of a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is taken off
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g;
/** [2022-01-01 12:00:00.123] or [    5.123456]; a grant reference in brackets is none. */
const TIME = /^\[[\s\d:.TZ+-]{4,40}\] /;
const SOURCE = /^((?:[\w.-]+\/)*[\w.-]+\.[chS]:\d+):\s?/;
const SUBJECT = /^(d(?:\d+|\[[A-Z]+\])(?:v\d+)?):? /;

export function splitLog(text: string): { readonly lines: readonly LogLine[]; readonly cut: boolean } {
  const all = text.split(/\r\n|\n|\r/);
  const lines = all.slice(0, MOST_LINES).map((full, i) => readLine(full, i + 1));
  return { lines, cut: all.length > MOST_LINES };
}

function readLine(full: string, number: number): LogLine {
  const clean = full.slice(0, MOST_CHARACTERS).replace(ESCAPES, '').trimEnd();
  const mark = clean.lastIndexOf('(XEN)');
  const isXen = mark >= 0;
  let raw = isXen ? clean.slice(mark + 5).replace(/^ /, '') : clean;
  raw = raw.replace(TIME, '');
  let rest = raw;
  const source = SOURCE.exec(rest)?.[1];
  if (source) rest = rest.replace(SOURCE, '');
  const subject = SUBJECT.exec(rest)?.[1];
  if (subject) rest = rest.replace(SUBJECT, '');
  return { number, text: rest, raw, isXen, ...(source ? { source } : {}), ...(subject ? { subject } : {}) };
}
