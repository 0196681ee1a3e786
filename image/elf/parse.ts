// ELF32 and ELF64 little-endian: header, program headers, section headers. Tables are read at once, contents when asked.

import { Reader, stringAt } from '../bytes.ts';
import { hex, ImageError } from '../error.ts';
import { ElfFile } from './file.ts';
import { describeForeign } from './foreign.ts';
import { SHT_NOBITS } from './names.table.ts';
import type { ElfSection, ElfSegment } from './types.ts';

const rebuild = 'The file is truncated or damaged: build or copy it again.';

function identify(bytes: Uint8Array): 32 | 64 {
  if (bytes.length === 0) throw new ImageError('empty', 'The file is empty. Give the kernel as an ELF file, the output of the linker.');
  if (bytes.length < 4 || bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) {
    throw new ImageError('not-elf', describeForeign(bytes));
  }
  if (bytes.length < 16) throw new ImageError('truncated', `The file has ${bytes.length} bytes, too few for an ELF header. ${rebuild}`);
  const elfClass = bytes[4];
  if (elfClass !== 1 && elfClass !== 2) {
    throw new ImageError('malformed', `The ELF class is ${elfClass}; only 1 (32-bit) and 2 (64-bit) exist. ${rebuild}`);
  }
  if (bytes[5] === 2) {
    throw new ImageError(
      'big-endian',
      'This ELF file is big endian; Xen PV guests are x86, little endian. Build the kernel for x86 (i386 or x86-64).',
    );
  }
  if (bytes[5] !== 1)
    throw new ImageError('malformed', `The ELF data encoding is ${bytes[5]}; only 1 (little endian) is possible on x86. ${rebuild}`);
  return elfClass === 1 ? 32 : 64;
}

function table(bytes: Uint8Array, what: string, offset: number, count: number, entrySize: number, minimum: number): Reader | null {
  if (count === 0 || offset === 0) return null;
  if (entrySize < minimum)
    throw new ImageError('malformed', `An entry of the ${what} table has ${entrySize} bytes; at least ${minimum} are needed. ${rebuild}`);
  if (offset + count * entrySize > bytes.length) {
    throw new ImageError(
      'truncated',
      `The ${what} table of this ELF file lies at ${hex(offset)} and has ${count} entries of ${entrySize} bytes, but the file has only ${bytes.length} bytes. ${rebuild}`,
    );
  }
  return new Reader(bytes, `the ${what} table`, offset, offset + count * entrySize);
}

function readSegment(r: Reader, bits: 32 | 64, index: number): ElfSegment {
  const type = r.u32();
  if (bits === 64) {
    const flags = r.u32();
    const offset = r.size64();
    const virtualAddress = r.u64();
    const physicalAddress = r.u64();
    const fileSize = r.size64();
    return { index, type, flags, offset, virtualAddress, physicalAddress, fileSize, memorySize: r.u64(), align: r.u64() };
  }
  const offset = r.u32();
  const virtualAddress = BigInt(r.u32());
  const physicalAddress = BigInt(r.u32());
  const fileSize = r.u32();
  const memorySize = BigInt(r.u32());
  const flags = r.u32();
  return { index, type, flags, offset, virtualAddress, physicalAddress, fileSize, memorySize, align: BigInt(r.u32()) };
}

type RawSection = Omit<ElfSection, 'name'> & { nameOffset: number };

function readSection(r: Reader, bits: 32 | 64, index: number): RawSection {
  const nameOffset = r.u32();
  const type = r.u32();
  const word = (): number => (bits === 64 ? r.size64() : r.u32());
  const flags = word();
  const address = bits === 64 ? r.u64() : BigInt(r.u32());
  const offset = word();
  const size = word();
  const link = r.u32();
  const info = r.u32();
  const align = word();
  return { index, nameOffset, type, flags, address, offset, size, link, info, align, entrySize: word() };
}

/**
 * Reads the tables of an ELF file. The contents of segments and sections are read when asked for, and checked then.
 * @throws ImageError when the bytes are no little-endian ELF file or a table does not lie inside the file.
 */
export function parseElf(bytes: Uint8Array): ElfFile {
  const bits = identify(bytes);
  const r = new Reader(bytes, 'the ELF header', 16);
  const word = (): number => (bits === 64 ? r.size64() : r.u32());
  const type = r.u16();
  const machine = r.u16();
  r.u32(); // e_version: always 1, and nobody checks it
  const entry = bits === 64 ? r.u64() : BigInt(r.u32());
  const segmentOffset = word();
  const sectionOffset = word();
  r.skip(6); // e_flags, e_ehsize
  const segmentEntry = r.u16();
  let segmentCount = r.u16();
  const sectionEntry = r.u16();
  let sectionCount = r.u16();
  let stringIndex = r.u16();

  const sectionMinimum = bits === 64 ? 64 : 40;
  const first = sectionOffset ? table(bytes, 'section header', sectionOffset, 1, Math.max(sectionEntry, 1), sectionMinimum) : null;
  if (first) {
    // Counts that do not fit 16 bits stand in section header 0.
    const zero = readSection(first, bits, 0);
    if (sectionCount === 0) sectionCount = zero.size;
    if (stringIndex === 0xffff) stringIndex = zero.link;
    if (segmentCount === 0xffff && zero.info > 0) segmentCount = zero.info;
  }

  const segments: ElfSegment[] = [];
  const segmentTable = table(bytes, 'program header', segmentOffset, segmentCount, segmentEntry, bits === 64 ? 56 : 32);
  for (let i = 0; segmentTable && i < segmentCount; i++) {
    segments.push(readSegment(segmentTable.at(segmentOffset + i * segmentEntry), bits, i));
  }

  const raw: RawSection[] = [];
  const sectionTable = table(bytes, 'section header', sectionOffset, sectionCount, sectionEntry, sectionMinimum);
  for (let i = 0; sectionTable && i < sectionCount; i++) {
    raw.push(readSection(sectionTable.at(sectionOffset + i * sectionEntry), bits, i));
  }
  const strings = raw[stringIndex];
  const hasNames = strings !== undefined && strings.type !== SHT_NOBITS;
  const namesEnd = hasNames ? Math.min(strings.offset + strings.size, bytes.length) : 0;
  const sections = raw.map(({ nameOffset, ...section }) => ({
    ...section,
    name: hasNames ? stringAt(bytes, strings.offset + nameOffset, namesEnd) : '',
  }));
  return new ElfFile({ bytes, bits, type, machine, entry, segments, sections });
}
