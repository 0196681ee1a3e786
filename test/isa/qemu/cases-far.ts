// Far jumps, calls and returns, and iret: between rings, between 32- and 64-bit code, with everything on their way that can fault.

import { CODE, DATA, descriptor, FREE_GDT, SELECTOR, STACK, selectorOffset } from './arena.ts';
import { cplOf, descriptorKinds } from './cases-segments.ts';
import type { Vector } from './vectors.ts';

type Mode = Vector['mode'];
const MODES: readonly Mode[] = [64, 32, 'ring1'];
/** Lands on int3 at this offset of the code page, whatever the base of the segment. */
const TARGET = 0x80;
const landing = (code: string): string => `${code}\n.org ${TARGET}\nint3\n`;
const there = CODE + BigInt(TARGET);

function transfer(mode: Mode, how: string, selector: number, to: bigint = there): string {
  const wide = mode === 64;
  switch (how) {
    case 'jmp':
    case 'call':
      return `mov dword ptr [ebx], 0x${(to & 0xffffffffn).toString(16)}\nmov dword ptr [ebx+4], ${selector}\n${how === 'jmp' ? 'ljmp' : 'lcall'} [ebx]`
        .replace('ljmp', 'jmp fword ptr')
        .replace('lcall', 'call fword ptr');
    case 'ret':
      return wide
        ? `push ${selector}\nmov rax, 0x${to.toString(16)}\npush rax\n.byte 0x48, 0xcb`
        : `push ${selector}\npush 0x${to.toString(16)}\n.byte 0xcb`;
    default:
      throw new Error(how);
  }
}
const flagsImage = 0x202ad7;
/** All but TF and VM: QEMU 7.2 goes to virtual-8086 mode by an iret in long mode, which has none (Intel SDM volume 3, 21.1). */
const FLAGS_ALL = 0x3d7ed5;
function iret(mode: Mode, cs: number, ss: number, to: bigint = there, sp: bigint = STACK - 0x200n, flags = flagsImage): string {
  const push = (v: bigint | number): string =>
    mode === 64 ? `mov rax, 0x${BigInt.asUintN(64, BigInt(v)).toString(16)}\npush rax` : `push 0x${(BigInt(v) & 0xffffffffn).toString(16)}`;
  return [push(ss), push(sp), push(flags), push(cs), push(to), mode === 64 ? 'iretq' : 'iretd'].join('\n');
}

/** By every kind of descriptor. Left out, because QEMU 7.2 does otherwise than the manuals say (Intel SDM volume 2, iret and ret;
 * volume 3, 5.8): call gates, which it passes and this engine leaves to its host; code segments both long and big, which it takes; stack segments of a return that are absent (it
 * raises #NP for #SS) or not yet accessed (it does not mark them). Targets that are not canonical it does not check at all. */
function kinds(): Vector[] {
  const out: Vector[] = [];
  const CALL_GATE = / type (4|12) /;
  descriptorKinds().forEach((kind, n) => {
    if (kind.name.endsWith('long and big')) return;
    const isGate = kind.name.startsWith('system') && CALL_GATE.test(kind.name);
    const isMarkedStack = !kind.name.endsWith('absent') && (!kind.name.startsWith('data') || / type (1|3|5|7|9|11|13|15) /.test(kind.name));
    // A base would move the target; limits are QEMU's weak point and the host processor's test.
    const raw = (kind.raw & 0x00f0ff000000ffffn & ~0xffffn & ~(0xfn << 48n)) | 0xffffn | (0xfn << 48n) | (1n << 55n);
    for (const mode of MODES) {
      const cpl = cplOf(mode);
      for (const how of isGate ? ['ret'] : ['jmp', 'call', 'ret'])
        for (const rpl of new Set([cpl, n & 3])) {
          const selector = FREE_GDT | rpl;
          out.push({
            name: `${mode} far ${how} to ${selector.toString(16)}: ${kind.name}`,
            mode,
            code: landing(transfer(mode, how, selector)),
            patches: [[selectorOffset(selector), raw]],
          });
        }
      for (const rpl of new Set([cpl, 3])) {
        const selector = FREE_GDT | rpl;
        const ss = rpl === 3 ? SELECTOR.data : SELECTOR.ring1Data;
        out.push({
          name: `${mode} iret to ${selector.toString(16)}: ${kind.name}`,
          mode,
          code: landing(iret(mode, selector, ss)),
          patches: [[selectorOffset(selector), raw]],
        });
        if (!isMarkedStack) continue;
        const other = FREE_GDT + 8;
        out.push({
          name: `${mode} iret with stack ${(other | rpl).toString(16)}: ${kind.name}`,
          mode,
          code: landing(iret(mode, rpl === 3 ? SELECTOR.code32 : SELECTOR.ring1Code32, other | rpl)),
          patches: [[selectorOffset(other), raw]],
        });
      }
    }
  });
  return out;
}

