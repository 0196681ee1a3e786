// Builds of trees that Debian ships as source only. Each is made once per version, in a folder of its own that takes its place when complete.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { debianRoot, debianSource, ensureDebian, newestSource } from '../debian.mjs';

/** Runs a command; throws with the end of its output when it fails. */
export function command(folder: string, name: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  const result = spawnSync(name, args, { cwd: folder, env, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.status !== 0)
    throw new Error(
      `${name} ${args.join(' ')} in ${folder} ended with ${result.status ?? result.error}:\n${`${result.stdout}${result.stderr}`.slice(-2000)}`,
    );
}

/** Debian's newest source of a package, copied and built once. `build` works in the copy. */
export async function built(
  name: string,
  cache: string,
  say: (line: string) => void,
  build: (folder: string) => Promise<void> | void,
): Promise<{ folder: string; version: string }> {
  const version = await newestSource(name);
  const folder = join(cache, `${name}-${version.replace(':', '_')}`);
  if (existsSync(folder)) return { folder, version };
  const source = await debianSource(name, version);
  const work = `${folder}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  cpSync(source, work, { recursive: true, verbatimSymlinks: true });
  say(`building ${name} ${version}`);
  await build(work);
  renameSync(work, folder);
  return { folder, version };
}

/** Environment with flex, bison and m4 from Debian packages; `folder` takes their links. */
export async function parserTools(folder: string): Promise<NodeJS.ProcessEnv> {
  await ensureDebian(['xen-build']);
  const bin = join(folder, 'tool-bin');
  const libraries = join(folder, 'tool-libraries');
  mkdirSync(bin);
  mkdirSync(libraries);
  for (const tool of ['flex', 'bison', 'm4']) symlinkSync(join(debianRoot, 'usr/bin', tool), join(bin, tool));
  // Only the one library that m4 needs: the unpacked tree has a C library too, which the machine's programs must not take.
  symlinkSync(join(debianRoot, 'usr/lib/x86_64-linux-gnu/libsigsegv.so.2'), join(libraries, 'libsigsegv.so.2'));
  return {
    ...process.env,
    PATH: `${bin}:${process.env.PATH}`,
    LD_LIBRARY_PATH: libraries,
    M4: join(bin, 'm4'),
    BISON_PKGDATADIR: join(debianRoot, 'usr/share/bison'),
  };
}
