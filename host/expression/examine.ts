// The `x` command of debuggers: `x/8gx $rsp` shows 8 giant words in hexadecimal.

import { UserError } from '../errors.ts';
import { parseExpression } from './parser.ts';
import type { Expression } from './syntax.ts';

export interface Examine {
  readonly count: number;
  readonly format: 'x' | 'd' | 'u' | 'c' | 's' | 'i';
  /** Bytes of one item. */
  readonly size: 1 | 2 | 4 | 8;
  readonly address: Expression;
}

const sizes: Readonly<Record<string, Examine['size']>> = { b: 1, h: 2, w: 4, g: 8 };
const most = 4096;

/** Null when the text is no such command. Throws UserError when it is a wrong one. */
export function parseExamine(text: string): Examine | null {
  const match = /^x(?:\/([0-9]*)([a-z]*))?\s+(.+)$/s.exec(text.trim());
  if (!match) return null;
  const letters = match[2] ?? '';
  let format: Examine['format'] = 'x';
  let size: Examine['size'] | null = null;
  for (const letter of letters) {
    if (sizes[letter]) size = sizes[letter];
    else if ('xducsi'.includes(letter)) format = letter as Examine['format'];
    else throw new UserError(`'${letter}' is neither a size (b, h, w, g) nor a format (x, d, u, c, s, i); write for example x/8gx $rsp.`);
  }
  const count = match[1] ? Number(match[1]) : 1;
  if (count < 1 || count > most) throw new UserError(`At most ${most} items can be shown; '${match[1]}' was asked for.`);
  return {
    count,
    format,
    size: size ?? (format === 'c' ? 1 : format === 'x' || format === 'd' || format === 'u' ? 8 : 1),
    address: parseExpression(match[3]!),
  };
}

/** Lines of at most 16 bytes, each with its address. `symbol` names addresses. */
export function showMemory(examine: Examine, address: bigint, bytes: Uint8Array, symbol: (address: bigint) => string | null): string {
  if (examine.format === 's') return strings(examine.count, address, bytes);
  const perLine = Math.max(1, 16 / examine.size);
  const lines: string[] = [];
  for (let i = 0; i < examine.count; i += perLine) {
    const at = address + BigInt(i * examine.size);
    const items: string[] = [];
    for (let j = i; j < Math.min(i + perLine, examine.count); j++) items.push(item(examine, bytes, j * examine.size));
    const name = symbol(at);
    lines.push(`0x${at.toString(16)}${name === null ? '' : ` <${name}>`}:  ${items.join('  ')}`);
    if (items.includes(unmapped)) break;
  }
  return lines.join('\n');
}

const unmapped = '(not mapped)';

function item({ format, size }: Examine, bytes: Uint8Array, at: number): string {
  if (at + size > bytes.length) return unmapped;
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i]!);
  if (format === 'd') return `${BigInt.asIntN(size * 8, value)}`;
  if (format === 'u') return `${value}`;
  if (format === 'c') return value >= 32n && value < 127n ? `${value} '${String.fromCharCode(Number(value))}'` : `${value}`;
  return `0x${value.toString(16).padStart(size * 2, '0')}`;
}

function strings(count: number, address: bigint, bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0, n = 0; n < count; n++) {
    const end = bytes.indexOf(0, at);
    if (at >= bytes.length) return [...lines, `0x${(address + BigInt(at)).toString(16)}:  ${unmapped}`].join('\n');
    const text = new TextDecoder('latin1').decode(bytes.subarray(at, end < 0 ? undefined : end));
    lines.push(`0x${(address + BigInt(at)).toString(16)}:  ${JSON.stringify(text)}${end < 0 ? '…' : ''}`);
    if (end < 0) break;
    at = end + 1;
  }
  return lines.join('\n');
}

/** Bytes to read for it. */
export const bytesOf = (examine: Examine): number =>
  examine.format === 's' ? examine.count * 200 : examine.format === 'i' ? 0 : examine.count * examine.size;
