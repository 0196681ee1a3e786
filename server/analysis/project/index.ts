// The index over the files of a tree: which names stand for sensitive instructions where, and through which definitions.

import { findRule } from '../../../abi/rules/catalogue.ts';
import type { DefinitionFacts, Facts } from './facts.ts';

/** A definition that executes sensitive instructions, itself or through another. */
export interface Wrapper {
  readonly path: string;
  readonly definition: DefinitionFacts;
  /** The worst rule of what it executes, and the instructions as they read, worst first. */
  readonly rule: string;
  readonly instructions: readonly string[];
  /** The wrapper that it goes through; null when the instructions stand in its own body. */
  readonly through: Wrapper | null;
}

interface Place {
  readonly path: string;
  readonly definition: DefinitionFacts;
}

/** What a name means in a file. `wrapper` null: it is defined, and executes nothing sensitive. */
export interface Meaning {
  readonly definition: DefinitionFacts;
  readonly path: string;
  readonly wrapper: Wrapper | null;
}

interface Closure {
  /** The file and everything that it includes. */
  readonly files: ReadonlySet<string>;
  /** Some of it is not in the tree. */
  readonly unseen: boolean;
}

const DEEPEST_CHAIN = 6;
const MOST_INCLUDED = 4000;
const MOST_CLOSURES = 64;
const SEVERITIES = ['silent', 'fault', 'emulated', 'idiom'];
const severityOf = (rule: string): number => SEVERITIES.indexOf(findRule(rule)?.severity ?? 'idiom');
/** Folders of other processors, which a tree for several keeps beside ours. */
const OTHER_MACHINE =
  /(?:^|\/)(?:alpha|arc|arm|arm32|arm64|aarch64|csky|h8300|hexagon|hppa|ia64|loongarch|loongson|m68k|microblaze|mips|mips64|nds32|nios2|openrisc|parisc|powerpc|ppc|ppc64|riscv|riscv32|riscv64|s390|sh|sparc|sparc64|um|unicore32|vax|xtensa)\//;
const isHeader = (path: string): boolean => /\.(?:h|hh|hpp|hxx|inc)$/i.test(path);

export class ProjectIndex {
  readonly #files = new Map<string, Facts>();
  #names: Map<string, Place[]> | null = null;
  #wrappers: Map<DefinitionFacts, Wrapper> | null = null;
  #wrapperNames: Set<string> | null = null;
  #byBase: Map<string, string[]> | null = null;
  readonly #closures = new Map<string, Closure>();

  /** How messages show a path. */
  readonly label: (path: string) => string;

  constructor(label: (path: string) => string = (path) => path) {
    this.label = label;
  }

  /** Takes the facts of a file in place of older ones; answers whether anything changed that other files can see. */
  set(facts: Facts): boolean {
    const old = this.#files.get(facts.path);
    // An edit within a body changes nothing for others: what is known stays, with the lines of before.
    if (old && meansTheSame(old, facts)) return false;
    this.#files.set(facts.path, facts);
    if (old && this.#names && namesTheSame(old, facts)) this.#replace(this.#names, old, facts);
    else this.#forget();
    return true;
  }

  /** The same names with other bodies: what is known of names and includes stays. */
  #replace(names: Map<string, Place[]>, old: Facts, { path, definitions }: Facts): void {
    definitions.forEach((definition, i) => {
      const places = names.get(definition.name)!;
      places[places.findIndex((place) => place.definition === old.definitions[i])] = { path, definition };
    });
    this.#wrappers = this.#wrapperNames = null;
  }

  delete(path: string): void {
    if (this.#files.delete(path)) this.#forget();
  }

  get size(): number {
    return this.#files.size;
  }

  #forget(): void {
    this.#names = this.#wrappers = this.#wrapperNames = this.#byBase = null;
    this.#closures.clear();
  }

  /** Names that are a wrapper somewhere: a sieve. */
  get wrapperNames(): ReadonlySet<string> {
    this.#wrapperNames ??= new Set([...this.#findWrappers().values()].map(({ definition }) => definition.name));
    return this.#wrapperNames;
  }

  /** Is the name defined anywhere in the tree? */
  knows(name: string): boolean {
    return this.#places().has(name);
  }

