// The call stack of a stopped vCPU as values: physical frames from call frame information, frame pointers, stubs and bounce
// frames; each with the functions that were inlined there.

import { asVirtual } from '../../abi/address.ts';
import type { Frame } from '../../image/dwarf/frame.ts';
import type { Machine } from '../../simulator/machine-types.ts';
import type { GuestSymbols } from './guest-symbols.ts';
import { atHandlerEntry, type CallerRegisters, findBounceFrame, isHandlerCode, unwindStub, wordReader } from './interrupted.ts';

export interface StackFrame {
  /** Function, symbol or `hypercall_page: mmuext_op`; the address where nothing is known. */
  readonly name: string;
  /** Path on this machine where the file exists, else as recorded; null without line information. */
  readonly file: string | null;
  readonly line: number;
  readonly column: number;
  readonly pc: bigint;
  /** Stack pointer in this frame. */
  readonly sp: bigint;
  /** Inlined into the next frame: no frame of its own on the stack. */
  readonly inlined: boolean;
  /** Which function of framesAt(): 0 the innermost. */
  readonly inlineLevel: number;
  /** This function handles an exception or upcall: the next frame was interrupted, not calling. */
  readonly interrupts: boolean;
  readonly physical: Frame;
}

export const memoryOf =
  (machine: Machine, vcpu: number) =>
  (address: bigint, length: number): Uint8Array =>
    machine.readMemory(vcpu, asVirtual(address), length);

/** At most `limit` physical frames, innermost first. Never throws for what the guest's stack holds. */
export function callStack(machine: Machine, symbols: GuestSymbols, vcpu: number, limit = 64): readonly StackFrame[] {
  const { symbolizer } = symbols;
  const memory = memoryOf(machine, vcpu);
  const registers = machine.registers(vcpu);
  const frames: StackFrame[] = [];
  let frame: Frame | undefined = symbolizer.unwind(registers, memory, 1)[0];
  for (let n = 0; frame && n < limit; n++) {
    const caller = callerOf(machine, symbols, vcpu, frame);
    frames.push(...sourceFrames(symbols, frame, caller.interrupts));
    frame = caller.frame;
  }
  return frames;
}

function callerOf(machine: Machine, symbols: GuestSymbols, vcpu: number, frame: Frame): { frame: Frame | undefined; interrupts: boolean } {
  const { symbolizer } = symbols;
  const memory = memoryOf(machine, vcpu);
  const read = wordReader(machine, vcpu);
  const sp = stackPointer(symbols, frame);
  const stub = symbols.stubAt(frame.pc);
  if (stub && sp !== undefined) {
    const from = unwindStub(stub, machine.bits, { rsp: sp }, read);
    return { frame: from ? resume(symbols, frame, from, memory, stub.nr === 23, 'stub') : undefined, interrupts: stub.nr === 23 };
  }
  const entered = sp === undefined ? null : atHandlerEntry(frame.pc, sp, machine, vcpu, read);
  // At a handler's first instruction nothing has changed yet: the interrupted code has all its registers.
  if (entered && frame.level === 0) return { frame: resume(symbols, frame, entered, memory, true, 'all'), interrupts: true };
  const ordinary = symbolizer.callerOf(frame, memory);
  if (ordinary?.by === 'cfi') return { frame: ordinary, interrupts: ordinary.interrupted };
  // Without call frame information this may be a trap entry: what it interrupted did not call, and no return address leads there.
  if (sp === undefined || symbolizer.lineAt(frame.lookup)?.file.match(/\.c$/)) return { frame: ordinary, interrupts: false };
  const below =
    ordinary?.by === 'stack-scan' && !isHandlerCode(frame.pc, machine, vcpu, symbols) ? (stackPointer(symbols, ordinary) ?? null) : null;
  const bounce = findBounceFrame(sp, below, machine, vcpu, symbols, read);
  if (bounce) return { frame: resume(symbols, frame, bounce, memory, true), interrupts: true };
  return { frame: ordinary, interrupts: false };
}

/** A frame that is unwound from new registers; what the callee preserves is as it was: of a hypercall stub all but
 * rax and r11, at the first instruction of a handler all. */
function resume(
  symbols: GuestSymbols,
  frame: Frame,
  from: CallerRegisters,
  memory: (address: bigint, length: number) => Uint8Array,
  interrupted: boolean,
  survive: 'preserved' | 'stub' | 'all' = 'preserved',
): Frame | undefined {
  const { registers: map } = symbols.symbolizer;
  const kept: Record<string, bigint> = {};
  map.names.forEach((name, n) => {
    const value = frame.registers.get(n);
    const survives = survive === 'all' || (survive === 'stub' ? name !== 'rax' && name !== 'r11' : map.preserved.has(n));
    if (value !== undefined && survives) kept[name] = value;
  });
  const [top] = symbols.symbolizer.unwind({ ...kept, ...from }, memory, 1);
  if (!top) return undefined;
  return { ...top, level: frame.level + 1, interrupted, lookup: interrupted ? top.pc : top.pc - 1n };
}

export const stackPointer = (symbols: GuestSymbols, frame: Frame): bigint | undefined =>
  frame.registers.get(symbols.symbolizer.registers.stackPointer);

function sourceFrames(symbols: GuestSymbols, frame: Frame, interrupts: boolean): StackFrame[] {
  const common = { pc: frame.pc, sp: stackPointer(symbols, frame) ?? 0n, physical: frame };
  const stub = symbols.stubAt(frame.pc);
  const unknown = { file: null, line: 0, column: 0, inlined: false, inlineLevel: 0, interrupts, ...common };
  if (stub) return [{ name: symbols.stubName(stub.nr), ...unknown }];
  const found = symbols.symbolizer.framesAt(frame.lookup);
  if (!found.length) return [{ name: symbols.describe(frame.pc), ...unknown }];
  const hidden = frame.level === 0 ? found.length - symbols.shownFrames(frame.lookup).length : 0;
  return found.slice(hidden).map((source, i) => ({
    ...common,
    inlineLevel: hidden + i,
    name: source.function,
    file: source.file === undefined || source.line === 0 ? null : symbols.localPath(source.file),
    line: source.line,
    column: source.column,
    inlined: source.isInlined,
    interrupts: interrupts && !source.isInlined,
  }));
}

/** An inline function of a header, as kernels wrap hypercalls: the line that a person means is that of its caller. */
export const isWrapper = (frame: StackFrame): boolean => frame.inlined && frame.file?.endsWith('.h') === true;
