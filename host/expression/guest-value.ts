// Evaluates an expression over a stopped guest: variables of a frame, globals, symbols, registers, memory, simple casts.

import { ENCODING } from '../../image/dwarf/constants.table.ts';
import type { Frame } from '../../image/dwarf/frame.ts';
import { type CType, stripAliases } from '../../image/dwarf/types.ts';
import type { Value } from '../../image/value.ts';
import type { Machine, Registers } from '../../simulator/machine-types.ts';
import { UserError } from '../errors.ts';
import type { GuestSymbols } from '../symbols/guest-symbols.ts';
import { memoryOf } from '../symbols/stack.ts';
import { binaryNumber } from './arithmetic.ts';
import { registerValue } from './register-names.ts';
import type { Expression, TypeName } from './syntax.ts';
import { pointerTo, typeByName } from './type-names.ts';

/** A number that is nowhere in memory, perhaps of a type (pointers scale arithmetic); or an object of the guest. */
export type GuestValue =
  | { readonly kind: 'number'; readonly number: bigint; readonly type: CType | null }
  | { readonly kind: 'object'; readonly value: Value };

export interface GuestScope {
  readonly machine: Machine;
  readonly symbols: GuestSymbols;
  readonly vcpu: number;
  /** Frame whose locals are visible, and which of its inlined functions. */
  readonly frame: Frame | null;
  readonly inlineLevel: number;
}

const number = (value: bigint, type: CType | null = null): GuestValue => ({ kind: 'number', number: value, type });

export const typeOfValue = (value: GuestValue): CType | null => (value.kind === 'number' ? value.type : value.value.ctype);

/** The number of a scalar with its sign. Throws UserError for structures and for what cannot be read. */
export function numberOf(value: GuestValue, what = 'The expression'): bigint {
  if (value.kind === 'number') return value.number;
  const plain = stripAliases(value.value.ctype);
  // An array stands for the address of its first element, a function for its own.
  if ((plain.kind === 'array' || plain.kind === 'function') && value.value.address !== undefined) return value.value.address;
  const raw = value.value.number;
  if (raw === undefined) throw new UserError(`${what} is no number: ${value.value.type || 'value'} ${value.value.text}.`);
  const signed = plain.kind === 'base' && (plain.encoding === ENCODING.signed || plain.encoding === ENCODING.signed_char);
  if (signed || (plain.kind === 'enum' && plain.signed)) return BigInt.asIntN(plain.size * 8, raw);
  return raw;
}

const pointerTarget = (value: GuestValue): CType | null => {
  const type = typeOfValue(value);
  const plain = type && stripAliases(type);
  if (plain?.kind === 'pointer') return plain.target();
  return plain?.kind === 'array' ? plain.element : null;
};

class Evaluator {
  private readonly scope: GuestScope;
  private readonly memory: (address: bigint, length: number) => Uint8Array;
  private registers: Registers | null = null;

  constructor(scope: GuestScope) {
    this.scope = scope;
    this.memory = memoryOf(scope.machine, scope.vcpu);
  }

  evaluate(expression: Expression): GuestValue {
    switch (expression.kind) {
      case 'number':
        return number(expression.value);
      case 'string':
        if (expression.value.length === 1) return number(BigInt(expression.value.charCodeAt(0)));
        throw new UserError('Strings cannot be compared with guest memory; only single characters are numbers.');
      case 'name':
        return this.name(expression.name);
      case 'register':
        return this.register(expression.name);
      case 'member':
        return this.member(expression);
      case 'index':
        return this.index(expression);
      case 'unary':
        return this.unary(expression);
      case 'binary':
        return this.binary(expression);
      case 'conditional':
        return this.evaluate(numberOf(this.evaluate(expression.test)) !== 0n ? expression.then : expression.otherwise);
      case 'cast':
        return this.cast(expression.type, this.evaluate(expression.operand));
      case 'sizeof': {
        const { operand } = expression;
        const type = 'kind' in operand ? typeOfValue(this.evaluate(operand)) : this.type(operand);
        return number(BigInt(type?.size ?? this.scope.machine.bits / 8));
      }
    }
  }

