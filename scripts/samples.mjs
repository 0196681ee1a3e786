// Builds the sample kernels with gcc and make. `node scripts/samples.mjs` renews samples/tinykernel/prebuilt and records what built it;
// `node scripts/samples.mjs --into FOLDER` builds elsewhere.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const project = dirname(dirname(fileURLToPath(import.meta.url)));
export const prebuilt = join(project, 'samples/tinykernel/prebuilt');
export const sampleFiles = ['tinykernel-native.elf', 'tinykernel-native-multiboot.elf', 'tinykernel-xen.elf'];

/** gcc and binutils, as they name themselves. */
export function toolVersions() {
  const first = (command) => execFileSync(command, ['--version'], { encoding: 'utf8' }).split('\n')[0];
  return { gcc: first('gcc'), ld: first('ld') };
}

/** Builds every sample into the folder, from scratch. */
export function buildSamples(folder) {
  const objects = mkdtempSync(join(tmpdir(), 'hyperport-samples-'));
  mkdirSync(folder, { recursive: true });
  try {
    for (const kernel of ['native', 'xen']) {
      const sources = join(project, 'samples/tinykernel', kernel);
      execFileSync('make', ['-s', '-B', '-C', sources, `OUT=${resolve(folder)}`, `OBJ=${join(objects, kernel)}`], { stdio: 'pipe' });
    }
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

/** What prebuilt/build.json says. */
export function describeBuild(folder) {
  const sha256 = (file) =>
    createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex');
  return { ...toolVersions(), sha256: Object.fromEntries(sampleFiles.map((file) => [file, sha256(file)])) };
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] === '--into' ? process.argv[3] : prebuilt;
  if (!folder || (process.argv.length > 2 && process.argv[2] !== '--into')) {
    console.error('usage: node scripts/samples.mjs [--into FOLDER]');
    process.exit(2);
  }
  try {
    buildSamples(folder);
  } catch (error) {
    console.error(`samples: the build failed (gcc, binutils and make are needed):\n${error.stderr ?? error.message}`);
    process.exit(1);
  }
  const build = describeBuild(folder);
  writeFileSync(join(folder, 'build.json'), `${JSON.stringify(build, null, 2)}\n`);
  console.log(`samples: ${sampleFiles.length} kernels in ${folder}, by ${build.gcc}`);
}
