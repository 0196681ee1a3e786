// The import rules of ARCHITECTURE.md. `npm run lint` runs them and fails when fewer modules than expected were cruised.
const folders = {
  abi: [],
  x86: [],
  image: [],
  grammars: [],
  explain: ['abi', 'x86', 'image'],
  scan: ['abi', 'x86', 'image'],
  server: ['abi', 'x86', 'image', 'explain', 'grammars'],
  simulator: ['abi', 'x86', 'image', 'explain'],
  host: ['abi', 'x86', 'image', 'explain', 'simulator'],
  'debug-adapter': ['abi', 'x86', 'image', 'explain', 'host'],
  cli: ['abi', 'x86', 'image', 'explain', 'scan', 'grammars', 'server', 'simulator', 'host', 'debug-adapter'],
};
const top = ['abi', 'x86', 'image', 'explain', 'scan', 'grammars', 'server', 'simulator', 'host', 'debug-adapter', 'extension', 'cli'];
const allow = (name, allowed) => ({
  name: `${name}-imports`,
  severity: 'error',
  from: { path: `^${name}/`, pathNot: '\\.test\\.ts$' },
  to: { path: `^(${top.filter((f) => f !== name && !allowed.includes(f)).join('|') || 'none'}|test|scripts)/` },
});

module.exports = {
  forbidden: [
    ...Object.entries(folders).map(([name, allowed]) => allow(name, allowed)),
    {
      name: 'extension-imports',
      severity: 'error',
      comment: 'the extension speaks LSP, DAP and the machine protocol; of host/ it may use types only',
      from: { path: '^extension/' },
      to: { path: '^(x86|image|grammars|server|simulator|debug-adapter|cli|test|scripts)/' },
    },
    {
      name: 'extension-host-types-only',
      severity: 'error',
      from: { path: '^extension/' },
      to: { path: '^host/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'simulator-is-closed',
      severity: 'error',
      comment: 'bytes in, records out: no files, network, timers, editor or DAP below simulator/',
      from: { path: '^(simulator|abi|x86|image|explain|scan)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(node:)?(fs|net|http|https|timers|child_process|worker_threads|os|path)(/|$)|^node_modules/(vscode|@vscode)' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|\\.cache)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.cjs', '.js'] },
  },
};
