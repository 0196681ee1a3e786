// Runs the same vectors on the engine, with the smallest host there is: page tables and descriptors from the arena, gates as the
// harness sets them up.

import { checkSegmentLoad, segmentCacheOf } from '../../../simulator/cpu/descriptors.ts';
import { createEngine } from '../../../simulator/cpu/engine.ts';
import {
  Access,
  Bank,
  type Engine,
  type Exit,
  type SegmentNumber,
  type Translation,
  type Vcpu,
} from '../../../simulator/cpu/engine-types.ts';
import { ARENA, ARENA_SIZE, buildArena, CR3, GDT, GDT_LIMIT, LDT, LDT_LIMIT, PTE } from './arena.ts';
import { patchesOf } from './run-qemu.ts';
import { csOf, gprOf, type Outcome, rflagsOf, ripOf, segmentsOf, ssOf, type Vector } from './vectors.ts';

const RAM = ARENA + 0x200000;
const ADDRESS = 0x000ffffffffff000n;
/** Physical address bits of QEMU's qemu64: 40. */
const RESERVED = 0x000fff0000000000n;
const RF = 0x10000;
const DR6 = 0xffff0ff0;
const DEBUG = 1;
/** Gates that ring 3 may use. */
const OPEN_GATES = [3, 4, 0x80];

export interface EngineOptions {
  readonly model?: 'amd' | 'intel';
  /** Budget of each run(). */
  readonly slice?: number;
  readonly translate?: (lo: number, hi: number, access: number, user: boolean, out: Translation) => boolean;
}

export class VectorMachine {
  readonly engine: Engine;
  private readonly vcpu: Vcpu;
  private readonly slice: number;
  private readonly arena = buildArena();
  private readonly unit: Uint8Array;

  constructor(options: EngineOptions = {}) {
    this.slice = options.slice ?? 1000;
    const translate = options.translate ?? ((lo, hi, access, user, out) => this.walk(lo, hi, access, user, out));
    this.engine = createEngine({
      ramBytes: RAM,
      vcpus: 1,
      model: options.model ?? 'amd',
      host: {
        translate: (_vcpu, lo, hi, access, bank, out) => translate(lo, hi, access, bank === Bank.user, out),
        cpuid: () => ({ eax: 0, ebx: 0, ecx: 0, edx: 0 }),
        tsc: () => 0n,
        loadSegment: (_vcpu, segment, selector, cpl, how) => {
          const load = checkSegmentLoad(this.descriptor(selector), segment, selector, cpl, how);
          if (load.ok) this.setAccessed(selector);
          return load;
        },
        readDescriptor: (_vcpu, selector) => this.descriptor(selector),
        sensitive: () => 0n,
      },
    });
    this.vcpu = this.engine.vcpus[0]!;
    this.unit = this.vcpu.fpuImage();
  }

  private place(selector: number): number {
    return (selector & 4 ? LDT : GDT) + (selector & ~7);
  }
  private descriptor(selector: number): bigint | null {
    if ((selector | 7) > (selector & 4 ? LDT_LIMIT : GDT_LIMIT)) return null;
    return this.engine.ramView.getBigUint64(this.place(selector), true);
  }
  private setAccessed(selector: number): void {
    const at = this.place(selector) + 5;
    this.engine.ram[at] = this.engine.ram[at]! | 1;
  }

  /** Four levels with 2 MiB pages, as the processor walks them. */
  private walk(lo: number, hi: number, access: number, user: boolean, out: Translation): boolean {
    const { ramView } = this.engine;
    const va = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
    const write = access === Access.write;
    const code = (write ? 2 : 0) | (user ? 4 : 0) | (access === Access.execute ? 16 : 0);
    const fail = (present: number): false => {
      out.errorCode = code | present;
      return false;
    };
    let table = CR3;
    let rights = PTE.W | PTE.U;
    let noExecute = false;
    for (let level = 4; level >= 1; level--) {
      const at = table + Number((va >> BigInt(3 + 9 * level)) & 511n) * 8;
      const entry = ramView.getBigUint64(at, true);
      if (!(entry & PTE.P)) return fail(0);
      const large = level === 2 && (entry & PTE.PS) !== 0n;
      if (entry & RESERVED || (level > 2 && entry & PTE.PS) || (large && entry & 0x1fe000n)) return fail(9);
      rights &= entry;
      noExecute ||= (entry & PTE.NX) !== 0n;
      if (level > 1 && !large) {
        ramView.setBigUint64(at, entry | PTE.A, true);
        table = Number(entry & ADDRESS);
        continue;
      }
      if ((user && !(rights & PTE.U)) || (write && !(rights & PTE.W)) || (access === Access.execute && noExecute)) return fail(1);
      const marked = entry | PTE.A | (write ? PTE.D : 0n);
      ramView.setBigUint64(at, marked, true);
      const frame = Number((entry & ADDRESS) >> 12n);
      out.mfn = large ? (frame & ~511) + ((lo >>> 12) & 511) : frame;
      out.writable = (rights & PTE.W) !== 0n && (marked & PTE.D) !== 0n;
      return true;
    }
    throw new Error('a walk has four levels');
  }