  private object(type: CType, address: bigint, name = ''): GuestValue {
    return { kind: 'object', value: this.scope.symbols.symbolizer.valueAt(name, type, address, this.memory) };
  }

  private type(name: TypeName): CType {
    const { symbolizer } = this.scope.symbols;
    let type = typeByName(symbolizer, name.base, this.scope.machine.bits);
    if (!type) throw new UserError(`The kernel's debug information has no type '${name.base}'.`);
    for (let i = 0; i < name.pointers; i++) type = pointerTo(type, symbolizer.registers.addressSize);
    return type;
  }

  private name(name: string): GuestValue {
    const { symbols, frame, inlineLevel } = this.scope;
    const { symbolizer } = symbols;
    if (frame) {
      // Also those of the functions that this one was inlined into: a line of theirs may be inside the inlined scope.
      const levels = symbolizer.framesAt(frame.lookup).length;
      for (let level = inlineLevel; level < levels; level++) {
        const local = symbolizer.variablesAt(frame.lookup, level).find((v) => v.name === name && !v.isShadowed);
        if (local) return { kind: 'object', value: symbolizer.valueOf(local, frame, this.memory) };
      }
    }
    const [global] = symbolizer.globalsNamed(name, frame?.lookup);
    if (global) return { kind: 'object', value: symbolizer.valueOf(global, frame ?? undefined, this.memory) };
    const register = this.machineRegister(name);
    if (register !== null) return number(register);
    const [place] = symbolizer.functionsNamed(name);
    const address = place?.entry ?? symbolizer.symbolsNamed(name)[0]?.address;
    if (address !== undefined) return number(address);
    throw new UserError(`There is no variable, symbol or register '${name}' here.`);
  }

  private register(name: string): GuestValue {
    const value = this.machineRegister(name);
    const { machine, vcpu } = this.scope;
    if (value === null && registerValue({ ...machine.registers(vcpu) }, name, machine.bits) !== null)
      throw new UserError(`${name} of this frame is not known: what it called does not preserve it.`);
    if (value === null)
      throw new UserError(`There is no register '${name}'; write $rax … $r15, $rip, $rflags, $cs, $cr3, $eax, $ax, $al …`);
    return number(value);
  }

  /** In a caller's frame, the registers as they will be after the return, where they are known. */
  private machineRegister(name: string): bigint | null {
    const { machine, vcpu, frame, symbols } = this.scope;
    this.registers ??= machine.registers(vcpu);
    const inFrame: Record<string, bigint | number> = { ...this.registers };
    if (frame && frame.level > 0)
      symbols.symbolizer.registers.names.forEach((core, n) => {
        const value = frame.registers.get(n);
        if (value === undefined) delete inFrame[core];
        else inFrame[core] = value;
      });
    return registerValue(inFrame, name, machine.bits);
  }

  private dereference(value: GuestValue): GuestValue {
    const address = numberOf(value, "What '*' is applied to");
    const target = pointerTarget(value);
    if (target && stripAliases(target).kind === 'void')
      throw new UserError("A 'void *' cannot be dereferenced; cast it first, as in *(unsigned long *)p.");
    if (target) return this.object(target, address);
    if (typeOfValue(value) && stripAliases(typeOfValue(value)!).kind === 'struct')
      throw new UserError("'*' needs a pointer or an address.");
    return this.object(this.type({ base: 'unsigned long', pointers: 0 }), address);
  }

  private member({ object, name, arrow }: Expression & { kind: 'member' }): GuestValue {
    let whole = this.evaluate(object);
    const outer = typeOfValue(whole);
    // '.' on a pointer means what '->' does: there is nothing else that it could mean.
    if (arrow || (outer && stripAliases(outer).kind === 'pointer')) whole = this.dereference(whole);
    if (whole.kind === 'number') throw new UserError(`'${name}' is asked of a number; cast it first, as in ((struct x *)p)->${name}.`);
    const found = findMember(whole.value, name, 0);
    if (found) return { kind: 'object', value: found };
    const names = whole.value.children(0, 200).map((c) => c.name);
    throw new UserError(`${whole.value.type} has no member '${name}'; it has: ${names.filter(Boolean).join(', ') || 'none'}.`);
  }

