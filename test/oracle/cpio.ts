// Writes cpio archives in the "newc" format that Linux unpacks as initramfs.

export interface CpioEntry {
  path: string;
  /** File type and permissions, as in st_mode: 0o040755 a folder, 0o100755 a program, 0o020600 a character device. */
  mode: number;
  data?: Uint8Array;
  /** Major and minor number of a device. */
  device?: [number, number];
}

/** One archive; archives may follow each other in one initramfs file, each starts at a multiple of 4. */
export function cpio(entries: CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  [...entries, { path: 'TRAILER!!!', mode: 0 }].forEach((entry: CpioEntry, index) => {
    const name = Buffer.from(`${entry.path}\0`);
    const data = Buffer.from(entry.data ?? []);
    const fields = [index + 1, entry.mode, 0, 0, 1, 0, data.length, 0, 0, ...(entry.device ?? [0, 0]), name.length, 0];
    const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
    parts.push(padded(Buffer.concat([header, name])), padded(data));
  });
  return Buffer.concat(parts);
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
}
