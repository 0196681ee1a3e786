// Walks the call stack: by call frame information where there is any, else by frame pointers and return addresses.

import { ImageError } from '../error.ts';
import type { CallFrameInformation } from './cfi.ts';
import { frameRowAt, type RegisterRule } from './cfi-row.ts';
import { type ExpressionContext, evaluateNumber, type MemoryReader, readUnsigned, Unavailable } from './expression.ts';
import type { Frame, UnwoundBy } from './frame.ts';
import type { RegisterMap } from './registers.table.ts';

export interface UnwindSource {
  readonly map: RegisterMap;
  readonly cfi: CallFrameInformation;
  /** Whether an address is in the kernel's code. */
  isCode(address: bigint): boolean;
  /** Whether a call instruction ends right before an address of the kernel's code. */
  followsCall(address: bigint): boolean;
  /** First address of the function or label that covers an address. */
  functionStart(address: bigint): bigint | undefined;
  /** An evaluation context for expressions of call frame information. */
  context(registers: ReadonlyMap<number, bigint>, memory: MemoryReader): ExpressionContext | undefined;
}

interface Step {
  readonly cfa: bigint;
  readonly registers: Map<number, bigint>;
  readonly pc: bigint | undefined;
  readonly by: UnwoundBy;
  readonly signal: boolean;
}

/** Slots above the stack pointer in which a leaf of assembly code may have left its return address. */
const SCAN_SLOTS = 8;

function cfaOf(
  source: UnwindSource,
  registers: ReadonlyMap<number, bigint>,
  lookup: bigint,
  memory: MemoryReader,
): { cfa: bigint; rules: ReadonlyMap<number, RegisterRule>; signal: boolean; ra: number } | undefined {
  const entry = source.cfi.at(lookup);
  if (!entry) return undefined;
  const row = frameRowAt(entry, lookup);
  const mask = (value: bigint): bigint => BigInt.asUintN(source.map.addressSize * 8, value);
  let cfa: bigint | undefined;
  if (row.cfa?.kind === 'register') {
    const base = registers.get(row.cfa.register);
    if (base !== undefined) cfa = mask(base + BigInt(row.cfa.offset));
  } else if (row.cfa) {
    const context = source.context(registers, memory);
    if (context) cfa = mask(evaluateNumber(row.cfa.expression, context));
  }
  return cfa === undefined ? undefined : { cfa, rules: row.rules, signal: entry.common.signal, ra: entry.common.returnRegister };
}

function stepByCfi(source: UnwindSource, frame: Frame, memory: MemoryReader): Step | undefined {
  const found = cfaOf(source, frame.registers, frame.lookup, memory);
  if (!found) return undefined;
  const { map } = source;
  const { cfa, rules } = found;
  const registers = new Map<number, bigint>();
  const context = (): ExpressionContext => {
    const made = source.context(frame.registers, memory);
    if (!made) throw new Unavailable('there is no unit to evaluate in');
    return made;
  };
  const mask = (value: bigint): bigint => BigInt.asUintN(map.addressSize * 8, value);
  for (let n = 0; n < map.names.length; n++) {
    const rule = rules.get(n);
    const before = frame.registers.get(n);
    try {
      if (!rule) {
        if (n === map.stackPointer) registers.set(n, cfa);
        else if (before !== undefined && n !== found.ra && (map.preserved.has(n) || found.signal)) registers.set(n, before);
      } else if (rule.kind === 'same') {
        if (before !== undefined) registers.set(n, before);
      } else if (rule.kind === 'offset') {
        registers.set(n, readUnsigned(memory, mask(cfa + BigInt(rule.offset)), map.addressSize));
      } else if (rule.kind === 'value-offset') {
        registers.set(n, mask(cfa + BigInt(rule.offset)));
      } else if (rule.kind === 'register') {
        const other = frame.registers.get(rule.register);
        if (other !== undefined) registers.set(n, other);
      } else if (rule.kind === 'expression') {
        registers.set(n, readUnsigned(memory, evaluateNumber(rule.expression, context(), [cfa]), map.addressSize));
      } else if (rule.kind === 'value-expression') {
        registers.set(n, mask(evaluateNumber(rule.expression, context(), [cfa])));
      }
    } catch (error) {
      // A register whose slot cannot be read is unknown in the caller; the others still hold.
      if (!(error instanceof Unavailable || error instanceof ImageError)) throw error;
    }
  }
  return { cfa, registers, pc: registers.get(found.ra), by: 'cfi', signal: found.signal };
}

function word(source: UnwindSource, memory: MemoryReader, address: bigint): bigint | undefined {
  const { addressSize } = source.map;
  const bytes = memory(address, addressSize);
  if (bytes.length < addressSize) return undefined;
  return readUnsigned(() => bytes, address, addressSize);
}

