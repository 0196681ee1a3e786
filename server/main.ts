// The language server's process on Node: stdio, IPC, pipe or socket as the command line says, wasm files beside the bundle.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { nodeFiles } from './protocol/node-files.ts';
import { serve } from './protocol/session.ts';
import { loadGrammars } from './syntax/grammars.ts';

const beside = dirname(process.argv[1] ?? '.');

serve(createConnection(ProposedFeatures.all), {
  files: nodeFiles,
  loadGrammars: (assets) => loadGrammars((name) => readFile(join(assets ?? beside, name))),
});
