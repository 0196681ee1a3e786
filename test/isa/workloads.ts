// Compiled C on the engine and on the host: the same source, built for both.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestMachine, type TestOptions, testMachine } from './machine.ts';

const source = join(dirname(fileURLToPath(import.meta.url)), 'native/workloads.c');
const STACK = 0x7ff00000n;

export interface Workloads {
  /** Removes what was built. */
  close(): void;
  /** What the host computes. */
  native(which: number, n: number): bigint;
  /** What the engine computes, in slices of the sizes given, and how many instructions it took. */
  engine(which: number, n: number, slice: () => number, options?: TestOptions): { result: bigint; instructions: number };
}

function loadElf(m: TestMachine, elf: Uint8Array): bigint {
  const view = new DataView(elf.buffer, elf.byteOffset);
  const headers = Number(view.getBigUint64(32, true));
  const mapped = new Set<bigint>();
  for (let i = 0; i < view.getUint16(56, true); i++) {
    const at = headers + i * 56;
    if (view.getUint32(at, true) !== 1) continue;
    const offset = Number(view.getBigUint64(at + 8, true));
    const va = view.getBigUint64(at + 16, true);
    for (let page = va & ~4095n; page < va + view.getBigUint64(at + 40, true); page += 4096n)
      if (!mapped.has(page)) {
        mapped.add(page);
        m.map(page, 1);
      }
    m.write(va, elf.subarray(offset, offset + Number(view.getBigUint64(at + 32, true))));
  }
  m.map(STACK - 0x10000n, 16);
  return view.getBigUint64(24, true);
}

export function buildWorkloads(): Workloads {
  const dir = mkdtempSync(join(tmpdir(), 'hyperport-workloads-'));
  const program = join(dir, 'native');
  const common = ['-O2', '-fcf-protection=none', '-fno-stack-protector', source];
  execFileSync('gcc', ['-DNATIVE', '-o', program, ...common]);
  const free = [
    '-mgeneral-regs-only',
    '-ffreestanding',
    '-fno-pic',
    '-no-pie',
    '-nostdlib',
    '-static',
    '-Wl,--build-id=none',
    '-Wl,-z,noexecstack',
  ];
  execFileSync('gcc', [...free, '-o', join(dir, 'engine'), ...common, '-lgcc']);
  const elf = readFileSync(join(dir, 'engine'));
  return {
    close: () => rmSync(dir, { recursive: true }),
    native: (which, n) => BigInt(`0x${execFileSync(program, [String(which), String(n)], { encoding: 'utf8' }).trim()}`),
    engine(which, n, slice, options = {}) {
      const m = testMachine({ ramMib: 4, ...options });
      const vcpu = m.engine.vcpus[0]!;
      vcpu.rip = loadElf(m, elf);
      vcpu.set('rsp', STACK);
      vcpu.set('rdi', BigInt(which));
      vcpu.set('rsi', BigInt(n));
      let instructions = 0;
      for (;;) {
        const exit = m.engine.run(0, slice());
        instructions += exit.executed;
        if (exit.kind === 'syscall') return { result: vcpu.reg(0), instructions };
        if (exit.kind !== 'budget')
          throw new Error(`workload ${which} ended as ${exit.kind} ${exit.vector} at 0x${vcpu.rip.toString(16)} (${exit.unsupported})`);
      }
    },
  };
}
