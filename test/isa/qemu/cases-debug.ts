// Debug registers, single steps, RF, the shadow of mov ss, icebp. Left out, because QEMU 7.2 does otherwise than the manuals say (Intel
// SDM volume 3, 17.2.5 and 17.3.1): addresses in DR0 to DR3 that are not aligned to their length (it does not mask them), two data
// breakpoints that one access meets (it reports the first), a data breakpoint met by a single step (it raises two traps), misaligned
// accesses beside one byte, RF through the iterations of a rep, a breakpoint behind mov ss or a single step, icebp (#UD in QEMU).

import { CODE, DATA, entryOffset, SELECTOR, STACK } from './arena.ts';
import type { Vector } from './vectors.ts';

const MODES = [64, 32, 'ring1'] as const;
const TF = 0x100;
const RF = 0x10000;
/** DR7: register n on, kind 0 execute, 1 write, 3 access; length code 0 to 3 for 1, 2, 8, 4 bytes. */
const dr7 = (...set: readonly [number, number, number][]): number =>
  set.reduce((v, [n, kind, length]) => v | (1 << (2 * n)) | ((kind | (length << 2)) << (16 + 4 * n)), 0x400) >>> 0;

function data(): Vector[] {
  const out: Vector[] = [];
  const accesses: readonly [string, string][] = [
    ['read', 'mov eax, [ebx]'],
    ['write', 'mov [ebx], eax'],
    ['byte beside', 'mov [ebx+1], al'],
    ['last byte', 'mov [ebx+3], al'],
    ['byte behind', 'mov [ebx+4], al'],
    ['byte before', 'mov [ebx-1], al'],
    ['wide write before', 'mov [ebx-3], eax'],
    ['over a page', 'lea ecx, [ebx+0xffe]\nmov [ecx], eax'],
    ['update', 'add [ebx], eax'],
    ['push', 'lea esp, [ebx+8]\npush 1\npush 2\npush 3'],
    ['movs', 'mov esi, ebx\nmovsd'],
    ['rep movs to', 'lea edi, [ebx-8]\nlea esi, [ebx+0x200]\nmov ecx, 5\nrep movsd'],
    ['rep movs from', 'lea esi, [ebx-8]\nlea edi, [ebx+0x200]\nmov ecx, 5\nrep movsb'],
    ['std rep stos', 'std\nlea edi, [ebx+9]\nmov ecx, 12\nrep stosb'],
    ['rep cmps', 'lea esi, [ebx-8]\nlea edi, [ebx+0x200]\nmov ecx, 5\nrepe cmpsd'],
    ['rep scas', 'lea edi, [ebx-8]\nmov ecx, 50\nmov al, 7\nrepne scasb'],
    ['cmpxchg that fails', 'cmpxchg [ebx], ecx'],
    ['bts', 'mov ecx, 5\nbts [ebx], ecx'],
    ['call', 'lea esp, [ebx+4]\ncall 1f\n1:nop'],
    ['pop to memory', 'pop [ebx]'],
    ['compare only', 'cmp [ebx], eax'],
    ['two at once', 'mov esi, ebx\nlea edi, [ebx+1]\nmovsb'],
  ];
  const wide = (mode: Vector['mode'], text: string): string =>
    mode === 64 ? text.replace('pop [ebx]', 'pop qword ptr [ebx]') : text.replace('pop [ebx]', 'pop dword ptr [ebx]');
  const settings: readonly [string, Partial<Vector>][] = [
    ['4 bytes written', { dr: [DATA + 0x100n], dr7: dr7([0, 1, 3]) }],
    ['4 bytes accessed', { dr: [0n, DATA + 0x100n], dr7: dr7([1, 3, 3]) }],
    ['a byte written', { dr: [0n, 0n, DATA + 0x100n], dr7: dr7([2, 1, 0]) }],
    ['2 bytes accessed', { dr: [0n, 0n, 0n, DATA + 0x102n], dr7: dr7([3, 3, 1]) }],
    ['8 bytes accessed', { dr: [DATA + 0x100n], dr7: dr7([0, 3, 2]) }],
    ['none enabled', { dr: [DATA + 0x100n], dr7: 0x000d0400 }],
    ['the next page', { dr: [DATA + 0x1000n + 0x100n], dr7: dr7([0, 1, 0]) }],
  ];
  for (const mode of MODES)
    for (const [what, access] of accesses)
      for (const [name, more] of settings)
        out.push({
          name: `${mode} ${what}, ${name}`,
          mode,
          code: `${wide(mode, access)}\nnop\nint3`,
          registers: { rbx: DATA + 0x100n },
          ...more,
        });
  return out;
}

