// Kernels as distributions ship them. Oracles: xz, zstd, lz4 and gzip of this machine, Debian's own bzImage and what xz makes of it.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openKernel } from '../../image/elf/kernel.ts';
import { ImageError } from '../../image/error.ts';
import { unpack } from '../../image/unpack.ts';
import { linuxGuest } from '../oracle/linux.ts';

const gdb = readFileSync('/usr/bin/gdb').subarray(0, 1_000_000);
const packed = (command: string, ...args: string[]): Buffer => execFileSync(command, ['-c', ...args], { input: gdb, maxBuffer: 1 << 28 });
const sameAsGdb = (bytes: Uint8Array): boolean => Buffer.compare(bytes, gdb) === 0;

/** A bzImage as far as a loader looks: header, payload, its size behind it. */
function bzImage(payload: Uint8Array, sized = true): Buffer {
  const image = Buffer.alloc(1024 + 100 + payload.length + (sized ? 4 : 0));
  image[0x1f1] = 1;
  image.write('HdrS', 0x202);
  image.writeUInt16LE(0x20f, 0x206);
  image.writeUInt32LE(100, 0x248);
  image.writeUInt32LE(payload.length + (sized ? 4 : 0), 0x24c);
  image.set(payload, 1124);
  if (sized) image.writeUInt32LE(gdb.length, image.length - 4);
  return image;
}

describe('an xz file', () => {
  for (const args of [
    [],
    ['--x86', '--lzma2=preset=6'],
    ['--lzma2=lc=2,lp=2,pb=4'],
    ['-C', 'crc32', '--block-size=100000'],
    ['-C', 'none', '-0'],
  ])
    it(`made with ${['xz', ...args].join(' ')} is unpacked to the byte`, () => expect(sameAsGdb(unpack(packed('xz', ...args)))).toBe(true));
  it('that is cut or damaged is refused', () => {
    const small = execFileSync('xz', ['-c', '--x86', '--lzma2=preset=6', '-C', 'crc32'], { input: gdb.subarray(0, 5000) });
    const refused = (bytes: Uint8Array): string => {
      try {
        unpack(bytes);
        return 'unpacked';
      } catch (error) {
        return error instanceof ImageError ? error.kind : `threw ${error}`;
      }
    };
    const contents = small.length - 100;
    for (let length = 8; length < contents; length += 37) expect(refused(small.subarray(0, length))).toBe('compression');
    for (let at = 8; at < contents; at += 13) {
      const damaged = Buffer.from(small);
      damaged[at]! ^= 0x10;
      expect(`${at} ${refused(damaged)}`).toBe(`${at} compression`);
    }
  });
});

describe('a bzImage', () => {
  it.each([
    ['gzip', packed('gzip'), false],
    ['xz', packed('xz', '-C', 'crc32', '--x86', '--lzma2=preset=6'), true],
    ['zstd', packed('zstd', '-19'), true],
    ['lz4', packed('lz4', '-l'), true],
  ])('packed with %s gives its kernel', (_name, payload, sized) => {
    expect(sameAsGdb(unpack(bzImage(payload, sized)))).toBe(true);
  });
  it('packed otherwise, cut, or of an old protocol is refused with what to do', () => {
    expect(() => unpack(bzImage(packed('bzip2')))).toThrow(/packed with bzip2.*vmlinux/);
    expect(() => unpack(bzImage(packed('xz')).subarray(0, 5000))).toThrow(/cut or damaged/);
    const old = bzImage(packed('xz'));
    old.writeUInt16LE(0x207, 0x206);
    expect(() => unpack(old)).toThrow(/boot protocol 2.07.*vmlinux/);
    const another = bzImage(packed('xz'));
    another.writeUInt32LE(17, another.length - 4);
    expect(() => unpack(another)).toThrow(/its header says 17/);
  });

  it('of Debian opens as the ELF kernel that it carries', async () => {
    const { bzImage: debian, vmlinux } = await linuxGuest();
    const { bits, bytes } = openKernel(readFileSync(debian));
    expect(bits).toBe(64);
    expect(Buffer.compare(bytes, readFileSync(vmlinux))).toBe(0);
  });
});
