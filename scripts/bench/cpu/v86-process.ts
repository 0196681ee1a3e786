// The process that v86 runs in. It boots the kernel with the workload by multiboot, without any BIOS; the serial port of the machine is
// this process' standard input and output.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { V86 } from 'v86';

const [kernel, packageFolder] = process.argv.slice(2) as [string, string];
const file = readFileSync(kernel);
const emulator = new V86({
  wasm_path: join(packageFolder, 'build/v86.wasm'),
  memory_size: 128 << 20,
  vga_memory_size: 1 << 20,
  multiboot: { buffer: file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer },
  autostart: true,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
});
let line = '';
emulator.add_listener('serial0-output-byte', (byte: number) => {
  const c = String.fromCharCode(byte);
  // A dot asks for a character now; anything else is worth a whole line.
  line += c;
  if (c !== '.' && c !== '\n') return;
  process.stdout.write(line);
  line = '';
});
process.stdin.on('data', (data: Buffer) => emulator.serial0_send(data.toString('latin1')));
process.stdin.on('end', () => process.exit(0));
