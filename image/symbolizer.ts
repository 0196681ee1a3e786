// The face of debug information: addresses to functions, lines and variables and back, call stacks, and typed values.
// Everything is read lazily: one unit when an address or a name in it is asked for.

import { CallFrameInformation } from './dwarf/cfi.ts';
import { AT, TAG } from './dwarf/constants.table.ts';
import type { Die } from './dwarf/die.ts';
import { Dwarf } from './dwarf/dwarf.ts';
import type { ExpressionContext, Location, MemoryReader } from './dwarf/expression.ts';
import type { Frame } from './dwarf/frame.ts';
import { entryOf, functionAt, hasLocationLists, scopesAt } from './dwarf/functions.ts';
import type { LineRow } from './dwarf/line-table.ts';
import type { PathSubstitution } from './dwarf/paths.ts';
import { type AddressRange, rangesOf } from './dwarf/ranges.ts';
import { type CoreRegister, type RegisterMap, registerMap } from './dwarf/registers.table.ts';
import { type CType, typeFromDie } from './dwarf/types.ts';
import { type UnwindSource, unwindStack } from './dwarf/unwind.ts';
import type { ElfFile } from './elf/file.ts';
import type { ElfSymbol } from './elf/types.ts';
import { CodeMap } from './symbolize/code.ts';
import { type LineMatch, type SourceLine, SourceLines } from './symbolize/lines.ts';
import { NameIndex } from './symbolize/names.ts';
import { afterPrologue } from './symbolize/prologue.ts';
import { type NearestSymbol, SymbolIndex } from './symbolize/symbols.ts';
import { type FrameAccess, groupScopes, locate, type Variable, variableOf, variablesOf } from './symbolize/variables.ts';
import { readValue, type Value } from './value.ts';

export interface FunctionInfo {
  readonly name: string;
  /** First address of the function (of the part that was asked for, when it is split) and one past its last. */
  readonly low: bigint;
  readonly high: bigint;
  /** Where it is declared, when there is debug information. */
  readonly file: string | undefined;
  readonly line: number | undefined;
  /** False when only the symbol table knows it. */
  readonly hasDebugInfo: boolean;
}

/** One level of the source-level call stack at an address. */
export interface SourceFrame {
  readonly function: string;
  readonly file: string | undefined;
  /** 0 when unknown. */
  readonly line: number;
  readonly column: number;
  /** The function was inlined into that of the next frame. */
  readonly isInlined: boolean;
  /** The address is the first of this inlined function: nothing of it has run yet, and gdb shows the caller at its call instead. */
  readonly isAtEntry: boolean;
}

export interface FunctionPlace {
  /** First instruction. */
  readonly entry: bigint;
  /** Where a breakpoint on the function belongs. */
  readonly body: bigint;
  readonly isInlined: boolean;
}

export interface SymbolizerOptions {
  /** Moves recorded paths to where the sources are; the first match wins. */
  readonly substitutions?: readonly PathSubstitution[];
}

export class Symbolizer {
  readonly elf: ElfFile;
  readonly registers: RegisterMap;
  readonly lines: SourceLines;
  private readonly dwarf: Dwarf;
  private readonly symbols: SymbolIndex;
  private readonly names: NameIndex;
  private readonly code: CodeMap;
  private readonly cfi: CallFrameInformation;

  constructor(elf: ElfFile, options: SymbolizerOptions = {}) {
    this.elf = elf;
    this.registers = registerMap(elf.bits);
    this.dwarf = new Dwarf(elf);
    this.lines = new SourceLines(this.dwarf, options.substitutions ?? []);
    this.symbols = new SymbolIndex(elf, () => this.dwarf.attempt(() => elf.symbols()) ?? []);
    this.names = new NameIndex(this.dwarf);
    this.code = new CodeMap(elf);
    this.cfi = new CallFrameInformation(this.dwarf.sections, (read) => void this.dwarf.attempt(read));
  }

  /** What could not be read of the debug information so far, one sentence each. */
  get warnings(): readonly string[] {
    return this.dwarf.warnings;
  }

  /** Whether there is line or variable information at all. */
  get hasDebugInfo(): boolean {
    return this.dwarf.units().length > 0;
  }

  isCode(address: bigint): boolean {
    return this.code.isCode(address);
  }

  private subprogramAt(address: bigint): Die | undefined {
    return this.dwarf.attempt(() => {
      const unit = this.lines.index.unitAt(address);
      return unit && functionAt(unit, address);
    });
  }

  private scopes(address: bigint): readonly Die[] {
    const subprogram = this.subprogramAt(address);
    return (subprogram && this.dwarf.attempt(() => scopesAt(subprogram, address))) ?? [];
  }

