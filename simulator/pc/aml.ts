// Writes AML, the byte code of ACPI's tables: as much of it as the simulated PC's DSDT needs.
// Source: ACPI specification 20 (AML grammar) and 6.4 (resource descriptors).

export type Aml = readonly number[];

const bytesOf = (text: string): number[] => [...text].map((c) => c.charCodeAt(0));
const little = (value: number, size: number): number[] => Array.from({ length: size }, (_, n) => Math.floor(value / 256 ** n) % 256);

/** A length that counts itself: 6 bits in one byte, or 4 bits and up to three bytes more. */
function packageLength(body: number): number[] {
  if (body + 1 < 0x40) return [body + 1];
  const extra = body + 2 < 0x1000 ? 1 : body + 3 < 0x10_0000 ? 2 : 3;
  const total = body + 1 + extra;
  return [(extra << 6) | (total & 0xf), ...little(total >>> 4, extra)];
}

const sized = (opcode: Aml, body: Aml): Aml => [...opcode, ...packageLength(body.length), ...body];

/** A name of up to four letters, or a path of such names: '_SB_', '\\_S5_', '^LNKA'. */
function nameString(path: string): number[] {
  const prefix = /^[\\^]*/.exec(path)![0];
  const segments = path
    .slice(prefix.length)
    .split('.')
    .map((segment) => segment.padEnd(4, '_'));
  const many = segments.length === 1 ? [] : segments.length === 2 ? [0x2e] : [0x2f, segments.length];
  return [...bytesOf(prefix), ...many, ...segments.flatMap(bytesOf)];
}

export function integer(value: number): Aml {
  if (value === 0) return [0x00];
  if (value === 1) return [0x01];
  if (value < 0x100) return [0x0a, value];
  if (value < 0x1_0000) return [0x0b, ...little(value, 2)];
  return [0x0c, ...little(value, 4)];
}

export const text = (value: string): Aml => [0x0d, ...bytesOf(value), 0];
/** Compressed EISA identifier: 'PNP0A03'. */
export function eisa(id: string): Aml {
  const letters = [...id.slice(0, 3)].map((c) => c.charCodeAt(0) - 0x40);
  const value = (letters[0]! << 26) | (letters[1]! << 21) | (letters[2]! << 16) | Number.parseInt(id.slice(3), 16);
  return [0x0c, (value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}
export const reference = (path: string): Aml => nameString(path);
export const named = (name: string, value: Aml): Aml => [0x08, ...nameString(name), ...value];
export const packageOf = (...elements: readonly Aml[]): Aml => sized([0x12], [elements.length, ...elements.flat()]);
export const scope = (path: string, ...terms: readonly Aml[]): Aml => sized([0x10], [...nameString(path), ...terms.flat()]);
export const device = (name: string, ...terms: readonly Aml[]): Aml => sized([0x5b, 0x82], [...nameString(name), ...terms.flat()]);
/** A method that is not serialized. */
export const method = (name: string, args: number, ...terms: readonly Aml[]): Aml =>
  sized([0x14], [...nameString(name), args, ...terms.flat()]);

/** A resource template: a buffer of descriptors with its end tag. */
export function resources(...descriptors: readonly Aml[]): Aml {
  const list = [...descriptors.flat(), 0x79, 0];
  return sized([0x11], [...integer(list.length), ...list]);
}
/** Ports that are decoded at one place. */
export const ioPorts = (first: number, count: number): Aml => [0x47, 1, ...little(first, 2), ...little(first, 2), 1, count];
/** An edge-triggered ISA interrupt. */
export const isaIrq = (irq: number): Aml => [0x22, ...little(2 ** irq, 2)];
/** Interrupts as an I/O APIC has them: level-triggered, active high, shared; more than one is a choice. */
export const apicIrqs = (...irqs: readonly number[]): Aml => [
  0x89,
  ...little(2 + 4 * irqs.length, 2),
  0x09,
  irqs.length,
  ...irqs.flatMap((irq) => little(irq, 4)),
];
export const memory32 = (first: number, bytes: number): Aml => [0x86, 9, 0, 0, ...little(first, 4), ...little(bytes, 4)];

/** A window of a bridge, fixed at both ends. `kind`: 0 memory (cacheable or not, by the flags of the type), 1 I/O ports, 2 bus numbers. */
function window(kind: number, typeFlags: number, size: 2 | 4, first: number, last: number): Aml {
  const opcode = size === 2 ? 0x88 : 0x87;
  const fields = [0, first, last, 0, last - first + 1].flatMap((value) => little(value, size));
  return [opcode, ...little(3 + fields.length, 2), kind, 0x0c, typeFlags, ...fields];
}
/** A memory window above 4 GiB. */
export function highWindow(first: number, last: number): Aml {
  const fields = [0, first, last, 0, last - first + 1].flatMap((value) => little(value, 8));
  return [0x8a, ...little(3 + fields.length, 2), 0, 0x0c, 3, ...fields];
}
export const busWindow = (first: number, last: number): Aml => window(2, 0, 2, first, last);
export const portWindow = (first: number, last: number): Aml => window(1, 3, 2, first, last);
/** `cacheable`: the window of a video card. */
export const memoryWindow = (first: number, last: number, cacheable = false): Aml => window(0, cacheable ? 3 : 1, 4, first, last);
