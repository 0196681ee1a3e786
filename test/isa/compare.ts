// Runs the same case on the engine and compares with the native result.

import { Segment } from '../../simulator/cpu/engine-types.ts';
import { ROWS } from '../../x86/rows.ts';
import type { GeneratedCase } from './cases.ts';
import {
  CODE,
  DATA,
  DATA_BYTES,
  dataTemplate,
  differenceHash,
  FPU_IMAGE,
  GS_BASE,
  MAX_CODE,
  type NativeResult,
  READ_ONLY,
  readOnlyTemplate,
  START,
} from './host-cpu.ts';
import { testMachine } from './machine.ts';
import type { Variant } from './variants.ts';

export interface EngineRunner {
  runAll(cases: readonly GeneratedCase[]): NativeResult[];
}

/** The floating-point unit after fninit, MXCSR as a process starts with it: what every native case without an image starts with. */
const FRESH_IMAGE = (() => {
  const image = new Uint8Array(512);
  const view = new DataView(image.buffer);
  view.setUint16(0, 0x37f, true);
  view.setUint32(24, 0x1f80, true);
  return image;
})();

/** What Linux has in its descriptor table, as far as user mode can tell: code and data of its own and of 32- and 64-bit processes. */
const DESCRIPTORS: ReadonlyMap<number, bigint> = new Map([
  [0x08, 0xcf9b000000ffffn],
  [0x10, 0xaf9b000000ffffn],
  [0x18, 0xcf93000000ffffn],
  [0x20, 0xcffb000000ffffn],
  [0x28, 0xcff3000000ffffn],
  [0x30, 0xaffb000000ffffn],
]);
const readDescriptor = (_vcpu: number, selector: number): bigint | null =>
  (selector & 4) !== 0 || selector >= 0x80 ? null : (DESCRIPTORS.get(selector & 0xfff8) ?? 0n);

export function engineRunner(model: 'amd' | 'intel', variant: Variant): EngineRunner {
  const m = testMachine({ model, create: variant.create, host: { readDescriptor } });
  const { engine } = m;
  const code = m.map(CODE, 2, { writable: false });
  const data = m.map(DATA, DATA_BYTES / 4096, { execute: false });
  const [readOnly] = m.map(READ_ONLY, 1, { writable: false, execute: false });
  const template = dataTemplate();
  engine.ram.set(new Uint8Array(readOnlyTemplate().buffer), readOnly! * 4096);
  for (const frame of code) engine.ram.fill(0xcc, frame * 4096, frame * 4096 + 4096);
  const vcpu = engine.vcpus[0]!;
  const expected = new BigUint64Array(DATA_BYTES / 8);
  const expectedBytes = new Uint8Array(expected.buffer);
  const now = new BigUint64Array(DATA_BYTES / 8);
  const nowBytes = new Uint8Array(now.buffer);
  // Selectors of a Linux process: fnstenv and moves from segment registers show them.
  for (const s of [Segment.es, Segment.ss, Segment.ds]) vcpu.setSegment(s, 0x2b, vcpu.segment(s));
  const run = (c: GeneratedCase): NativeResult => {
    expected.set(template);
    for (const [offset, v] of c.pokes) new DataView(expected.buffer).setBigUint64(offset, v, true);
    data.forEach((frame, i) => {
      engine.ram.set(expectedBytes.subarray(i * 4096, i * 4096 + 4096), frame * 4096);
    });
    const at = code[0]! * 4096 + Number(START - CODE);
    const image = c.image ? vcpu.fpuImage() : FRESH_IMAGE;
    if (c.image) image.set(c.image);
    vcpu.setFpuImage(image);
    engine.ram.fill(0xcc, at, at + MAX_CODE + 16);
    engine.ram.set(c.code, at);
    engine.written(at, MAX_CODE + 16);
    c.regs.forEach((v, i) => {
      vcpu.setReg(i, v);
    });
    vcpu.rip = START;
    vcpu.rflags = c.flags;
    vcpu.setMode({ bits: c.bits, cpl: 3, bank: 1 });
    vcpu.setSegment(Segment.cs, c.bits === 64 ? 0x33 : 0x23, vcpu.segment(Segment.cs));
    vcpu.setBase(Segment.gs, GS_BASE);
    const exit = engine.run(0, 100_000);
    if (exit.unsupported !== null) throw new Error(`no body for ${exit.unsupported}: ${Buffer.from(c.code).toString('hex')}`);
    if (exit.kind !== 'exception' && exit.kind !== 'interrupt')
      throw new Error(`unexpected exit ${exit.kind}: ${Buffer.from(c.code).toString('hex')}`);
    data.forEach((frame, i) => {
      nowBytes.set(engine.ram.subarray(frame * 4096, frame * 4096 + 4096), i * 4096);
    });
    return {
      regs: Array.from({ length: 16 }, (_, i) => vcpu.reg(i)),
      flags: vcpu.rflags,
      rip: vcpu.rip,
      cr2: exit.kind === 'exception' && exit.vector === 14 ? exit.cr2 : 0n,
      trap: exit.vector,
      error: Math.max(0, exit.errorCode),
      image: vcpu.fpuImage().slice(0, FPU_IMAGE),
      ...differenceHash(now, expected),
    };
  };
  return { runAll: (cases) => cases.map(run) };
}

