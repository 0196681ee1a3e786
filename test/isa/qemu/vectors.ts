// One experiment: a state above ring 0, changes to the arena, and code that runs until its first exception.

import { CODE, DATA, SELECTOR, STACK } from './arena.ts';

export const GPR = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const;

export interface Vector {
  readonly name: string;
  /** ring3-64, ring3-32, ring1-32, or selectors for cs and ss. */
  readonly mode: 64 | 32 | 'ring1';
  readonly code: string;
  readonly registers?: Partial<Record<(typeof GPR)[number] | 'rip', bigint>>;
  readonly rflags?: number;
  /** ds, es, fs, gs. */
  readonly segments?: readonly [number, number, number, number];
  /** cs and ss in place of the mode's flat ones. */
  readonly cs?: number;
  readonly ss?: number;
  readonly dr?: readonly bigint[];
  readonly dr7?: number;
  readonly alignmentMask?: boolean;
  /** Bytes by offset in the arena. */
  readonly patches?: readonly (readonly [number, Uint8Array | bigint])[];
  /** Single steps to take at most, each of them compared. */
  readonly steps?: number;
}

/** The state after it: what the exception's frame and the registers show. Numbers as QEMU's harness writes them. */
export interface Outcome {
  /** Exception or interrupt vector; 0x100 syscall, 0x101 syscall from 32-bit code, 0x102 sysenter. */
  vector: number;
  error: number;
  rip: bigint;
  rflags: number;
  cs: number;
  ss: number;
  gpr: bigint[];
  segments: number[];
  fsBase: bigint;
  gsBase: bigint;
  cr2: bigint;
  dr6: number;
  /** Words of the arena that changed: offset and value. */
  diffs: (readonly [number, bigint])[];
  /** After each single step: eip, eflags, the eight registers. */
  trace: Uint32Array;
}

export function csOf(v: Vector): number {
  return v.cs ?? (v.mode === 64 ? SELECTOR.code64 : v.mode === 32 ? SELECTOR.code32 : SELECTOR.ring1Code32);
}
export function ssOf(v: Vector): number {
  return v.ss ?? (v.mode === 'ring1' ? SELECTOR.ring1Data : SELECTOR.data);
}
export const segmentsOf = (v: Vector): readonly number[] => {
  const data = v.mode === 'ring1' ? SELECTOR.ring1Data : SELECTOR.data;
  return v.segments ?? [data, data, 0, 0];
};
/** Registers that a vector does not name hold recognisable values. */
export function gprOf(v: Vector): bigint[] {
  return GPR.map((name, n) => v.registers?.[name] ?? defaults(name, n, v.mode));
}
function defaults(name: string, n: number, mode: Vector['mode']): bigint {
  if (name === 'rsp') return STACK - 0x100n;
  if (name === 'rbp') return STACK - 0x80n;
  if (name === 'rbx' || name === 'rsi') return DATA;
  if (name === 'rdi') return DATA + 0x1000n;
  const v = 0x1111111122222200n * 1n + BigInt(n);
  return mode === 64 ? v : n < 8 ? v & 0xffffffffn : 0n;
}
export const ripOf = (v: Vector): bigint => v.registers?.rip ?? CODE;
export const rflagsOf = (v: Vector): number => (v.rflags ?? 0) | 2;
export const CR0 = 0x80010033;
export const CR0_AM = 0x40000;
