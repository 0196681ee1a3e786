// DWARF expressions: a stack machine over registers and memory that answers where a variable is, or what its value is.

import { Reader } from '../bytes.ts';
import { hex, ImageError } from '../error.ts';
import { AT, ENCODING, OP } from './constants.table.ts';
import { readOffset } from './forms.ts';
import type { Unit } from './unit.ts';

/** Reads guest memory; fewer bytes than asked for mean that the rest is not mapped. */
export type MemoryReader = (address: bigint, length: number) => Uint8Array;

export interface ExpressionContext {
  readonly unit: Unit;
  /** Value of a DWARF register in this frame; undefined when it was not preserved. */
  readonly register: (number: number) => bigint | undefined;
  readonly memory: MemoryReader;
  /** Address that DW_OP_fbreg counts from. */
  readonly frameBase?: () => bigint;
  /** Canonical frame address. */
  readonly cfa?: () => bigint;
  /** Value that an expression had when the function was entered. */
  readonly entryValue?: (expression: Uint8Array) => bigint | undefined;
}

export type Location =
  | { readonly kind: 'memory'; readonly address: bigint }
  | { readonly kind: 'register'; readonly register: number }
  /** The value itself (DW_OP_stack_value), modulo 2^64. */
  | { readonly kind: 'value'; readonly value: bigint }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** A pointer that was optimised away, to `offset` bytes into the object of the entry at `die` of .debug_info. */
  | { readonly kind: 'implicit-pointer'; readonly die: number; readonly offset: bigint }
  | { readonly kind: 'pieces'; readonly pieces: readonly Piece[] }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface Piece {
  readonly location: Location;
  readonly bits: number;
  /** Where the piece begins inside its location, in bits. */
  readonly bitOffset: number;
}

/** Why a value cannot be had; shown in place of the value. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** Comparisons of the signed operands. */
const COMPARISONS: Readonly<Record<number, (a: bigint, b: bigint) => boolean>> = {
  [OP.eq]: (a, b) => a === b,
  [OP.ne]: (a, b) => a !== b,
  [OP.lt]: (a, b) => a < b,
  [OP.le]: (a, b) => a <= b,
  [OP.gt]: (a, b) => a > b,
  [OP.ge]: (a, b) => a >= b,
};
/** Binary operations; the result is wrapped to the operand's width. `shift` is the second operand, at most the width. */
type Arithmetic = (a: bigint, b: bigint, signedA: bigint, signedB: bigint, shift: bigint, bits: number) => bigint;
const ARITHMETIC: Readonly<Record<number, Arithmetic>> = {
  [OP.and]: (a, b) => a & b,
  [OP.or]: (a, b) => a | b,
  [OP.xor]: (a, b) => a ^ b,
  [OP.plus]: (a, b) => a + b,
  [OP.minus]: (a, b) => a - b,
  [OP.mul]: (a, b) => a * b,
  [OP.div]: (_a, _b, signedA, signedB) => signedA / signedB,
  [OP.mod]: (a, b) => a % b,
  [OP.shl]: (a, _b, _sa, _sb, shift) => a << shift,
  [OP.shr]: (a, _b, _sa, _sb, shift, bits) => BigInt.asUintN(bits, a) >> shift,
  [OP.shra]: (_a, _b, signedA, _sb, shift) => signedA >> shift,
};
const MAX_STEPS = 10_000;
const MAX_STACK = 1024;