const hex = (v: bigint | number): string => `0x${v.toString(16)}`;
const NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
const COMPARED_FLAGS = 0xcd5;

/** What differs, in words; empty when nothing does. */
export function differences(c: GeneratedCase, native: NativeResult, ours: NativeResult): string[] {
  const out: string[] = [];
  // Which of two faulting operands of cmps is reported varies on one and the same processor.
  const either = ROWS[c.row]!.key === 'cmps' && [13, 14].includes(native.trap) && [13, 14].includes(ours.trap);
  if (either) return native.rip === ours.rip ? out : [`rip ${hex(ours.rip)}, processor ${hex(native.rip)}`];
  const faulted = native.trap !== 3 && native.trap !== 1 && native.trap !== 4;
  if (native.trap !== ours.trap) out.push(`trap ${ours.trap}, processor ${native.trap}`);
  if (native.rip !== ours.rip) out.push(`rip ${hex(ours.rip)}, processor ${hex(native.rip)}`);
  if (native.trap === 14 && ours.trap === 14) {
    if (native.cr2 !== ours.cr2) out.push(`cr2 ${hex(ours.cr2)}, processor ${hex(native.cr2)}`);
    // The operating system pretends that its own half is mapped.
    const hidden = native.cr2 >> 63n ? 1 : 0;
    if ((native.error | hidden) !== (ours.error | hidden)) out.push(`page fault error ${hex(ours.error)}, processor ${hex(native.error)}`);
  } else if (native.trap === ours.trap && native.error !== ours.error)
    out.push(`error code ${hex(ours.error)}, processor ${hex(native.error)}`);
  for (let i = 0; i < (c.bits === 64 ? 16 : 8); i++)
    if (native.regs[i] !== ours.regs[i]) out.push(`${NAMES[i]} ${hex(ours.regs[i]!)}, processor ${hex(native.regs[i]!)}`);
  const mask = COMPARED_FLAGS & ~(faulted && native.rip === START ? 0 : c.undefined);
  if ((native.flags & mask) !== (ours.flags & mask)) out.push(`flags ${hex(ours.flags & mask)}, processor ${hex(native.flags & mask)}`);
  if (native.differences !== ours.differences || native.hash !== ours.hash) {
    const show = (r: NativeResult): string =>
      r.changed
        .slice(0, 3)
        .map(([o, v]) => `+${hex(o)}=${hex(v)}`)
        .join(' ') || 'none';
    out.push(`memory changes ${show(ours)}, processor ${show(native)}`);
  }
  return out;
}

export function describe(c: GeneratedCase): string {
  const regs = c.regs.slice(0, c.bits === 64 ? 16 : 8).map((v, i) => `${NAMES[i]}=${hex(v)}`);
  return `${ROWS[c.row]!.key} '${ROWS[c.row]!.enc[c.form]}' ${c.bits}-bit ${Buffer.from(c.code).toString('hex')} flags=${hex(c.flags)} ${regs.join(' ')}`;
}
