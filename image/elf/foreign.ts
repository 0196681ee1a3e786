// Names what a file is that is no ELF file, so that the message can say how to get one.

import { hex } from '../error.ts';

interface Signature {
  readonly offset: number;
  readonly magic: readonly number[] | string;
  readonly is: string;
}

const extract =
  "Extract the ELF kernel from it first (for Linux: the kernel tree's scripts/extract-vmlinux), or give the vmlinux of the build.";
const SIGNATURES: readonly Signature[] = [
  { offset: 0x202, magic: 'HdrS', is: `This is a Linux bzImage, which wraps a compressed kernel. ${extract}` },
  { offset: 0, magic: [0x28, 0xb5, 0x2f, 0xfd], is: 'This file is compressed with zstd. Unpack it first: zstd -dk FILE.' },
  { offset: 0, magic: 'BZh', is: 'This file is compressed with bzip2. Unpack it first: bzip2 -dk FILE.' },
  { offset: 0, magic: [0x04, 0x22, 0x4d, 0x18], is: 'This file is compressed with lz4. Unpack it first: lz4 -d FILE.' },
  { offset: 0, magic: '!<arch>', is: 'This is an archive (static library or Debian package). Give the linked kernel instead.' },
  { offset: 0, magic: 'MZ', is: 'This is a PE/COFF file (an EFI program). Xen PV loads ELF: give the ELF file that it was made from.' },
  { offset: 0, magic: 'PK', is: 'This is a ZIP archive. Unpack it and give the kernel ELF file.' },
  { offset: 0, magic: '#!', is: 'This is a script. Give the kernel ELF file, the output of the linker.' },
  {
    offset: 0,
    magic: [0xcf, 0xfa, 0xed, 0xfe],
    is: 'This is a Mach-O file. Build with a compiler and linker that write ELF (for example clang -target x86_64-elf).',
  },
];

function matches(bytes: Uint8Array, { offset, magic }: Signature): boolean {
  const wanted = typeof magic === 'string' ? [...magic].map((c) => c.charCodeAt(0)) : magic;
  return bytes.length >= offset + wanted.length && wanted.every((byte, i) => bytes[offset + i] === byte);
}

/** A full sentence on what the bytes are and what to do. Looks at the first KiB only. */
export function describeForeign(bytes: Uint8Array): string {
  const known = SIGNATURES.find((signature) => matches(bytes, signature));
  if (known) return known.is;
  const head = bytes.subarray(0, 1024);
  const advice = 'Give the kernel as an ELF file, the output of the linker.';
  if (head.every((byte) => byte === 0)) return `This is no ELF file: it begins with ${head.length} zero byte(s). ${advice}`;
  if (head.every((byte) => (byte >= 32 && byte < 127) || (byte >= 9 && byte <= 13))) return `This is a text file, no ELF file. ${advice}`;
  const begin = [...bytes.subarray(0, 4)].map((byte) => hex(byte)).join(' ');
  return `This is no ELF file: it begins with ${begin} instead of 0x7f 'ELF'. ${advice}`;
}
