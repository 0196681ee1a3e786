// The compressed kernel inside a Linux bzImage. Where it lies: the boot protocol's header (Documentation/arch/x86/boot.rst of Linux).

import { ImageError } from './error.ts';

const HEADER = 0x1f1;
const MAGIC_AT = 0x202;
const VERSION_AT = 0x206;
const PAYLOAD_OFFSET_AT = 0x248;
const PAYLOAD_LENGTH_AT = 0x24c;
/** Since version 2.08 the header says where the payload is. */
const VERSION = 0x208;

export function isBzImage(bytes: Uint8Array): boolean {
  return bytes.length >= PAYLOAD_LENGTH_AT + 4 && String.fromCharCode(...bytes.subarray(MAGIC_AT, MAGIC_AT + 4)) === 'HdrS';
}

/** The payload as it is, compressed; its last four bytes are the size of the contents (for gzip they belong to the file). */
export function bzImagePayload(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.getUint16(VERSION_AT, true);
  if (version < VERSION) {
    throw new ImageError(
      'compression',
      `This bzImage has boot protocol ${version >> 8}.${String(version & 255).padStart(2, '0')}, which does not say where the kernel lies (2.08 and later do). Give the vmlinux of the build.`,
    );
  }
  // A count of zero stands for four sectors behind the boot sector.
  const start = ((bytes[HEADER] || 4) + 1) * 512 + view.getUint32(PAYLOAD_OFFSET_AT, true);
  const length = view.getUint32(PAYLOAD_LENGTH_AT, true);
  if (length < 8 || start + length > bytes.length) {
    throw new ImageError(
      'truncated',
      `This bzImage says that its kernel lies at bytes ${start} to ${start + length}, the file has ${bytes.length}. It is cut or damaged: copy it again.`,
    );
  }
  return bytes.subarray(start, start + length);
}