  /**
   * What `name` means in the file at `path`: its own definition first, then what it includes, then what is visible everywhere.
   * Null when nothing that it can see defines it. Where the branches of an #if define it in several ways, a wrapper wins.
   */
  meaning(name: string, path: string): Meaning | null {
    const places = this.#places().get(name);
    if (!places) return null;
    const wrappers = this.#findWrappers();
    const best = (all: readonly Place[]): Meaning | null => {
      if (all.length === 0) return null;
      const near = all.filter((place) => !OTHER_MACHINE.test(place.path));
      const candidates = near.length > 0 ? near : all;
      // A macro hides the function of its name.
      const macros = candidates.filter(({ definition }) => definition.kind === 'macro');
      const visible = macros.length > 0 ? macros : candidates;
      const chosen = visible.find(({ definition }) => wrappers.has(definition)) ?? visible[0]!;
      // `#define outb outb` and the like only say that there is such a function.
      const through = chosen.definition.uses.length === 1 && chosen.definition.uses[0] === name;
      if (through && candidates.length > macros.length) return best(candidates.filter(({ definition }) => definition.kind !== 'macro'));
      return { ...chosen, wrapper: wrappers.get(chosen.definition) ?? null };
    };
    const own = best(places.filter((place) => place.path === path));
    if (own) return own;
    const { files: closure, unseen } = this.#closure(path);
    const included = best(places.filter((place) => closure.has(place.path) && !OTHER_MACHINE.test(place.path)));
    if (included) return included;
    // A header and a fragment are read by files that may have included more than they do themselves.
    // So does a source that another includes whole.
    const fragment = isHeader(path) || unseen || closure.size === 1;
    return best(
      places.filter((place) => (place.definition.kind === 'macro' || place.definition.local ? fragment && isHeader(place.path) : true)),
    );
  }

