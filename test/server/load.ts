// The grammars for tests, from where npm and the repository have them.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Grammars, loadGrammars } from '../../server/syntax/grammars.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS: Readonly<Record<string, string>> = {
  'web-tree-sitter.wasm': 'node_modules/web-tree-sitter/',
  'tree-sitter-c.wasm': 'node_modules/tree-sitter-c/',
  'tree-sitter-gas.wasm': 'grammars/gas/',
};

let loaded: Promise<Grammars> | null = null;

/** Loaded once per test process. */
export function testGrammars(): Promise<Grammars> {
  loaded ??= loadGrammars((name) => readFile(root + FOLDERS[name] + name));
  return loaded;
}
