// The native sample, or any multiboot kernel, on QEMU's PC.
import { type QemuRun, runQemu, type Typing } from './qemu.ts';

export interface NativeOptions {
  cmdline?: string;
  typing?: Typing[];
  timeoutMs?: number;
}

/** Boots an ELF32 multiboot kernel with 64 MB; `run.reason` is 'exit' when it powered the machine off. */
export async function runNative(elf: string, options: NativeOptions = {}): Promise<{ lines: string[]; run: QemuRun }> {
  const run = await runQemu({
    args: ['-m', '64', '-kernel', elf, '-append', options.cmdline ?? ''],
    timeoutMs: options.timeoutMs ?? 30_000,
    typing: options.typing,
  });
  return { lines: consoleLines(run.output), run };
}

/** Console text as lines, without the carriage returns; an empty last line is dropped. */
export function consoleLines(text: string): string[] {
  const lines = text.replaceAll('\r', '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