  /** The function that covers an address: from debug information, else a function symbol or an assembly label. */
  functionAt(address: bigint): FunctionInfo | undefined {
    const described = this.dwarf.attempt(() => this.describedFunction(address));
    if (described) return described;
    if (!this.code.isCode(address)) return undefined;
    const nearest = this.symbols.nearest(address);
    if (!nearest) return undefined;
    const { symbol } = nearest;
    const high = symbol.size > 0n ? symbol.address + symbol.size : (this.symbols.next(symbol.address) ?? address + 1n);
    return { name: symbol.name, low: symbol.address, high, file: undefined, line: undefined, hasDebugInfo: false };
  }

  private describedFunction(address: bigint): FunctionInfo | undefined {
    const die = this.subprogramAt(address);
    const range = die && rangesOf(die).find(({ low, high }) => address >= low && address < high);
    if (!range) return undefined;
    const declared = die.holderOf(AT.decl_file);
    const file = declared && this.lines.fileOf(declared.unit, declared.number(AT.decl_file));
    return { name: die.name ?? '?', low: range.low, high: range.high, file, line: declared?.number(AT.decl_line), hasDebugInfo: true };
  }

  /** The source line of an address. */
  lineAt(address: bigint): SourceLine | undefined {
    return this.dwarf.attempt(() => this.lines.at(address));
  }

  /**
   * The source-level frames at an address, innermost first: inlined functions, then the function itself. Empty when not even a symbol
   * is known. For a caller's frame pass `frame.lookup`, not its return address.
   */
  framesAt(address: bigint): readonly SourceFrame[] {
    return this.dwarf.attempt(() => this.readFrames(address)) ?? [];
  }

  private readFrames(address: bigint): readonly SourceFrame[] {
    const line = this.lineAt(address);
    const innermost = { file: line?.file, line: line?.line ?? 0, column: line?.column ?? 0 };
    const functions = this.scopes(address)
      .filter((die) => die.tag !== TAG.lexical_block)
      .reverse();
    if (functions.length === 0) {
      const found = this.functionAt(address);
      return found || line ? [{ function: found?.name ?? '?', ...innermost, isInlined: false, isAtEntry: false }] : [];
    }
    let position: Pick<SourceFrame, 'file' | 'line' | 'column'> = innermost;
    return functions.map((die) => {
      const isInlined = die.tag === TAG.inlined_subroutine;
      const frame = { function: die.name ?? '?', ...position, isInlined, isAtEntry: isInlined && entryOf(die) === address };
      position = {
        file: this.lines.fileOf(die.unit, die.number(AT.call_file)),
        line: die.number(AT.call_line) ?? 0,
        column: die.number(AT.call_column) ?? 0,
      };
      return frame;
    });
  }

  /** The address ranges of the line at `address` within its function: where a step over the line stays. */
  rangesOfLine(address: bigint): readonly AddressRange[] {
    const found = this.functionAt(address);
    return (found && this.dwarf.attempt(() => this.lines.rangesOfLine(address, found.low, found.high))) ?? [];
  }

  /** Addresses for a breakpoint on a line; addresses at a function's entry are moved behind its prologue. */
  breakpointsAt(path: string, line: number): (Omit<LineMatch, 'addresses'> & { readonly addresses: readonly bigint[] }) | undefined {
    const match = this.dwarf.attempt(() => this.lines.addressesOf(path, line));
    if (!match) return undefined;
    const addresses = match.addresses.map(({ address, isEntry }) => (isEntry ? this.bodyOf(address) : address));
    return { file: match.file, line: match.line, addresses: [...new Set(addresses)] };
  }

  /** The first address after the prologue of the function at `entry`. */
  bodyOf(entry: bigint): bigint {
    const found = this.functionAt(entry);
    const unit = this.lines.index.unitAt(entry);
    if (!found?.hasDebugInfo || !unit || this.dwarf.attempt(() => hasLocationLists(unit))) return entry;
    const rowAt = (address: bigint): LineRow | undefined => this.lines.row(address)?.row;
    return this.dwarf.attempt(() => afterPrologue(this.code, entry, found.high, rowAt, this.lines.prologueEnd(entry, found.high))) ?? entry;
  }

  /** All places of a function: its own code, and where it was inlined. Empty when nothing has that name. */
  functionsNamed(name: string): readonly FunctionPlace[] {
    const places = new Map<bigint, FunctionPlace>();
    for (const symbol of this.symbols.named(name)) {
      if (this.code.isCode(symbol.address))
        places.set(symbol.address, { entry: symbol.address, body: this.bodyOf(symbol.address), isInlined: false });
    }
    for (const die of this.names.functionsNamed(name)) {
      this.dwarf.attempt(() => {
        const entry = rangesOf(die).length > 0 ? entryOf(die) : undefined;
        if (entry !== undefined) places.set(entry, { entry, body: this.bodyOf(entry), isInlined: false });
        for (const at of this.inlinedInstances(die)) if (!places.has(at)) places.set(at, { entry: at, body: at, isInlined: true });
      });
    }
    return [...places.values()].sort((a, b) => (a.entry < b.entry ? -1 : 1));
  }