function special(): Vector[] {
  const out: Vector[] = [];
  const add = (name: string, mode: Mode, code: string, more: Partial<Vector> = {}): void => {
    out.push({ name: `${mode} ${name}`, mode, code: landing(code), ...more });
  };
  const codeFor = (mode: Mode): number => (mode === 64 ? SELECTOR.code64 : mode === 32 ? SELECTOR.code32 : SELECTOR.ring1Code32);
  const stackFor = (mode: Mode): number => (mode === 'ring1' ? SELECTOR.ring1Data : SELECTOR.data);
  for (const mode of MODES) {
    for (const selector of [0, 3, 0x800, 0x204, 0x1ff]) {
      for (const how of ['jmp', 'call', 'ret']) add(`far ${how} to selector ${selector.toString(16)}`, mode, transfer(mode, how, selector));
      add(`iret to selector ${selector.toString(16)}`, mode, iret(mode, selector, stackFor(mode)));
      add(`iret with stack ${selector.toString(16)}`, mode, iret(mode, SELECTOR.code32, selector));
    }
    for (const flags of [0, 0x8d5, 0x10002, 0x4000, 0x3000, 0x200, 0x40002, 0x200002, 0x400, 0x180000, FLAGS_ALL])
      add(`iret with flags ${flags.toString(16)}`, mode, iret(mode, codeFor(mode), stackFor(mode), there, STACK - 0x40n, flags));
    for (const flags of [0, 0x8d5, 0x10002, 0x4000, 0x3000, 0x200, 0x40002, 0x200002, 0x400, 0x180000, FLAGS_ALL])
      for (const iopl of [0, 0x1000, 0x3000])
        add(
          `popf of ${flags.toString(16)}, IOPL ${iopl >> 12}`,
          mode,
          `push ${flags}\npopf${mode === 64 ? 'q' : 'd'}\npushf${mode === 64 ? 'q' : 'd'}\nint3`,
          { rflags: iopl },
        );
    add('iret with NT', mode, iret(mode, codeFor(mode), stackFor(mode)), { rflags: 0x4000 });
    if (mode !== 'ring1') add('iretw', mode, `push word ptr 0xed5\npush word ptr ${codeFor(mode)}\npush word ptr 0x80\n.byte 0x66, 0xcf`);
    if (mode === 64)
      for (const to of [0x100000000n + there]) {
        add(`near return to ${to.toString(16)}`, mode, `mov rax, 0x${to.toString(16)}\npush rax\nret`);
        add(`iret to ${to.toString(16)}`, mode, iret(mode, SELECTOR.code64, SELECTOR.data, to));
      }
    // Between 64- and 32-bit code of one ring.
    const other = mode === 64 ? SELECTOR.code32 : mode === 32 ? SELECTOR.code64 : SELECTOR.ring1Code64;
    for (const how of ['jmp', 'call', 'ret']) add(`far ${how} to the other mode`, mode, transfer(mode, how, other));
    add('iret to the other mode', mode, iret(mode, other, stackFor(mode)));
    // The stack is not there, or half of it.
    for (const how of ['jmp', 'call', 'ret'] as const)
      for (const sp of [0x50000000n, STACK + 4n, STACK])
        add(
          `far ${how} with the stack at ${sp.toString(16)}`,
          mode,
          `${how === 'ret' ? '' : `${transfer(mode, 'jmp', codeFor(mode)).split('\n').slice(0, 2).join('\n')}\n`}mov esp, 0x${sp.toString(16)}\n${how === 'ret' ? '.byte 0xcb' : how === 'jmp' ? 'jmp fword ptr [ebx]' : 'call fword ptr [ebx]'}`,
        );
    for (const left of mode === 64 ? [] : [8, 12, 16, 20])
      add(
        `iret with ${left} bytes of stack`,
        mode,
        `${iret(mode, codeFor(mode), stackFor(mode)).split('\n').slice(0, -1).join('\n')}\nmov ecx, esp\nlea esp, [ecx + ${0}]\nmov esp, 0x${(STACK - BigInt(left)).toString(16)}\n${mode === 64 ? 'iretq' : 'iretd'}`,
      );
    add('far pointer beyond memory', mode, 'mov ebx, 0x50000000\njmp fword ptr [ebx]');
    add(
      'ret far with extra',
      mode,
      `push 0\npush 0\n${transfer(mode, 'ret', codeFor(mode)).replace(/\.byte (0x48, )?0xcb$/, (_m, w) => `.byte ${w ?? ''}0xca, 16, 0`)}`,
    );
  }
  // From ring 1 to ring 3, whose data segments may not stay.
  const outer = (code: string, name: string): void =>
    add(name, 'ring1', code, { segments: [SELECTOR.data, SELECTOR.ring1Data, SELECTOR.ring1Data, SELECTOR.data] });
  outer(iret('ring1', SELECTOR.code32, SELECTOR.data), 'iret to ring 3');
  outer(iret('ring1', SELECTOR.code64, SELECTOR.data), 'iret to ring 3, 64-bit');
  outer(iret('ring1', SELECTOR.code32, SELECTOR.ring1Data), "iret to ring 3 with ring 1's stack");
  outer(iret('ring1', SELECTOR.code32, 0), 'iret to ring 3 with a null stack');
  outer(
    `push ${SELECTOR.data}\npush 0x${(STACK - 0x200n).toString(16)}\n${transfer('ring1', 'ret', SELECTOR.code32)}`,
    'far return to ring 3',
  );
  outer(
    `push ${SELECTOR.data}\npush 0x${(STACK - 0x200n).toString(16)}\npush 0\npush 0\n${transfer('ring1', 'ret', SELECTOR.code32).replace('.byte 0xcb', '.byte 0xca, 8, 0')}`,
    'far return to ring 3 with extra',
  );
  // Pages that only the supervisor may use: ring 1 may, ring 3 may not.
  out.push({
    name: 'ring1 far jump with a conforming segment',
    mode: 'ring1',
    code: landing(transfer('ring1', 'jmp', FREE_GDT | 1)),
    patches: [[selectorOffset(FREE_GDT), descriptor({ type: 0xe, dpl: 0 })]],
  });
  out.push({
    name: '16-bit stack',
    mode: 32,
    code: 'mov ecx, 0x83\nmov ss, ecx\nmov esp, 0x12340004\npush eax\npush ecx\npop edx\nint3',
    patches: [[selectorOffset(FREE_GDT), descriptor({ type: 3, big: false, base: Number(DATA), limit: 0xffff, pages: false })]],
  });
  return out;
}

export const farCases = (): Vector[] => [...kinds(), ...special()];
