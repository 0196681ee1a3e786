// Registers with the names of their bits, as a kernel developer reads them.

import { type BitNames, cr0Bits, cr4Bits, rflagsBits } from '../x86/register-bits.table.ts';

const named = (value: bigint, bits: BitNames): string =>
  bits
    .filter(([bit]) => (value >> BigInt(bit)) & 1n)
    .map(([, name]) => name)
    .join(' ');

/** `0x246 [PF ZF IF]`, with IOPL where it is not 0. */
export function decodedRegister(name: string, value: bigint): string {
  const shown = `0x${value.toString(16)}`;
  if (name === 'rflags') {
    const iopl = (value >> 12n) & 3n;
    return `${shown} [${[named(value, rflagsBits), ...(iopl ? [`IOPL=${iopl}`] : [])].filter(Boolean).join(' ')}]`;
  }
  if (name === 'cr0') return `${shown} [${named(value, cr0Bits)}]`;
  if (name === 'cr4') return `${shown} [${named(value, cr4Bits)}]`;
  return shown;
}

/** `0xe033 [index 7174, GDT, RPL 3]`. */
export function decodedSelector(value: number): string {
  if (value < 4) return `0x${value.toString(16)} [null]`;
  return `0x${value.toString(16)} [index ${value >> 3}, ${value & 4 ? 'LDT' : 'GDT'}, RPL ${value & 3}]`;
}
