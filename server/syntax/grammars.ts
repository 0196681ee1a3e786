// The two grammars, loaded once per process from wherever the wasm files are. The only asynchronous part of the analysis.

import { Language, Parser, type Tree } from 'web-tree-sitter';

/** Reads one wasm file by its plain name; a worker fetches it, Node reads it beside the bundle. */
export type ReadWasm = (name: string) => Promise<Uint8Array>;

export interface Grammars {
  readonly c: Parser;
  readonly gas: Parser;
}

/** Loads web-tree-sitter.wasm, tree-sitter-c.wasm and tree-sitter-gas.wasm. Rejects with `read`'s own error. */
export async function loadGrammars(read: ReadWasm): Promise<Grammars> {
  const [runtime, c, gas] = await Promise.all(['web-tree-sitter.wasm', 'tree-sitter-c.wasm', 'tree-sitter-gas.wasm'].map(read));
  await Parser.init({ wasmBinary: runtime });
  const make = async (wasm: Uint8Array): Promise<Parser> => new Parser().setLanguage(await Language.load(wasm));
  return { c: await make(c!), gas: await make(gas!) };
}

/** The parser calls back about every 100 µs of work; a source that needs more than this many calls is given up. */
const PARSE_STEPS = 200_000;

/** Parses with a bound on the work, counted in the parser's own steps so that the outcome does not depend on the machine. Null: given up. */
export function parse(parser: Parser, text: string, old: Tree | null = null): Tree | null {
  let steps = 0;
  const tree = parser.parse(text, old, { progressCallback: () => ++steps > PARSE_STEPS });
  if (!tree) parser.reset();
  return tree;
}