  private inlinedInstances(origin: Die): bigint[] {
    const found: bigint[] = [];
    const pending = [origin.unit.tree()];
    for (let die = pending.pop(); die; die = pending.pop()) {
      pending.push(...die.children);
      if (die.tag !== TAG.inlined_subroutine || die.attribute(AT.abstract_origin)?.value !== origin.offset) continue;
      const entry = entryOf(die);
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  /** The symbol that covers or precedes an address: 'start_info+0x10'. */
  symbolAt(address: bigint): NearestSymbol | undefined {
    return this.symbols.nearest(address);
  }

  /** 'name' or 'name+16'; undefined outside of the image. */
  symbolText(address: bigint): string | undefined {
    const nearest = this.symbols.sectionAt(address) && this.symbols.nearest(address);
    if (!nearest) return undefined;
    return nearest.offset === 0n ? nearest.symbol.name : `${nearest.symbol.name}+${nearest.offset}`;
  }

  symbolsNamed(name: string): readonly ElfSymbol[] {
    return this.symbols.named(name);
  }

  /** The call stack of a stopped vCPU. Callers' registers are those that were preserved. */
  unwind(registers: Readonly<Partial<Record<CoreRegister, bigint>>>, memory: MemoryReader, limit = 128): readonly Frame[] {
    const start = new Map<number, bigint>();
    const mask = this.elf.bits;
    this.registers.names.forEach((name, number) => {
      const value = registers[name];
      if (value !== undefined) start.set(number, BigInt.asUintN(mask, value));
    });
    return unwindStack(this.unwindSource(), start, memory, limit);
  }

  /** The frame that called `frame`. */
  callerOf(frame: Frame, memory: MemoryReader): Frame | undefined {
    return unwindStack(this.unwindSource(), frame.registers, memory, 2, frame)[1];
  }

  private unwindSource(): UnwindSource {
    return {
      map: this.registers,
      cfi: this.cfi,
      isCode: (address) => this.code.isCode(address),
      followsCall: (address) => this.code.followsCall(address),
      functionStart: (address) => this.functionAt(address)?.low,
      context: (registers, memory) => {
        const unit = this.dwarf.units()[0];
        return unit && ({ unit, register: (n) => registers.get(n), memory } satisfies ExpressionContext);
      },
    };
  }

  private access(memory: MemoryReader): FrameAccess {
    return { memory, subprogramOf: (frame) => this.subprogramAt(frame.lookup), callerOf: (frame) => this.callerOf(frame, memory) };
  }

  /**
   * Parameters and locals in scope at an address. `inlineLevel` chooses among framesAt(address): 0 is the innermost function.
   */
  variablesAt(address: bigint, inlineLevel = 0): readonly Variable[] {
    const group = groupScopes(this.scopes(address))[inlineLevel];
    return (group && this.dwarf.attempt(() => variablesOf(group))) ?? [];
  }

  /** Global and static variables of a name; those of the unit at `near` come first. */
  globalsNamed(name: string, near?: bigint): readonly Variable[] {
    const unit = near === undefined ? undefined : this.lines.index.unitAt(near);
    const dies = [...this.names.variablesNamed(name)].sort((a, b) => Number(b.unit === unit) - Number(a.unit === unit));
    return dies.flatMap((die) => this.dwarf.attempt(() => variableOf(die, 'global')) ?? []);
  }

  /** Global and static variables of the unit (source file) that an address belongs to. */
  globalsAt(address: bigint): readonly Variable[] {
    const unit = this.lines.index.unitAt(address);
    if (!unit) return [];
    const found = this.dwarf.attempt(() => unit.tree().children.filter((die) => die.tag === TAG.variable && die.has(AT.location))) ?? [];
    return found.flatMap((die) => this.dwarf.attempt(() => variableOf(die, 'global')) ?? []);
  }

  /** A type by its name as C writes it without pointers: 'struct start_info', 'unsigned long', 'pte_t'. */
  typeNamed(name: string): CType | undefined {
    const die = this.names.typeNamed(name);
    return die && this.dwarf.attempt(() => typeFromDie(die));
  }

  /** Where a variable is in a frame; for globals the frame may be absent. */
  locate(variable: Variable, frame: Frame | undefined, memory: MemoryReader): Location {
    return locate(variable, frame, this.access(memory));
  }

  /** A variable's value in a frame. */
  valueOf(variable: Variable, frame: Frame | undefined, memory: MemoryReader): Value {
    return this.read(variable.name, variable.type, this.locate(variable, frame, memory), frame, memory);
  }

  /** The value of an object of a type at an address. */
  valueAt(name: string, type: CType, address: bigint, memory: MemoryReader): Value {
    return this.read(name, type, { kind: 'memory', address }, undefined, memory);
  }

  private read(name: string, type: CType, location: Location, frame: Frame | undefined, memory: MemoryReader): Value {
    return readValue(name, type, location, {
      memory,
      register: (n) => frame?.registers.get(n),
      addressSize: this.registers.addressSize,
      symbolise: (address) => this.symbolText(address),
    });
  }
}
