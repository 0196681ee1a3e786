// Xen's public headers, from Debian's libxen-dev unpacked beside the project.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebian } from '../../scripts/debian.mjs';

/** The include folder; throws with the reason when the package cannot be had. */
export async function xenHeaders(): Promise<string> {
  const include = join(await ensureDebian(['libxen-dev']), 'usr/include');
  if (!existsSync(join(include, 'xen/xen.h'))) throw new Error(`libxen-dev was unpacked but ${include}/xen/xen.h is not there`);
  return include;
}
