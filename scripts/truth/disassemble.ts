// The sensitive instructions and the direct calls of a binary, as objdump sees them. Streamed: a kernel's listing has gigabytes.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { isSensitive } from './sensitive.ts';

export interface Disassembled {
  readonly address: bigint;
  readonly mnemonic: string;
  /** As printed, operands included. */
  readonly text: string;
}

export interface Listing {
  readonly sensitive: readonly Disassembled[];
  /** Addresses of calls to the start of a symbol, and of jumps to it, by its name. */
  readonly calls: ReadonlyMap<string, readonly { readonly address: bigint; readonly isJump: boolean }[]>;
}

const LINE = /^\s*([0-9a-f]+):\s+(?:(?:rep|repz|repnz|lock|data16|addr32|addr16|data32|rex\.\w+|[c-gs]s|bnd|notrack)\s+)*(\S+)\s*(.*)$/;

/** `size`: code of another size than the file's own. Rejects when objdump fails. */
export async function disassemble(elf: string, size: 16 | 32 | 64 | null): Promise<Listing> {
  const child = spawn(
    'objdump',
    ['-d', '--no-show-raw-insn', ...(size === null ? [] : ['-m', { 16: 'i8086', 32: 'i386', 64: 'i386:x86-64' }[size]]), elf],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const ended = new Promise<number>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const sensitive: Disassembled[] = [];
  const calls = new Map<string, { address: bigint; isJump: boolean }[]>();
  for await (const line of createInterface({ input: child.stdout })) {
    const match = LINE.exec(line);
    if (!match) continue;
    const [, address, mnemonic, rest] = match;
    const target = /^(?:call|jmp)[a-z]?$/.test(mnemonic!) ? /<([^>+]+)>/.exec(rest!)?.[1] : undefined;
    if (target) {
      const places = calls.get(target);
      const place = { address: BigInt(`0x${address}`), isJump: mnemonic!.startsWith('j') };
      if (places) places.push(place);
      else calls.set(target, [place]);
    }
    const operands = rest!.replace(/\s*[#<].*$/, '');
    if (isSensitive(mnemonic!, operands))
      sensitive.push({ address: BigInt(`0x${address}`), mnemonic: mnemonic!, text: `${mnemonic} ${operands}`.trim() });
  }
  const code = await ended;
  if (code !== 0) throw new Error(`objdump ${elf} ended with ${code}: ${complaint.trim()}`);
  return { sensitive, calls };
}
