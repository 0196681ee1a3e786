// What a scan needs to know of an instruction: how it goes on, and whether Xen PV lets it be.

import { type XenInfo, xenInfo } from '../x86/mnemonics.ts';
import { ROW_BY_KEY, ROWS } from '../x86/rows.ts';
import { type Decoded, OperandKind } from '../x86/types.ts';

/** How control leaves an instruction. */
export const Flow = {
  /** To the next. */
  next: 0,
  /** To a target and to the next: conditional jumps, calls. */
  branch: 1,
  /** To its target only. */
  jump: 2,
  /** Not to the next. */
  end: 3,
  /** ud2: to the next only where a kernel hides something behind it. */
  trap: 4,
} as const;

const ENDS = 'jmp-ind ret ret-far iret jmp-far jmp-far-ind sysret sysexit rsm eretu erets uiret'.split(' ');
const BRANCHES = 'jcc call jcxz loop loopz loopnz xbegin'.split(' ');

/** Flow by row. */
export const FLOW: Uint8Array = new Uint8Array(ROWS.length);
for (const key of ENDS) FLOW[row(key)] = Flow.end;
for (const key of BRANCHES) FLOW[row(key)] = Flow.branch;
FLOW[row('jmp')] = Flow.jump;
FLOW[row('ud2')] = Flow.trap;

function row(key: string): number {
  const index = ROW_BY_KEY.get(key);
  if (index === undefined) throw new Error(`the instruction table has no row ${key}`);
  return index;
}

const SYSCALL = row('syscall');
const INT = row('int');
export const CPUID = row('cpuid');
export const CALL = row('call');
const HYPERCALL_VECTOR = 0x82;

/** The way into Xen itself: what a stub of a hypercall is made of. */
export const isHypercall = (out: Decoded, bits: 64 | 32): boolean =>
  bits === 64 ? out.row === SYSCALL : out.row === INT && out.immLo === HYPERCALL_VECTOR;

/** 1: sensitive in some form. By row, so that the many others cost one load. */
export const SENSITIVE: Uint8Array = Uint8Array.from(ROWS, ({ xen }) => (xen && xen.effect !== 'native' ? 1 : 0));

/** What Xen PV does with a decoded instruction; null when it may stay. */
export function sensitivity(out: Decoded): XenInfo | null {
  let register: number | undefined;
  for (let i = 0; i < out.count; i++) if (out.kind[i] === OperandKind.control) register = out.reg[i];
  const info = xenInfo(ROWS[out.row]!, register);
  return info && info.effect !== 'native' ? info : null;
}