  private index({ object, index }: Expression & { kind: 'index' }): GuestValue {
    const array = this.evaluate(object);
    const at = numberOf(this.evaluate(index), 'The index');
    const target = pointerTarget(array);
    if (!target) throw new UserError("'[…]' needs an array or a pointer.");
    if (array.kind === 'object' && array.value.address === undefined && stripAliases(array.value.ctype).kind === 'array') {
      const [element] = array.value.children(Number(at), 1);
      if (!element) throw new UserError(`The array has no element ${at}.`);
      return { kind: 'object', value: element };
    }
    return this.object(target, this.wrap(numberOf(array) + at * BigInt(target.size || 1)));
  }

  private unary({ operator, operand }: Expression & { kind: 'unary' }): GuestValue {
    const value = this.evaluate(operand);
    switch (operator) {
      case '*':
        return this.dereference(value);
      case '&': {
        if (value.kind === 'number') return value;
        if (value.value.address === undefined)
          throw new UserError('This is not in memory (a register or optimised out), so it has no address.');
        return number(value.value.address, pointerTo(value.value.ctype, this.scope.symbols.symbolizer.registers.addressSize));
      }
      case '!':
        return number(numberOf(value) === 0n ? 1n : 0n);
      case '-':
        return number(-numberOf(value));
      case '~':
        return number(~numberOf(value));
      case '+':
        return number(numberOf(value));
    }
  }

  private binary(expression: Expression & { kind: 'binary' }): GuestValue {
    const { operator } = expression;
    const left = this.evaluate(expression.left);
    const a = numberOf(left);
    if (operator === '&&' && a === 0n) return number(0n);
    if (operator === '||' && a !== 0n) return number(1n);
    const right = this.evaluate(expression.right);
    const b = numberOf(right);
    const [to, from] = [pointerTarget(left), pointerTarget(right)];
    if (operator === '+' && (to || from)) {
      const target = (to ?? from)!;
      const size = BigInt(target.size || 1);
      const sum = to ? a + b * size : b + a * size;
      return number(this.wrap(sum), pointerTo(target, this.scope.symbols.symbolizer.registers.addressSize));
    }
    if (operator === '-' && to) {
      const size = BigInt(to.size || 1);
      if (from) return number((a - b) / size);
      return number(this.wrap(a - b * size), typeOfValue(left));
    }
    return number(binaryNumber(operator, a, b));
  }

  private cast(name: TypeName, value: GuestValue): GuestValue {
    const type = this.type(name);
    const plain = stripAliases(type);
    if (plain.kind === 'base') {
      const signed = plain.encoding === ENCODING.signed || plain.encoding === ENCODING.signed_char;
      const bits = plain.size * 8;
      const raw = numberOf(value);
      return number(signed ? BigInt.asIntN(bits, raw) : BigInt.asUintN(bits, raw), type);
    }
    if (plain.kind === 'pointer' || plain.kind === 'enum') return number(this.wrap(numberOf(value)), type);
    throw new UserError(`A value cannot be cast to '${type.name}'; cast its address: *(${type.name} *)&x.`);
  }

  private wrap(value: bigint): bigint {
    return BigInt.asUintN(this.scope.machine.bits, value);
  }
}

/** A member by name, also inside anonymous structures and unions. */
function findMember(value: Value, name: string, depth: number): Value | null {
  const children = value.children(0, 1000);
  const direct = children.find((child) => child.name === name);
  if (direct) return direct;
  if (depth > 8) return null;
  for (const child of children) {
    const isAnonymous = child.name === '' || child.name.startsWith('<');
    const found = isAnonymous ? findMember(child, name, depth + 1) : null;
    if (found) return found;
  }
  return null;
}

/** Throws UserError that says why there is no value. */
export const evaluateOnGuest = (expression: Expression, scope: GuestScope): GuestValue => new Evaluator(scope).evaluate(expression);
