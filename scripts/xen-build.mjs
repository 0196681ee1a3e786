// Xen built from Debian's source of the pinned version, with another configuration than Debian's: `pv32` runs 32-bit PV guests, which Debian's own
// refuses; `debug` does too, and says on its console why it refuses a call. `node scripts/xen-build.mjs pv32|debug` prints the image. Never committed.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DebianError, debianRoot, debianSource, derivedCache, ensureDebian, xenVersion } from './debian.mjs';

/** What is put in place of Debian's setting of the same name. */
const variants = {
  pv32: ['CONFIG_PV32=y'],
  debug: ['CONFIG_PV32=y', 'CONFIG_EXPERT=y', 'CONFIG_DEBUG=y', 'CONFIG_VERBOSE_DEBUG=y'],
};

/** Where the variant lies once it is built: the multiboot image; beside it `.syms`, the same with symbols. */
export const builtXen = (variant) => join(derivedCache, `xen-${xenVersion}-${variant}`);

/**
 * Builds the variant unless it is there; 2 minutes on two processors.
 * @param {'pv32' | 'debug'} variant
 * @param {(line: string) => void} print what is being done
 * @returns {Promise<string>} the multiboot image
 */
export async function buildXen(variant, print = () => {}) {
  const image = builtXen(variant);
  if (existsSync(image)) return image;
  print(`Xen ${xenVersion} with ${variants[variant].join(' ')}`);
  await ensureDebian(['xen', 'xen-build']);
  print('fetching its source from Debian');
  const source = await debianSource('xen', xenVersion);
  await mkdir(derivedCache, { recursive: true });
  // One folder per process: two builds at the same time do not meet, and the later one replaces an equal image.
  const folder = join(derivedCache, `build-${variant}-${process.pid}`);
  try {
    print(`building in ${folder}, about 2 minutes`);
    await cp(source, folder, { recursive: true, verbatimSymlinks: true });
    await build(join(folder, 'xen'), variants[variant]);
    await cp(join(folder, 'xen', 'xen-syms'), `${image}.syms`);
    await rename(join(folder, 'xen', 'xen'), image);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  print(`built ${image}`);
  return image;
}

async function build(folder, settings) {
  // Only the one library that m4 needs: the unpacked tree has a C library too, which the machine's programs must not take.
  const libraries = join(folder, '..', 'tool-libraries');
  await mkdir(libraries);
  await symlink(join(debianRoot, 'usr/lib/x86_64-linux-gnu/libsigsegv.so.2'), join(libraries, 'libsigsegv.so.2'));
  const tools = join(debianRoot, 'usr/bin');
  const bin = join(folder, '..', 'tool-bin');
  await mkdir(bin);
  for (const tool of ['flex', 'bison', 'm4']) await symlink(join(tools, tool), join(bin, tool));
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    LD_LIBRARY_PATH: libraries,
    BISON_PKGDATADIR: join(debianRoot, 'usr/share/bison'),
    M4: join(bin, 'm4'),
    LC_ALL: 'C',
  };
  const names = settings.map((setting) => setting.replace(/=.*/, ''));
  const debian = (await readFile(join(debianRoot, 'boot/xen-4.17-amd64.config'), 'utf8')).split('\n');
  const kept = debian.filter((line) => !names.some((name) => new RegExp(`\\b${name}\\b`).test(line)));
  await writeFile(join(folder, '.config'), `${[...kept, ...settings].join('\n')}\n`);
  await make(folder, env, ['XEN_TARGET_ARCH=x86_64', 'olddefconfig']);
  const configured = (await readFile(join(folder, '.config'), 'utf8')).split('\n');
  const lost = settings.filter((setting) => !configured.includes(setting));
  if (lost.length > 0) throw new DebianError(`Xen's configuration does not take ${lost.join(' ')}.`);
  await make(folder, env, ['-j2', 'XEN_TARGET_ARCH=x86_64']);
}

async function make(folder, env, args) {
  const log = join(folder, '..', 'make.log');
  const child = spawn('sh', ['-c', 'exec nice -n 5 make "$@" >>"$0" 2>&1', log, ...args], { cwd: folder, env, stdio: 'ignore' });
  const code = await new Promise((done, failed) => child.on('error', failed).on('close', done));
  if (code === 0) return;
  const tail = (await readFile(log, 'utf8')).trimEnd().split('\n').slice(-15).join('\n');
  throw new DebianError(
    `make ${args.join(' ')} failed (${code}); Xen's build needs gcc, binutils, make, perl and python3. Its last lines:\n${tail}`,
  );
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [variant = ''] = process.argv.slice(2);
  if (!Object.hasOwn(variants, variant)) {
    console.error(`usage: node scripts/xen-build.mjs ${Object.keys(variants).join('|')}`);
    process.exitCode = 2;
  } else {
    try {
      console.log(await buildXen(variant, (line) => console.error(line)));
    } catch (error) {
      if (!(error instanceof DebianError)) throw error;
      console.error(`xen-build: ${error.message}`);
      process.exitCode = 1;
    }
  }
}
