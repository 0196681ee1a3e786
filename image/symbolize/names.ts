// Functions, global variables and types by name, from a scan of the top level of every unit (made once, when a name is asked for).

import { AT, TAG } from '../dwarf/constants.table.ts';
import type { Die } from '../dwarf/die.ts';
import type { Dwarf } from '../dwarf/dwarf.ts';
import type { Unit } from '../dwarf/unit.ts';

export interface NamedEntry {
  readonly unit: Unit;
  readonly offset: number;
}

const TYPE_KEYWORDS: Readonly<Record<number, string>> = {
  [TAG.structure_type]: 'struct ',
  [TAG.class_type]: 'struct ',
  [TAG.union_type]: 'union ',
  [TAG.enumeration_type]: 'enum ',
  [TAG.typedef]: '',
  [TAG.base_type]: '',
};

export class NameIndex {
  private readonly dwarf: Dwarf;
  private loaded = false;
  private readonly functions = new Map<string, NamedEntry[]>();
  private readonly variables = new Map<string, NamedEntry[]>();
  private readonly types = new Map<string, NamedEntry>();

  constructor(dwarf: Dwarf) {
    this.dwarf = dwarf;
  }

  private static add(map: Map<string, NamedEntry[]>, name: string, entry: NamedEntry): void {
    const same = map.get(name);
    if (same) same.push(entry);
    else map.set(name, [entry]);
  }

  /** The name without building the unit's tree: a definition often refers to an earlier declaration for it. */
  private static nameOf(die: Die): string | undefined {
    const own = die.string(AT.name);
    if (own !== undefined) return own;
    const target = die.attribute(AT.specification)?.value ?? die.attribute(AT.abstract_origin)?.value;
    return typeof target === 'number' ? die.unit.peek(target)?.string(AT.name) : undefined;
  }

  private visit(die: Die): void {
    const keyword = TYPE_KEYWORDS[die.tag];
    const isFunction = die.tag === TAG.subprogram;
    const isVariable = die.tag === TAG.variable;
    if (keyword === undefined && !isFunction && !isVariable) return;
    if (die.flag(AT.declaration)) return;
    const name = NameIndex.nameOf(die);
    if (name === undefined) return;
    const entry = { unit: die.unit, offset: die.offset };
    if (isFunction) NameIndex.add(this.functions, name, entry);
    else if (isVariable) NameIndex.add(this.variables, name, entry);
    else if (!this.types.has(keyword + name)) this.types.set(keyword + name, entry);
  }

  private load(): void {
    if (this.loaded) return;
    this.loaded = true;
    for (const unit of this.dwarf.units()) this.dwarf.attempt(() => unit.scan((die) => this.visit(die)));
  }

  private open(entries: readonly NamedEntry[] | undefined): readonly Die[] {
    return (entries ?? []).flatMap(({ unit, offset }) => this.dwarf.attempt(() => unit.dieAt(offset)) ?? []);
  }

  functionsNamed(name: string): readonly Die[] {
    this.load();
    return this.open(this.functions.get(name));
  }

  variablesNamed(name: string): readonly Die[] {
    this.load();
    return this.open(this.variables.get(name));
  }

  /** 'struct page', 'enum state', 'u32', 'unsigned long'. */
  typeNamed(name: string): Die | undefined {
    this.load();
    const entry = this.types.get(name.trim().replace(/\s+/g, ' '));
    return entry && this.open([entry])[0];
  }

  variableNames(): readonly string[] {
    this.load();
    return [...this.variables.keys()].sort();
  }
}