/** What survives a call when nobody says what the function saved. */
function preserved(
  source: UnwindSource,
  frame: Frame,
  pc: bigint,
  stackPointer: bigint,
  framePointer: bigint | undefined,
): Map<number, bigint> {
  const { map } = source;
  const registers = new Map<number, bigint>();
  for (const n of map.preserved) {
    const value = frame.registers.get(n);
    if (value !== undefined) registers.set(n, value);
  }
  registers.set(map.returnAddress, pc);
  registers.set(map.stackPointer, stackPointer);
  if (framePointer === undefined) registers.delete(map.framePointer);
  else registers.set(map.framePointer, framePointer);
  return registers;
}

function stepByStack(source: UnwindSource, frame: Frame, memory: MemoryReader): Step | undefined {
  const { map } = source;
  const size = BigInt(map.addressSize);
  const sp = frame.registers.get(map.stackPointer);
  const fp = frame.registers.get(map.framePointer);
  if (sp === undefined) return undefined;
  const at = (slot: bigint, by: UnwoundBy, framePointer: bigint | undefined): Step | undefined => {
    const pc = word(source, memory, slot);
    if (pc === undefined) return undefined;
    return { cfa: slot + size, registers: preserved(source, frame, pc, slot + size, framePointer), pc, by, signal: false };
  };
  // At the first instruction of a function the return address is on top of the stack.
  if (frame.level === 0 && source.functionStart(frame.pc) === frame.pc) {
    const top = word(source, memory, sp);
    if (top !== undefined && source.followsCall(top)) return at(sp, 'stack-scan', fp);
  }
  const chained = fp !== undefined && fp >= sp && (fp & (size - 1n)) === 0n ? word(source, memory, fp + size) : undefined;
  const chainHolds = chained !== undefined && source.followsCall(chained);
  // A leaf of assembly code that keeps no frame pointer has its return address below its caller's frame.
  for (let i = 0n; i < SCAN_SLOTS; i++) {
    const slot = sp + i * size;
    if (chainHolds && slot >= fp!) break;
    const value = word(source, memory, slot);
    if (value === undefined) break;
    if (source.followsCall(value)) return at(slot, 'stack-scan', fp);
  }
  if (!chainHolds) return undefined;
  return at(fp! + size, 'frame-pointer', word(source, memory, fp!));
}

function canonicalFrame(
  source: UnwindSource,
  registers: ReadonlyMap<number, bigint>,
  lookup: bigint,
  memory: MemoryReader,
): bigint | undefined {
  try {
    return cfaOf(source, registers, lookup, memory)?.cfa;
  } catch (error) {
    if (error instanceof Unavailable || error instanceof ImageError) return undefined;
    throw error;
  }
}

function frameOf(
  source: UnwindSource,
  level: number,
  registers: ReadonlyMap<number, bigint>,
  pc: bigint,
  by: UnwoundBy,
  interrupted: boolean,
  memory: MemoryReader,
): Frame {
  const lookup = level === 0 || interrupted ? pc : pc - 1n;
  return { level, pc, lookup, by, interrupted, registers, cfa: canonicalFrame(source, registers, lookup, memory) };
}

function nextStep(source: UnwindSource, frame: Frame, memory: MemoryReader): Step | undefined {
  try {
    const step = stepByCfi(source, frame, memory);
    if (step) return step;
  } catch (error) {
    if (!(error instanceof Unavailable || error instanceof ImageError)) throw error;
  }
  return stepByStack(source, frame, memory);
}

/**
 * The call stack from the innermost frame outwards. It ends where call frame information says so (no return address), where the
 * return address is not in the kernel's code, or where the stack would not shrink. With `from` the walk begins at that frame.
 */
export function unwindStack(
  source: UnwindSource,
  start: ReadonlyMap<number, bigint>,
  memory: MemoryReader,
  limit: number,
  from?: Frame,
): Frame[] {
  const pc = start.get(source.map.returnAddress) ?? 0n;
  const frames: Frame[] = [from ?? frameOf(source, 0, start, pc, 'registers', false, memory)];
  while (frames.length < limit) {
    const frame = frames.at(-1)!;
    const step = nextStep(source, frame, memory);
    if (!step || step.pc === undefined || step.pc === 0n || !source.isCode(step.signal ? step.pc : step.pc - 1n)) break;
    const sp = frame.registers.get(source.map.stackPointer);
    // A handler may run on another stack than what it interrupted; everything else must move upwards.
    if (!step.signal && sp !== undefined && step.cfa <= sp) break;
    const registers = new Map(step.registers);
    registers.set(source.map.returnAddress, step.pc);
    frames.push(frameOf(source, frame.level + 1, registers, step.pc, step.by, step.signal, memory));
  }
  return frames;
}