  private prepare(v: Vector, code: Uint8Array): Uint8Array {
    const { engine, vcpu, arena } = this;
    engine.ram.set(arena, ARENA);
    for (const [at, bytes] of patchesOf(v, code)) engine.ram.set(bytes, ARENA + at);
    engine.written(ARENA, ARENA_SIZE);
    vcpu.flushAll();
    vcpu.setFpuImage(this.unit);
    gprOf(v).forEach((x, n) => {
      vcpu.setReg(n, x);
    });
    vcpu.rip = ripOf(v);
    vcpu.rflags = rflagsOf(v);
    const [ds, es, fs, gs] = segmentsOf(v) as [number, number, number, number];
    for (const [segment, selector] of [
      [0, es],
      [1, csOf(v)],
      [2, ssOf(v)],
      [3, ds],
      [4, fs],
      [5, gs],
    ] as [SegmentNumber, number][]) {
      const nothing = { base: 0n, limit: 0, attributes: 0 };
      vcpu.setSegment(segment, selector, selector & ~3 ? segmentCacheOf(this.descriptor(selector)!) : nothing);
    }
    const cpl = csOf(v) & 3;
    vcpu.setMode({ bits: vcpu.segment(1).attributes & 0x2000 ? 64 : 32, cpl, bank: cpl === 3 ? Bank.user : Bank.kernel });
    vcpu.alignmentMask = v.alignmentMask ?? false;
    ([0, 1, 2, 3] as const).forEach((n) => {
      vcpu.setDebugRegister(n, v.dr?.[n] ?? 0n);
    });
    vcpu.setDebugRegister(7, BigInt(v.dr7 ?? 0x400));
    return engine.ram.slice(ARENA, ARENA + ARENA_SIZE);
  }

  run(v: Vector, code: Uint8Array): Outcome {
    const before = this.prepare(v, code);
    const { engine, vcpu } = this;
    const trace: number[] = [];
    let exit: Exit;
    for (let steps = v.steps ?? 0; ; steps--) {
      exit = engine.run(0, v.steps === undefined ? this.slice : 1);
      if (exit.kind !== 'budget') break;
      if (v.steps === undefined) continue;
      if (steps === 0) break;
      trace.push(vcpu.ripLo() >>> 0, vcpu.rflags >>> 0);
      for (let n = 0; n < 8; n++) trace.push(vcpu.regLo(n) >>> 0);
    }
    return { ...this.outcome(exit), diffs: this.diffs(before), trace: Uint32Array.from(trace) };
  }

  /** What the processor's exception frame would show for an exit. */
  private outcome(exit: Exit): Omit<Outcome, 'diffs' | 'trace'> {
    const { vcpu } = this;
    let { vector } = exit;
    let error = exit.errorCode === -1 ? 0 : exit.errorCode;
    let rflags = vcpu.rflags;
    if (exit.kind === 'exception' && vector !== DEBUG) rflags |= RF;
    if (exit.kind === 'interrupt' && exit.length === 2 && !OPEN_GATES.includes(vector)) {
      vcpu.rip = exit.instruction;
      error = vector * 8 + 2;
      vector = 13;
      rflags |= RF;
    }
    if (exit.kind === 'syscall') {
      vector = vcpu.mode().bits === 64 ? 0x100 : 0x101;
      vcpu.setReg(1, vcpu.rip);
      vcpu.setReg(11, BigInt(rflags));
    }
    if (exit.kind === 'sysenter') vector = 0x102;
    if (exit.kind === 'budget') vector = -1;
    return {
      vector,
      error,
      rip: vcpu.rip,
      rflags,
      cs: vcpu.selector(1),
      ss: vcpu.selector(2),
      gpr: Array.from({ length: 16 }, (_, n) => vcpu.reg(n)),
      segments: [3, 0, 4, 5].map((s) => vcpu.selector(s as SegmentNumber)),
      fsBase: vcpu.base(4),
      gsBase: vcpu.base(5),
      cr2: exit.kind === 'exception' && exit.vector === 14 ? exit.cr2 : 0n,
      dr6: (DR6 | exit.dr6) >>> 0,
    };
  }

  private diffs(before: Uint8Array): (readonly [number, bigint])[] {
    const was = new Uint32Array(before.buffer);
    const now = new Uint32Array(this.engine.ram.buffer, this.engine.ram.byteOffset + ARENA, ARENA_SIZE / 4);
    const out: [number, bigint][] = [];
    for (let n = 0; n < was.length; n += 2)
      if (was[n] !== now[n] || was[n + 1] !== now[n + 1]) out.push([n * 4, (BigInt(now[n + 1]!) << 32n) | BigInt(now[n]!)]);
    return out;
  }
}
