// Debian's Linux as a PV guest: the ELF file inside its bzImage, and an initramfs of busybox that ends in a shell on the console.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ensureDebian } from '../../scripts/debian.mjs';
import { cpio } from './cpio.ts';
import { oracleCache } from './xen-dom0.ts';

export interface LinuxGuest {
  /** As Debian ships it: what real Xen's builder takes. */
  readonly bzImage: string;
  /** The ELF file that the bzImage carries. */
  readonly vmlinux: string;
  readonly initramfs: string;
  /** Its version as `uname -r` says it. */
  readonly release: string;
}

/** What the shell shows when it waits. */
export const PROMPT = '/ # ';

const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
exec sh
`;

export async function linuxGuest(): Promise<LinuxGuest> {
  const root = await ensureDebian(['linux']);
  const name = readdirSync(join(root, 'boot')).find((file) => file.startsWith('vmlinuz-'));
  if (!name) throw new Error(`no kernel in ${join(root, 'boot')}: remove .cache/debian and try again`);
  const release = name.slice('vmlinuz-'.length);
  const bzImage = join(root, 'boot', name);
  mkdirSync(oracleCache, { recursive: true });
  const vmlinux = join(oracleCache, `vmlinux-${release}`);
  if (!existsSync(vmlinux)) {
    writeFileSync(`${vmlinux}.${process.pid}`, payloadOf(readFileSync(bzImage)));
    renameSync(`${vmlinux}.${process.pid}`, vmlinux);
  }
  const initramfs = join(oracleCache, 'linux-guest-initramfs.gz');
  const archive = gzipSync(
    cpio([
      ...['bin', 'dev', 'proc', 'sys'].map((path) => ({ path, mode: 0o040755 })),
      { path: 'dev/console', mode: 0o020600, device: [5, 1] },
      { path: 'bin/busybox', mode: 0o100755, data: readFileSync(join(root, 'bin/busybox')) },
      { path: 'init', mode: 0o100755, data: Buffer.from(INIT) },
    ]),
  );
  writeFileSync(`${initramfs}.${process.pid}`, archive);
  renameSync(`${initramfs}.${process.pid}`, initramfs);
  return { bzImage, vmlinux, initramfs, release };
}

/** The compressed kernel in a bzImage (offsets of the Linux boot protocol), unpacked by xz, which Debian compresses it with. */
function payloadOf(image: Buffer): Buffer {
  const setup = (image[0x1f1]! + 1) * 512;
  const start = setup + image.readUInt32LE(0x248);
  // Its last four bytes are the length of what comes out.
  const packed = image.subarray(start, start + image.readUInt32LE(0x24c) - 4);
  if (packed.readUInt32BE(0) !== 0xfd377a58) throw new Error(`the kernel's payload begins with ${packed.toString('hex', 0, 6)}: not xz`);
  return execFileSync('xz', ['-dc'], { input: packed, maxBuffer: 1 << 28 });
}
