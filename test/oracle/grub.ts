// GRUB for Xen (Debian's grub-xen-host): what is typed at it, and its console text without what depends on speed.
import { join } from 'node:path';
import { ensureDebian } from '../../scripts/debian.mjs';
import type { Typing } from './qemu.ts';

/** The recording of this session on real Xen. */
export const grubRecording = 'grub64-domu';

export const grubTyping: Typing[] = ['echo hello', 'ls', 'lsmod', 'halt'].map((command) => ({ after: 'grub> ', text: `${command}\r` }));

export const grubRecording32 = 'grub32-domu';

export async function grubImage(bits: 64 | 32 = 64): Promise<string> {
  return join(await ensureDebian(['grub-xen']), `usr/lib/grub-xen/grub-${bits === 64 ? 'x86_64' : 'i386'}-xen.bin`);
}

/** Takes the progress indicator out: it shows a rate, and only when reading takes long enough. It moves the cursor to its place and back. */
export function withoutProgress(console: string): string {
  const move = '\\x1b\\[\\d+;\\d+H';
  return console.replace(new RegExp(`${move} *\\[ [^\\]\\r\\n]*/s \\](?:${move})?`, 'g'), '');
}
