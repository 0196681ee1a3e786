// Sites of an assembly source: each sensitive instruction, also inside .macro bodies and multi-line #defines.

import type { Node, Parser } from 'web-tree-sitter';
import { macroBody } from '../syntax/c/prepass.ts';
import { allInstructions, dialectAfter, instructionAt, readBytes, readInstruction, type SourceRange } from '../syntax/gas/instructions.ts';
import { parse } from '../syntax/grammars.ts';
import type { Dialect } from '../syntax/instruction.ts';
import { candidates, hasEmulationPrefix, sensitivity } from './sensitive.ts';
import { MOST_SITES, type Site, tooMany } from './site.ts';

interface Mode {
  readonly at: number;
  readonly dialect: Dialect;
  readonly bits: 64 | 32 | 16 | 0;
}

const identity: SourceRange = (start, end) => [start, end];

/** Where .intel_syntax, .att_syntax and .codeNN take effect. */
export function modesOf(text: string): Mode[] {
  const modes: Mode[] = [{ at: 0, dialect: 'att', bits: 0 }];
  for (const match of text.matchAll(/^[ \t]*(?:[\w.$]+:[ \t]*)?(\.(?:intel_syntax|att_syntax|code(16|32|64))\b[^\n;]*)/gm)) {
    const last = modes.at(-1)!;
    modes.push({
      at: match.index,
      dialect: dialectAfter(match[1]!, last.dialect),
      bits: match[2] ? (Number(match[2]) as 16 | 32 | 64) : last.bits,
    });
  }
  return modes;
}

function modeAt(modes: readonly Mode[], offset: number): Mode {
  let mode = modes[0]!;
  for (const next of modes) if (next.at <= offset) mode = next;
  return mode;
}

/** Sites between `from` and `to`, which must be bounds of statements. */
export function gasSites(parser: Parser, root: Node, text: string, modes: readonly Mode[], from: number, to: number): Site[] {
  const sites: Site[] = [];
  let last = -1;
  for (const offset of candidates(text, from, to)) {
    if (offset < last) continue;
    if (sites.length >= MOST_SITES) return [...sites, tooMany(offset)];
    const node = instructionAt(root, offset);
    if (node) {
      const { dialect, bits } = modeAt(modes, node.startIndex);
      const forced = node.text.startsWith('cpuid') && hasEmulationPrefix(text.slice(Math.max(0, node.startIndex - 80), node.startIndex));
      const site = forced ? null : siteOf(node, dialect, bits, identity);
      if (site) sites.push(site);
      else if (!forced) sites.push(...argumentSites(parser, text, node, offset, { at: offset, dialect, bits }));
      last = Math.max(offset + 1, sites.at(-1)?.end ?? 0);
      continue;
    }
    const define = root.descendantForIndex(offset);
    if (define?.type === 'cpp_define') {
      sites.push(...defineSites(parser, text, define, modeAt(modes, offset)));
      last = define.endIndex;
    }
  }
  return sites;
}

function siteOf(node: Node, dialect: Dialect, codeBits: 64 | 32 | 16 | 0, range: SourceRange): Site | null {
  const instruction = node.type === 'directive' ? readBytes(node, range) : readInstruction(node, dialect, range);
  const sensitive = instruction && sensitivity(instruction);
  if (!instruction || !sensitive) return null;
  return { start: instruction.start, end: instruction.end, hits: [{ instruction, sensitive }], idioms: [], codeBits, warnings: [] };
}

/**
 * An instruction that is an argument of a macro in capitals: `ALTERNATIVE "", clac, FEATURE`, `ALTERNATIVE "jmp 1f", "swapgs; lfence"`. `offset`: where its
 * name stands.
 */
function argumentSites(parser: Parser, text: string, node: Node, offset: number, { dialect, bits }: Mode): Site[] {
  const name = /^[A-Z_][A-Z0-9_]+(?=[\s(])/.exec(node.text)?.[0];
  if (!name || offset <= node.startIndex + name.length) return [];
  const quote = text.lastIndexOf('"', offset - 1);
  const comma = Math.max(text.lastIndexOf(',', offset - 1), node.startIndex + name.length);
  const quoted = quote > comma;
  const start = quoted ? quote + 1 : comma + 1;
  const stop = quoted ? text.indexOf('"', offset) : Math.min(...[text.indexOf(',', offset), node.endIndex].filter((at) => at > 0));
  if (stop <= offset || stop > node.endIndex) return [];
  const tree = parse(parser, `${text.slice(start, stop).replace(/\)\s*$/, ' ')}\n`);
  if (!tree) return [];
  const shift: SourceRange = (from, to) => [from + start, to + start];
  const found = allInstructions(tree.rootNode, dialect, shift).flatMap((instruction): Site[] => {
    const sensitive = instruction.start >= offset ? sensitivity(instruction) : null;
    if (!sensitive) return [];
    return [
      { start: instruction.start, end: instruction.end, hits: [{ instruction, sensitive }], idioms: [], codeBits: bits, warnings: [] },
    ];
  });
  tree.delete();
  return found;
}

/** The body of a #define, read as statements of its own. */
function defineSites(parser: Parser, text: string, define: Node, { dialect, bits }: Mode): Site[] {
  const whole = text.slice(define.startIndex, define.endIndex);
  const head = /^#[ \t]*define[ \t]+\w+(\([^)]*\))?/.exec(whole);
  if (!head) return [];
  const base = define.startIndex + head[0].length;
  const body = macroBody(whole.slice(head[0].length));
  const tree = parse(parser, `${body}\n`);
  if (!tree) return [];
  const shift: SourceRange = (start, end) => [start + base, end + base];
  const sites = candidates(body).flatMap((offset) => {
    const node = instructionAt(tree.rootNode, offset);
    const site = node && siteOf(node, dialect, bits, shift);
    return site && site.start === offset + base ? [site] : [];
  });
  tree.delete();
  return sites;
}