  /** Bodies of a macro for asm templates, the nearest to `path` first. */
  template(name: string, path: string): { readonly params: readonly string[] | null; readonly body: string } | null {
    const places = (this.#places().get(name) ?? []).filter(({ definition }) => definition.template !== undefined);
    if (places.length === 0) return null;
    const closure = places.length > 1 ? this.#closure(path).files : null;
    const chosen = places.find((place) => place.path === path) ?? places.find((place) => closure?.has(place.path)) ?? places[0]!;
    return { params: chosen.definition.params, body: chosen.definition.template! };
  }

  #places(): Map<string, Place[]> {
    if (this.#names) return this.#names;
    const names = new Map<string, Place[]>();
    for (const { path, definitions } of this.#files.values()) {
      for (const definition of definitions) {
        const same = names.get(definition.name);
        if (same) same.push({ path, definition });
        else names.set(definition.name, [{ path, definition }]);
      }
    }
    this.#names = names;
    return names;
  }

  #findWrappers(): Map<DefinitionFacts, Wrapper> {
    if (this.#wrappers) return this.#wrappers;
    const found = new Map<DefinitionFacts, Wrapper>();
    const byName = new Map<string, Wrapper[]>();
    const add = (wrapper: Wrapper): void => {
      found.set(wrapper.definition, wrapper);
      const same = byName.get(wrapper.definition.name);
      if (same) same.push(wrapper);
      else byName.set(wrapper.definition.name, [wrapper]);
    };
    const users = new Map<string, Place[]>();
    for (const { path, definitions } of this.#files.values()) {
      for (const definition of definitions) {
        for (const name of definition.uses) {
          const same = users.get(name);
          if (same) same.push({ path, definition });
          else users.set(name, [{ path, definition }]);
        }
        if (definition.hits.length === 0) continue;
        const hits = [...definition.hits].sort((a, b) => severityOf(a.rule) - severityOf(b.rule));
        add({
          path,
          definition,
          rule: hits[0]!.rule,
          instructions: [...new Set(hits.map(({ instruction }) => instruction))],
          through: null,
        });
      }
    }
    const pasted = [...users].filter(([name]) => name.endsWith('*')).map(([name, places]) => [name.slice(0, -1), places] as const);
    const usersOf = (name: string): Place[] => [
      ...(users.get(name) ?? []),
      ...pasted.flatMap(([start, places]) => (name.startsWith(start) ? places : [])),
    ];
    // Breadth first from the instructions outwards: each definition is reached by its shortest chain.
    let edge = [...found.values()];
    for (let depth = 0; depth < DEEPEST_CHAIN && edge.length > 0; depth++) {
      const next: Wrapper[] = [];
      for (const through of edge) {
        for (const { path, definition } of usersOf(through.definition.name)) {
          if (found.has(definition) || definition.name === through.definition.name) continue;
          if (through.definition.local && !isHeader(through.path) && through.path !== path) continue;
          if (through.definition.kind === 'macro' && !isHeader(through.path) && through.path !== path) continue;
          const wrapper: Wrapper = { path, definition, rule: through.rule, instructions: through.instructions, through };
          add(wrapper);
          next.push(wrapper);
        }
      }
      edge = next;
    }
    this.#wrappers = found;
    return found;
  }

  #closure(path: string): Closure {
    const known = this.#closures.get(path);
    if (known) return known;
    const seen = new Set<string>([path]);
    const pending = [path];
    let unseen = false;
    for (let at = pending.pop(); at !== undefined && seen.size < MOST_INCLUDED; at = pending.pop()) {
      const edges = this.#edges(at);
      unseen ||= edges.unseen;
      for (const next of edges.paths) {
        if (seen.has(next)) continue;
        seen.add(next);
        pending.push(next);
      }
    }
    const closure = { files: seen, unseen };
    // A file is asked about many times in a row and then no more; all closures of a kernel at once are gigabytes.
    if (this.#closures.size >= MOST_CLOSURES) this.#closures.clear();
    this.#closures.set(path, closure);
    return closure;
  }

  readonly #includedBy = new WeakMap<Facts, { base: object; paths: readonly string[]; unseen: boolean }>();

  #edges(path: string): { readonly paths: readonly string[]; readonly unseen: boolean } {
    const facts = this.#files.get(path);
    if (!facts) return { paths: [], unseen: true };
    const base = this.#bases();
    const known = this.#includedBy.get(facts);
    if (known?.base === base) return known;
    let unseen = false;
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const paths = facts.includes.flatMap(({ path: name, quoted }) => {
      const plain = name.replace(/^(?:\.\.?\/)+/, '');
      const candidates = (base.get(plain.slice(plain.lastIndexOf('/') + 1)) ?? []).filter(
        (each) => each === plain || each.endsWith(`/${plain}`),
      );
      const beside = quoted ? candidates.filter((each) => each === folder + name) : [];
      if (candidates.length === 0) unseen = true;
      if (beside.length > 0) return beside;
      const ours = candidates.filter(
        (each) => !OTHER_MACHINE.test(each) && /(?:^|\/)(?:x86|i386|amd64|x86_64|ia32|pc)(?:\/|_|$)/.test(each),
      );
      return (ours.length > 0 ? ours : candidates).slice(0, 4);
    });
    const edges = { base, paths, unseen };
    this.#includedBy.set(facts, edges);
    return edges;
  }

  #bases(): Map<string, string[]> {
    if (this.#byBase) return this.#byBase;
    const bases = new Map<string, string[]>();
    for (const path of this.#files.keys()) {
      const base = path.slice(path.lastIndexOf('/') + 1);
      const same = bases.get(base);
      if (same) same.push(path);
      else bases.set(base, [path]);
    }
    this.#byBase = bases;
    return bases;
  }
}

const meansTheSame = (a: Facts, b: Facts): boolean =>
  a.language === b.language &&
  a.includes.length === b.includes.length &&
  a.includes.every(({ path, quoted }, i) => path === b.includes[i]!.path && quoted === b.includes[i]!.quoted) &&
  a.definitions.length === b.definitions.length &&
  a.definitions.every((one, i) => sameDefinition(one, b.definitions[i]!));

const namesTheSame = (a: Facts, b: Facts): boolean =>
  a.includes.length === b.includes.length &&
  a.includes.every(({ path }, i) => path === b.includes[i]!.path) &&
  a.definitions.length === b.definitions.length &&
  a.definitions.every(({ name }, i) => name === b.definitions[i]!.name);

const sameDefinition = (a: DefinitionFacts, b: DefinitionFacts): boolean =>
  a.name === b.name &&
  a.kind === b.kind &&
  a.line === b.line &&
  a.local === b.local &&
  a.template === b.template &&
  a.params?.join() === b.params?.join() &&
  a.uses.join() === b.uses.join() &&
  a.hits.length === b.hits.length &&
  a.hits.every(({ rule, instruction }, i) => rule === b.hits[i]!.rule && instruction === b.hits[i]!.instruction);
