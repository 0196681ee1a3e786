// What a linked kernel still holds of sensitive instructions, and whether they can run under Xen. Pure: an ELF file in, findings out.

import type { ElfFile } from '../image/elf/file.ts';
import { ImageError } from '../image/error.ts';
import { Symbolizer } from '../image/symbolizer.ts';
import { xenNotes } from '../image/xen-notes.ts';
import { ROWS } from '../x86/rows.ts';
import { FlowGraph, Reference, type Site } from './flow.ts';
import { type Node, Nodes } from './nodes.ts';
import { type Entries, follow, pointersIn, type Reach } from './reach.ts';
import { type Region, Regions } from './regions.ts';

export interface ScanFinding {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** Intel mnemonic. */
  readonly mnemonic: string;
  readonly rule: string;
  readonly effect: Site['effect'];
  readonly note: string | null;
  /** Innermost function of the source; null without a symbol. */
  readonly function: string | null;
  /** The symbol that it lies in, when inlining put it elsewhere than `function`. */
  readonly inside: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly reach: Reach;
  /** Functions and objects from the Xen entry to it, first and last included. */
  readonly chain: readonly string[];
}

export interface ScanResult {
  /** By address. */
  readonly findings: readonly ScanFinding[];
  /** Where the Xen notes start it; null when there are none, or none that count. */
  readonly xenEntry: bigint | null;
  readonly instructions: number;
  readonly hypercalls: number;
  readonly codeBytes: number;
  /** What of it neither symbols nor flow lead to: padding, data, code of another width. By address. */
  readonly unread: readonly { readonly address: bigint; readonly size: number }[];
  /** What could not be looked at, a sentence each. */
  readonly warnings: readonly string[];
}

/** @throws ImageError when the image has no code. */
export function scanKernel(elf: ElfFile): ScanResult {
  const regions = new Regions(elf);
  const code = regions.list.filter(({ executable }) => executable);
  if (code.length === 0)
    throw new ImageError(
      'malformed',
      'This ELF file has no executable section, so there is nothing to scan. Link the kernel, and give that file.',
    );
  const warnings: string[] = [];
  const nodes = new Nodes(elf, regions);
  const entries = entriesOf(elf, regions, warnings);
  const graph = new FlowGraph(regions, nodes.starts);
  find(graph, nodes, regions, entries);
  const reached = follow(graph, nodes, regions, entries);
  const symbolizer = new Symbolizer(elf);
  const textOf = (node: Node): string => node.name ?? `0x${regions.address(node.first).toString(16)}`;
  const findings = graph.sites
    .sort((a, b) => a.index - b.index)
    .map((site): ScanFinding => {
      const number = nodes.at(site.index);
      const address = regions.address(site.index);
      const region = regions.regionOf(site.index);
      const frame = symbolizer.framesAt(address)[0];
      const symbol = nodes.list[number]!.name;
      // The symbolizer's name for code that has a line and no function.
      const named = frame && frame.function !== '?' ? frame.function : symbol;
      const { rule, effect, note } = site;
      return {
        address,
        bytes: region.bytes.subarray(site.index - region.first, site.index - region.first + site.length),
        mnemonic: ROWS[site.row]!.mnemonic,
        ...{ rule, effect, note },
        function: named,
        inside: symbol !== named ? symbol : null,
        file: frame?.file ?? null,
        line: frame?.line || null,
        reach: reached.of(number),
        chain: reached.chain(number).map((n) => textOf(nodes.list[n]!)),
      };
    });
  return {
    findings,
    xenEntry: entries.xen === null ? null : regions.address(entries.xen),
    instructions: graph.instructions,
    hypercalls: graph.hypercalls,
    codeBytes: code.reduce((sum, { bytes }) => sum + bytes.length, 0),
    unread: code.flatMap((region) => [...graph.unread(region)].map(([first, size]) => ({ address: regions.address(first), size }))),
    warnings: [...warnings, ...symbolizer.warnings],
  };
}

function entriesOf(elf: ElfFile, regions: Regions, warnings: string[]): Entries {
  const notes = xenNotes(elf);
  const find = (address: bigint | undefined): number | null => {
    const index = address === undefined ? -1 : regions.find(regions.number(address));
    return index < 0 ? null : index;
  };
  const xen = notes.source === 'none' ? null : find(notes.layout?.entry ?? notes.parameters.entry);
  if (notes.source === 'none') warnings.push('There are no Xen notes: what can run under Xen is not told apart.');
  else if (xen === null)
    warnings.push('The Xen notes name no entry inside the image: what can run under Xen is not told apart (hyperport notes says more).');
  const others = [find(elf.entry), find(notes.parameters.phys32Entry)];
  return { xen, native: others.filter((entry) => entry !== null && entry !== xen) as number[] };
}

/** All code: entries and function symbols, what flow leaves out of sized functions, what stored addresses lead to. */
function find(graph: FlowGraph, nodes: Nodes, regions: Regions, entries: Entries): void {
  if (entries.xen !== null) graph.follow(entries.xen);
  for (const entry of entries.native) graph.follow(entry);
  const parts = nodes.list.filter(({ executable, name }) => executable && name !== null);
  for (const { first, sized } of parts) if (sized) graph.follow(first);
  for (const { first, end, sized } of parts) if (sized) graph.fill(first, end);
  for (const { first, sized } of parts) if (!sized) graph.guess(first);
  const stored = new Set<number>();
  for (const region of regions.list)
    if (!region.executable) store(stored, nodes, regions, region, region.first, region.first + region.size);
  for (let before = -1; before !== graph.instructions; ) {
    before = graph.instructions;
    followOperands(graph);
    for (const region of regions.list)
      if (region.executable)
        for (const [first, length] of graph.unread(region)) store(stored, nodes, regions, region, first, first + length);
    for (const index of stored) if (graph.guess(index)) stored.delete(index);
  }
  if (nodes.stripped) nodes.callTargets(targets(graph));
}

/** Code whose address is an operand. */
function followOperands(graph: FlowGraph): void {
  const { references } = graph;
  for (let i = 0; i < references.length; i += 3) if (references.at(i + 2) === Reference.address) graph.guess(references.at(i + 1));
}

/** Adds the code whose address is stored between two indexes of a region. */
function store(stored: Set<number>, nodes: Nodes, regions: Regions, region: Region, from: number, to: number): void {
  for (const index of pointersIn(regions, nodes.starts, region, from, to)) if (regions.regionOf(index).executable) stored.add(index);
}

function* targets({ references }: FlowGraph): Generator<number> {
  for (let i = 0; i < references.length; i += 3) if (references.at(i + 2) === Reference.call) yield references.at(i + 1);
}
