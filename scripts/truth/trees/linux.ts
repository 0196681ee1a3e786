// Linux's arch/x86 as Debian builds it, with the vmlinux of the package with debug information.

import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { debianRoot, debianVersions, ensureDebian } from '../../debian.mjs';
import { command } from '../build.ts';
import type { TreeMaker } from '../tree.ts';

const PACKAGE = 'linux-source-6.1';
const FOLDERS = ['arch/x86', 'include', 'kernel', 'mm', 'lib', 'init', 'drivers/xen'];

export const linux: TreeMaker = {
  name: 'linux-6.1',
  async make(_root, cache, say) {
    await ensureDebian([PACKAGE]);
    say('fetching the kernel with debug information: 0.9 GB, once');
    await ensureDebian(['linux-image-amd64-dbg']);
    const versions = await debianVersions();
    const version = versions[PACKAGE]!;
    const boot = join(debianRoot, 'usr/lib/debug/boot');
    const image = Object.keys(versions).find((name) => /^linux-image-.*-amd64-dbg$/.test(name) && versions[name] === version);
    if (!image)
      throw new Error(
        `${PACKAGE} is ${version}, and no kernel with debug information of that version is unpacked. Remove .cache/debian/state.json and run again.`,
      );
    const vmlinux = readdirSync(boot).find((file) => file === `vmlinux-${image.slice('linux-image-'.length, -'-dbg'.length)}`);
    if (!vmlinux) throw new Error(`${image} has no vmlinux below ${boot}.`);
    const folder = join(cache, `${PACKAGE}-${version}`);
    if (!existsSync(folder)) {
      mkdirSync(`${folder}.new`, { recursive: true });
      const members = FOLDERS.map((name) => `${PACKAGE}/${name}/*`);
      command(cache, 'tar', [
        '-xJf',
        join(debianRoot, 'usr/src', `${PACKAGE}.tar.xz`),
        '-C',
        `${folder}.new`,
        '--strip-components=1',
        '--wildcards',
        ...members,
      ]);
      renameSync(`${folder}.new`, folder);
    }
    return {
      name: 'linux-6.1',
      version,
      root: folder,
      // Relative paths begin in the folder of the build, absolute ones may.
      builtIn:
        /^(?:\/build\/reproducible-path\/linux-[^/]+\/)?debian\/build\/build_[^/]+(?=\/)|^\/build\/reproducible-path\/linux-[^/]+(?=\/)/,
      binaries: [{ path: join(boot, vmlinux), code: 'protected' }],
      measured: (file) => file.startsWith('arch/x86/'),
    };
  },
};
