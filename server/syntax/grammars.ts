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

/** The parser calls back once for about 16 characters of sound code; a source that needs many times as much is given up. */
const STEPS_AT_LEAST = 50_000;
const STEPS_PER_CHARACTER = 0.2;

/** Parses with a bound on the work, counted in the parser's own steps so that the outcome does not depend on the machine. Null: given up. */
export function parse(parser: Parser, text: string, old: Tree | null = null): Tree | null {
  const limit = STEPS_AT_LEAST + STEPS_PER_CHARACTER * text.length;
  let steps = 0;
  const tree = parser.parse(text, old, { progressCallback: () => ++steps > limit });
  if (!tree) parser.reset();
  return tree;
}
