// What bodies of MMX and SSE instructions say beyond the integer builder. 128-bit values live on WebAssembly's stack and in a few
// locals; operands are host addresses, whether register or memory, so one body serves all forms.

import { I32, I64, type Node } from '../emit/expressions.ts';
import { SIMD } from '../emit/simd.ts';
import * as L from '../layout.ts';
import { Builder, type Operand } from './builder.ts';

export type VectorBytes = 4 | 8 | 16;
export const VECTOR_LOCALS = 6;
const LOAD: Record<VectorBytes, number> = { 4: SIMD.load32Zero, 8: SIMD.load64Zero, 16: SIMD.load };

export abstract class VectorBuilder extends Builder {
  protected firstVector = 0;
  private memoryOperand: Node | null = null;

  // The memory operand, which the framework translates before the body runs
  memory(): Node {
    if (this.memoryOperand === null) throw new Error('no memory operand');
    return this.memoryOperand;
  }
  protected forgetMemoryOperand(): void {
    this.memoryOperand = null;
  }
  /** `alignment`: 16 where a misaligned address is #GP. */
  useMemoryOperand(size: number, access: 'r' | 'w', alignment = 1): void {
    const va = alignment > 1 ? this.let(this.ea()) : this.ea();
    if (alignment > 1) this.raiseIf(this.and(this.wrap(va), this.k32(alignment - 1)), 13, 0);
    this.memoryOperand = this.translate(va, size, access);
  }

  // The state that MMX, SSE and x87 share
  /** #NM while the floating-point unit is disabled. */
  checkUnitEnabled(): void {
    this.committed = false;
    this.raiseIf(this.loadAt(4, this.k32(0), L.FPU_DISABLED), 7);
  }
  /** #MF while an x87 exception waits. */
  checkPendingX87(): void {
    const status = this.loadAt(2, this.k32(0), L.FSW);
    const unmasked = this.xor(this.loadAt(2, this.k32(0), L.FCW), this.k32(0x3f));
    this.raiseIf(this.and(this.and(status, unmasked), this.k32(0x3f)), 16);
  }
  /** The x87 registers become mmx registers: TOP 0, none empty. */
  enterMmx(): void {
    const empty = this.xor(this.loadAt(1, this.k32(0), L.FTW), this.k32(0xff));
    this.emit(this.or(empty, this.and(this.loadAt(2, this.k32(0), L.FSW), this.k32(0x3800))));
    this.open('if', 'transition');
    this.emit(this.helper('enterMmx', []));
    this.byte(0x1a); // drop
    this.close();
  }

  /** Host address of the operand. */
  abstract place(o: Operand): Node;
  /** Carries out a floating-point operation in TypeScript (float/operations.ts); raises #XM itself. */
  abstract float(operation: string, d: Node, s: Node, immediate?: Node): void;

  simd(op: number): void {
    this.byte(0xfd);
    this.unsigned(op);
  }
  private memoryArgument(offset: number): void {
    this.byte(0);
    this.unsigned(offset);
  }
  /** An instruction with a memory argument. */
  withMemory(op: number): void {
    this.byte(op);
    this.memoryArgument(0);
  }
  /** Pushes bytes at an address, zeros above them. */
  vload(at: Node, bytes: VectorBytes, offset = 0): void {
    this.emit(at);
    this.simd(LOAD[bytes]);
    this.memoryArgument(offset);
  }
  /** Pushes an element in every lane. */
  vsplat(at: Node, bytes: 4 | 8): void {
    this.emit(at);
    this.simd(bytes === 4 ? SIMD.load32Splat : SIMD.load64Splat);
    this.memoryArgument(0);
  }
  vconstant(low: bigint, high: bigint): void {
    this.simd(SIMD.constant);
    for (const half of [low, high]) for (let i = 0n; i < 64n; i += 8n) this.byte(Number((half >> i) & 0xffn));
  }
  /** The same 32 or 64 bits in every lane. */
  vrepeat(v: bigint, bytes: 4 | 8): void {
    const half = bytes === 8 ? BigInt.asUintN(64, v) : BigInt.asUintN(32, v) * 0x100000001n;
    this.vconstant(half, half);
  }
  vset(n: number): void {
    this.byte(0x21);
    this.unsigned(this.firstVector + n);
  }
  vget(n: number): void {
    this.byte(0x20);
    this.unsigned(this.firstVector + n);
  }
  vshuffle(lanes: readonly number[]): void {
    this.simd(SIMD.shuffle);
    for (let i = 0; i < 16; i++) this.byte(lanes[i] ?? 0);
  }
  /** Stores the low bytes of what `value` pushes. */
  vstoreAt(at: Node, bytes: VectorBytes, value: () => void, offset = 0): void {
    this.emit(at);
    value();
    this.simd(bytes === 16 ? SIMD.store : bytes === 8 ? SIMD.store64Lane : SIMD.store32Lane);
    this.memoryArgument(offset);
    if (bytes !== 16) this.byte(0);
    this.committed = true;
  }
  /** The same to an operand; a write to an mmx register sets the 16 bits above it in the x87 register. */
  vstore(o: Operand, at: Node, bytes: VectorBytes, value: () => void): void {
    this.vstoreAt(at, bytes, value);
    this.written(o, at);
  }
  /** To be called after stores into an operand by other means. */
  written(o: Operand, at: Node): void {
    if (o.kind === 'q') this.storeAt(2, at, this.k32(0xffff), 8);
    this.committed = true;
  }
  /** Pushes an i32: the inexact flag is set already, or what `proof` pushes. */
  ifInexactAllowed(proof: () => void): void {
    this.emit(this.isZero(this.and(this.mxcsr(), this.k32(0x20))));
    this.byte(0x04);
    this.byte(0x7f); // if (result i32)
    this.labels.push('proof');
    proof();
    this.else();
    this.emit(this.k32(1));
    this.close();
  }
  /** The i64 on the stack as a value. */
  popped64(): Node {
    const t = this.temp(I64);
    this.byte(0x21);
    this.unsigned(t);
    return this.local(t, I64);
  }
  /** The i32 on the stack as a value. */
  popped(): Node {
    const t = this.temp(I32);
    this.byte(0x21);
    this.unsigned(t);
    return this.local(t, I32);
  }
  /** Stores an integer at a host address. */
  put(w: 1 | 2 | 4 | 8, at: Node, value: Node, offset = 0): void {
    this.storeAt(w, at, value, offset);
    this.committed = true;
  }
  get(w: 1 | 2 | 4 | 8, at: Node, offset = 0): Node {
    return this.let(this.loadAt(w, at, offset));
  }
  /** Flags that a comparison in TypeScript left. */
  comparisonResult(): Node {
    return this.loadAt(4, this.k32(0), L.VECTOR_SCRATCH);
  }
  mxcsr(): Node {
    return this.loadAt(4, this.k32(0), L.MXCSR);
  }
}
