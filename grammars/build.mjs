// Regenerates the assembly grammar: grammar.js → src/parser.c (tree-sitter of Debian sid) → tree-sitter-gas.wasm (clang-14 of bookworm).
// Maintainers run it after a change of grammar.js and commit all three; builds and tests never do. Nothing is installed: packages are
// fetched with an apt state of its own and unpacked below .cache/grammars. `node grammars/build.mjs`

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(dirname(here), '.cache', 'grammars');
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** sid's tree-sitter needs sid's C library and is started through that library's loader. */
const SUITES = {
  sid: ['tree-sitter-cli', 'libc6', 'libgcc-s1'],
  bookworm: [
    ...['clang-14', 'libclang-cpp14', 'libclang-common-14-dev', 'libllvm14', 'lld-14', 'wasi-libc'],
    ...['libz3-4', 'libxml2', 'libedit2', 'libbsd0', 'libmd0', 'libtinfo6', 'libicu72', 'liblzma5'],
  ],
};

function unpackSuite(suite) {
  const root = join(cache, `${suite}-root`);
  if (existsSync(root)) return root;
  const state = join(cache, `${suite}-apt`);
  for (const folder of ['etc', 'lists/partial', 'archives/partial', 'debs']) mkdirSync(join(state, folder), { recursive: true });
  writeFileSync(
    join(state, 'etc', 'one.sources'),
    `Types: deb\nURIs: http://deb.debian.org/debian\nSuites: ${suite}\nComponents: main\nSigned-By: ${KEYRING}\n`,
  );
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(state, 'etc'),
    'Dir::State::lists': join(state, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': state,
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const debs = join(state, 'debs');
  execFileSync('apt-get', [...options, '-q', 'update'], { stdio: 'inherit' });
  execFileSync('apt-get', [...options, '-q', 'download', ...SUITES[suite]], { stdio: 'inherit', cwd: debs });
  rmSync(`${root}.new`, { recursive: true, force: true });
  for (const deb of readdirSync(debs)) {
    console.log(`unpacking ${deb}`);
    execFileSync('dpkg-deb', ['-x', join(debs, deb), `${root}.new`]);
  }
  // Debian's merged /usr: the packages hold their files below usr/ only, or below both.
  renameSync(`${root}.new`, root);
  return root;
}

function generate(grammar) {
  const root = unpackSuite('sid');
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  const loader = join(libraries, 'ld-linux-x86-64.so.2');
  // The grammar is read with the node that runs this script; HOME keeps tree-sitter's own settings out of the user's.
  execFileSync(loader, ['--library-path', libraries, join(root, 'usr/bin/tree-sitter'), 'generate'], {
    cwd: join(here, grammar),
    stdio: 'inherit',
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: cache },
  });
}

function compile(grammar) {
  const root = unpackSuite('bookworm');
  const env = {
    PATH: '/usr/bin:/bin',
    LD_LIBRARY_PATH: ['usr/lib/x86_64-linux-gnu', 'usr/lib/llvm-14/lib'].map((path) => join(root, path)).join(':'),
  };
  const folder = join(here, grammar);
  const object = join(cache, `${grammar}.o`);
  const wasm = join(folder, `tree-sitter-${grammar}.wasm`);
  // The emscripten triple gives the position-independent code that web-tree-sitter's loader wants; clang 14's wasi triple does not.
  const flags = ['--target=wasm32-unknown-emscripten', '-c', '-fPIC', '-Os', '-fno-exceptions', '-fvisibility=hidden'];
  const includes = ['-isystem', join(root, 'usr/include/wasm32-wasi'), '-I', 'src'];
  execFileSync(join(root, 'usr/bin/clang-14'), [...flags, ...includes, 'src/parser.c', '-o', object], {
    cwd: folder,
    env,
    stdio: 'inherit',
  });
  const link = ['--experimental-pic', '-shared', `--export=tree_sitter_${grammar}`, '--allow-undefined', '--no-entry', '--strip-all'];
  execFileSync(join(root, 'usr/bin/wasm-ld-14'), [...link, object, '-o', wasm], { env, stdio: 'inherit' });
  return wasm;
}

if (!existsSync(KEYRING)) throw new Error('This script needs Debian: its packages are fetched with apt-get and unpacked with dpkg-deb.');
mkdirSync(cache, { recursive: true });
generate('gas');
console.log(`grammars/gas/tree-sitter-gas.wasm: ${statSync(compile('gas')).size} bytes`);