function instructions(): Vector[] {
  const out: Vector[] = [];
  for (const mode of MODES) {
    const add = (name: string, code: string, more: Partial<Vector>): void => {
      out.push({ name: `${mode} ${name}`, mode, code, ...more });
    };
    const at = (n: number): Partial<Vector> => ({ dr: [CODE + BigInt(n)], dr7: dr7([0, 0, 0]) });
    add('breakpoint at once', 'nop\nnop\nint3', at(0));
    add('breakpoint at once with RF', 'nop\nnop\nint3', { ...at(0), rflags: RF });
    add('breakpoint on the second instruction', 'nop\nnop\nint3', at(1));
    add('breakpoint on the second instruction with RF', 'nop\nnop\nint3', { ...at(1), rflags: RF });
    add('breakpoint within an instruction', 'mov eax, 5\nnop\nint3', at(2));
    add('breakpoint behind a jump', 'jmp 1f\nnop\nnop\n1: nop\nint3', at(4));
    add('breakpoint in a loop', 'mov ecx, 3\n1: dec ecx\nnop\njnz 1b\nint3', { ...at(5), dr7: dr7([0, 0, 0]) });
    add('breakpoint on rep', 'mov ecx, 3\nrep stosb\nint3', at(5));
    add('two breakpoints at one place', 'nop\nnop\nint3', { dr: [CODE + 1n, CODE + 1n], dr7: dr7([0, 0, 0], [1, 0, 0]) });
    add('breakpoint on a faulting instruction', 'mov eax, [0x50000000]\nint3', at(0));
  }
  return out;
}

function steps(): Vector[] {
  const out: Vector[] = [];
  const codes: readonly [string, string][] = [
    ['nop', 'nop\nnop\nint3'],
    ['a jump', 'jmp 1f\nnop\n1: nop\nint3'],
    ['rep', 'mov ecx, 3\nrep stosb\nint3'],
    ['rep itself', 'rep stosb\nint3'],
    ['a fault', 'mov eax, [0x50000000]\nint3'],
    ['int3', 'int3'],
    ['int', 'int 0x80'],
    ['int that is closed', 'int 0x81'],
    ['popf that clears TF', 'push 2\npopfX\nnop\nint3'],
    ['mov ss', 'mov ecx, ss\nmov ss, ecx\nnop\nnop\nint3'],
    ['syscall', 'syscall\nnop'],
    ['ud2', 'ud2'],
    ['a closed page', 'push eaX\nnop'],
  ];
  for (const mode of MODES)
    for (const [name, text] of codes) {
      if (name === 'syscall' && mode !== 64) continue;
      const code = text.replace('popfX', mode === 64 ? 'popfq' : 'popfd').replace('eaX', mode === 64 ? 'rax' : 'eax');
      out.push({
        name: `${mode} step through ${name}`,
        mode,
        code,
        rflags: TF,
        registers: { rcx: 3n },
        dr: [DATA],
        dr7: dr7([0, 1, 3]),
        ...(name === 'a closed page' ? { patches: [[entryOffset(STACK - 0x1000n), 0n] as const] } : {}),
      });
      if (name === 'mov ss') continue;
      const push = mode === 64 ? 'q' : 'd';
      out.push({
        name: `${mode} popf that sets TF, then ${name}`,
        mode,
        code: `push 0x102\npopf${push}\n${code}`,
        registers: { rcx: 3n },
        dr: [DATA],
        dr7: dr7([0, 1, 3]),
      });
    }
  return out;
}

/** mov ss and pop ss hold back debug traps for one instruction. */
function shadow(): Vector[] {
  const out: Vector[] = [];
  for (const mode of MODES) {
    const ss = mode === 'ring1' ? SELECTOR.ring1Data : SELECTOR.data;
    const add = (name: string, code: string, more: Partial<Vector> = {}): void => {
      out.push({
        name: `${mode} ${name}`,
        mode,
        code: `mov word ptr [ebx], ${ss}\n${code}`,
        registers: { rbx: DATA + 0x100n },
        dr: [DATA + 0x100n],
        dr7: dr7([0, 3, 0]) & ~1,
        ...more,
      });
    };
    add('mov ss', 'mov ss, [ebx]\nmov esp, esi\nnop\nint3');
    add('mov ss then int3', 'mov ss, [ebx]\nint3');
  }
  return out;
}

export const debugCases = (): Vector[] => [...data(), ...instructions(), ...steps(), ...shadow()];
