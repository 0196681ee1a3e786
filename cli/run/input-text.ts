// The text of --input: escapes, and newline as a terminal's Enter key sends it.

import { UsageError } from '../io.ts';

const CR = 0x0d;
const NAMED: Readonly<Record<string, number>> = { n: CR, r: CR, t: 0x09, '\\': 0x5c };

/** Bytes to type on the guest's console. `\n` and a real newline become CR, as Enter does; other text is UTF-8. Throws UsageError. */
export function decodeInput(text: string): Uint8Array {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (let at = 0; at < text.length; ) {
    if (text[at] !== '\\') {
      const character = String.fromCodePoint(text.codePointAt(at)!);
      if (character === '\n') bytes.push(CR);
      else bytes.push(...encoder.encode(character));
      at += character.length;
      continue;
    }
    const mark = text[at + 1] ?? '';
    if (mark === 'x') {
      const digits = text.slice(at + 2, at + 4);
      if (!/^[0-9a-fA-F]{2}$/.test(digits))
        throw new UsageError(`--input: \\x needs two hexadecimal digits, as in \\x1b, not '\\x${digits}'.`);
      bytes.push(Number.parseInt(digits, 16));
      at += 4;
    } else {
      const byte = NAMED[mark];
      if (byte === undefined) throw new UsageError(`--input: '\\${mark}' is no escape; use \\n \\r \\t \\\\ or \\xNN.`);
      bytes.push(byte);
      at += 2;
    }
  }
  return Uint8Array.from(bytes);
}