/** Reads `size` bytes as a little-endian unsigned number. */
export function readUnsigned(memory: MemoryReader, address: bigint, size: number): bigint {
  const bytes = memory(address, size);
  if (bytes.length < size) throw new Unavailable(`memory at ${hex(address)} is not mapped`);
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

interface NumberType {
  readonly bits: number;
  readonly signed: boolean;
}

class Evaluator {
  private readonly stack: { value: bigint; type: NumberType | null }[] = [];
  private readonly pieces: Piece[] = [];
  private simple: Location | null = null;
  private isValue = false;
  private readonly c: ExpressionContext;
  private readonly r: Reader;
  private readonly size: number;

  constructor(expression: Uint8Array, context: ExpressionContext, initial: readonly bigint[]) {
    this.c = context;
    this.r = new Reader(expression, 'a DWARF expression');
    this.size = context.unit.header.addressSize;
    for (const value of initial) this.push(value);
  }

  private push(value: bigint, type: NumberType | null = null): void {
    if (this.stack.length >= MAX_STACK) throw new Unavailable('its location expression overflows the stack');
    this.stack.push({
      value: type
        ? type.signed
          ? BigInt.asIntN(type.bits, value)
          : BigInt.asUintN(type.bits, value)
        : BigInt.asUintN(this.size * 8, value),
      type,
    });
  }
  private pop(): { value: bigint; type: NumberType | null } {
    const top = this.stack.pop();
    if (!top) throw new Unavailable('its location expression uses an empty stack');
    return top;
  }
  private peek(depth: number): { value: bigint; type: NumberType | null } {
    const entry = this.stack[this.stack.length - 1 - depth];
    if (!entry) throw new Unavailable('its location expression uses an empty stack');
    return entry;
  }
  private signed(entry: { value: bigint; type: NumberType | null }): bigint {
    return entry.type ? entry.value : BigInt.asIntN(this.size * 8, entry.value);
  }

  private register(number: number): bigint {
    const value = this.c.register(number);
    if (value === undefined) throw new Unavailable('it is in a register that was not preserved by the function called');
    return value;
  }

  private numberType(offset: number): NumberType | null {
    if (offset === 0) return null;
    const die = this.c.unit.dieAt(this.c.unit.header.start + offset);
    const encoding = die?.number(AT.encoding);
    const size = die?.number(AT.byte_size);
    if (encoding === ENCODING.float || encoding === ENCODING.complex_float)
      throw new Unavailable('its location needs floating-point arithmetic');
    if (!die || !size || size > 8) throw new Unavailable('its location uses an unknown number type');
    return { bits: size * 8, signed: encoding === ENCODING.signed || encoding === ENCODING.signed_char };
  }

  private binary(op: number): void {
    const b = this.pop();
    const a = this.pop();
    const bits = BigInt(a.type?.bits ?? this.size * 8);
    const [sa, sb] = [this.signed(a), this.signed(b)];
    const compare = COMPARISONS[op];
    if (compare) {
      this.push(compare(sa, sb) ? 1n : 0n);
      return;
    }
    const isDivision = op === OP.div || op === OP.mod;
    if (isDivision && b.value === 0n) throw new Unavailable('its location divides by zero');
    const shift = b.value < bits && b.value >= 0n ? b.value : bits;
    this.push(ARITHMETIC[op]!(a.value, b.value, sa, sb, shift, Number(bits)), a.type);
  }

  private constant(op: number): void {
    const size = [1, 1, 2, 2, 4, 4, 8, 8][op - OP.const1u]!;
    this.push((op - OP.const1u) % 2 === 0 ? this.r.unsigned(size) : this.r.signed(size));
  }

  /** The location that the operations since the last piece describe. */
  private current(): Location {
    if (this.simple) return this.simple;
    if (this.stack.length === 0) return { kind: 'unavailable', reason: 'optimized out' };
    const { value } = this.pop();
    return this.isValue ? { kind: 'value', value: BigInt.asUintN(64, value) } : { kind: 'memory', address: value };
  }

  private addPiece(bits: number, bitOffset: number): void {
    this.pieces.push({ location: this.current(), bits, bitOffset });
    this.simple = null;
    this.isValue = false;
  }

  private entryValue(): void {
    const block = this.r.block(this.r.uleb());
    const value = this.c.entryValue?.(block);
    if (value === undefined) throw new Unavailable('its value at function entry is not known in the caller');
    this.push(value);
  }

  private stackOperation(op: number): boolean {
    switch (op) {
      case OP.dup: {
        const { value, type } = this.peek(0);
        this.push(value, type);
        return true;
      }
      case OP.drop:
        this.pop();
        return true;
      case OP.over:
      case OP.pick: {
        const { value, type } = this.peek(op === OP.over ? 1 : this.r.u8());
        this.push(value, type);
        return true;
      }
      case OP.swap: {
        const [a, b] = [this.pop(), this.pop()];
        this.push(a.value, a.type);
        this.push(b.value, b.type);
        return true;
      }
      case OP.rot: {
        const [a, b, c] = [this.pop(), this.pop(), this.pop()];
        this.push(a.value, a.type);
        this.push(c.value, c.type);
        this.push(b.value, b.type);
        return true;
      }
      case OP.abs: {
        const entry = this.pop();
        const value = this.signed(entry);
        this.push(value < 0n ? -value : value, entry.type);
        return true;
      }
      case OP.neg: {
        const entry = this.pop();
        this.push(-entry.value, entry.type);
        return true;
      }
      case OP.not: {
        const entry = this.pop();
        this.push(~entry.value, entry.type);
        return true;
      }
      case OP.skip:
      case OP.bra: {
        const distance = this.r.i16();
        if (op === OP.skip || this.pop().value !== 0n) this.r.offset = this.r.at(this.r.offset + distance).offset;
        return true;
      }
      default:
        return false;
    }
  }

  private typedOperation(op: number): boolean {
    const { r } = this;
    switch (op) {
      case OP.const_type:
      case OP.GNU_const_type: {
        const type = this.numberType(r.uleb());
        this.push(r.unsigned(r.u8()), type);
        return true;
      }
      case OP.regval_type:
      case OP.GNU_regval_type: {
        const value = this.register(r.uleb());
        this.push(value, this.numberType(r.uleb()));
        return true;
      }
      case OP.deref_type:
      case OP.GNU_deref_type: {
        const size = r.u8();
        const type = this.numberType(r.uleb());
        this.push(readUnsigned(this.c.memory, this.pop().value, size), type);
        return true;
      }
      case OP.convert:
      case OP.GNU_convert:
      case OP.reinterpret:
      case OP.GNU_reinterpret:
        this.push(this.pop().value, this.numberType(r.uleb()));
        return true;
      default:
        return false;
    }
  }

  private operation(op: number): void {
    const { r, c } = this;
    if (op >= OP.lit0 && op < OP.reg0) {
      this.push(BigInt(op - OP.lit0));
      return;
    }
    if (op >= OP.reg0 && op < OP.breg0) {
      this.simple = { kind: 'register', register: op - OP.reg0 };
      return;
    }
    if (op >= OP.breg0 && op < OP.regx) {
      this.push(this.register(op - OP.breg0) + r.sleb64());
      return;
    }
    if (op >= OP.const1u && op <= OP.const8s) {
      this.constant(op);
      return;
    }
    if (ARITHMETIC[op] || COMPARISONS[op]) {
      this.binary(op);
      return;
    }
    if (this.stackOperation(op) || this.typedOperation(op)) return;
    switch (op) {
      case OP.addr:
        this.push(r.unsigned(this.size));
        return;
      case OP.addrx:
      case OP.constx:
      case OP.GNU_addr_index:
      case OP.GNU_const_index:
        this.push(c.unit.indexedAddress(r.uleb()));
        return;
      case OP.constu:
        this.push(r.uleb64());
        return;
      case OP.consts:
        this.push(r.sleb64());
        return;
      case OP.plus_uconst: {
        const entry = this.pop();
        this.push(entry.value + r.uleb64(), entry.type);
        return;
      }
      case OP.deref:
        this.push(readUnsigned(c.memory, this.pop().value, this.size));
        return;
      case OP.deref_size: {
        const size = r.u8();
        if (size < 1 || size > 8) throw new Unavailable('its location reads an impossible size');
        this.push(readUnsigned(c.memory, this.pop().value, size));
        return;
      }
      case OP.regx:
        this.simple = { kind: 'register', register: r.uleb() };
        return;
      case OP.bregx: {
        const value = this.register(r.uleb());
        this.push(value + r.sleb64());
        return;
      }
      case OP.fbreg: {
        if (!c.frameBase) throw new Unavailable('the frame base is not known here');
        this.push(c.frameBase() + r.sleb64());
        return;
      }
      case OP.call_frame_cfa: {
        if (!c.cfa) throw new Unavailable('the frame address is not known here');
        this.push(c.cfa());
        return;
      }
      case OP.stack_value:
        this.isValue = true;
        return;
      case OP.implicit_value:
        this.simple = { kind: 'bytes', bytes: r.block(r.uleb()) };
        return;
      case OP.implicit_pointer:
      case OP.GNU_implicit_pointer:
        this.simple = { kind: 'implicit-pointer', die: readOffset(r, c.unit.header.offsetSize), offset: r.sleb64() };
        return;
      case OP.entry_value:
      case OP.GNU_entry_value:
        this.entryValue();
        return;
      case OP.piece:
        this.addPiece(r.uleb() * 8, 0);
        return;
      case OP.bit_piece: {
        const bits = r.uleb();
        this.addPiece(bits, r.uleb());
        return;
      }
      case OP.nop:
      case OP.GNU_uninit:
        return;
      default:
        throw new Unavailable(`its location uses the DWARF operation ${hex(op)}, which cannot be evaluated`);
    }
  }

  run(): Location {
    for (let steps = 0; !this.r.atEnd; steps++) {
      if (steps >= MAX_STEPS) throw new Unavailable('its location expression does not end');
      this.operation(this.r.u8());
    }
    return this.pieces.length > 0 ? { kind: 'pieces', pieces: this.pieces } : this.current();
  }
}

/** Evaluates a location description. Damaged or unsupported expressions give 'unavailable' with the reason. */
export function evaluateLocation(expression: Uint8Array, context: ExpressionContext, initial: readonly bigint[] = []): Location {
  try {
    return new Evaluator(expression, context, initial).run();
  } catch (error) {
    if (error instanceof Unavailable) return { kind: 'unavailable', reason: error.message };
    if (error instanceof ImageError) return { kind: 'unavailable', reason: `its debug information is damaged (${error.message})` };
    throw error;
  }
}

/**
 * Evaluates an expression to a number: an address, the value on the stack, or a register's contents.
 * @throws Unavailable when it has none.
 */
export function evaluateNumber(expression: Uint8Array, context: ExpressionContext, initial: readonly bigint[] = []): bigint {
  const location = evaluateLocation(expression, context, initial);
  switch (location.kind) {
    case 'memory':
      return location.address;
    case 'value':
      return location.value;
    case 'register': {
      const value = context.register(location.register);
      if (value !== undefined) return value;
      throw new Unavailable('it is in a register that was not preserved by the function called');
    }
    default:
      throw new Unavailable(location.kind === 'unavailable' ? location.reason : 'its expression gives no number');
  }
}
