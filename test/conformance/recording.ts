// What real Xen printed for an image, kept in recorded/ with the versions it came from.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { xenVersion } from '../../scripts/debian.mjs';
import type { Role } from './compare.ts';
import { conformanceFolder } from './images.ts';

export const regenerate = 'npm run conformance -- --record';

export interface Recorded {
  readonly lines: string[];
  readonly end: string;
}

const fileOf = (image: string, role: Role) => join(conformanceFolder, 'recorded', `${image}-${role}.txt`);

export function writeRecording(image: string, role: Role, run: Recorded): void {
  const head = [
    `# ${image} as ${role} on real Xen ${xenVersion} (Debian) in QEMU, 64 MB, 1 vcpu.`,
    `# Renewed by: ${regenerate}`,
    `# end: ${run.end}`,
  ];
  writeFileSync(fileOf(image, role), `${[...head, ...run.lines].join('\n')}\n`);
}

/** Null when there is none. */
export function readRecording(image: string, role: Role): Recorded | null {
  const file = fileOf(image, role);
  if (!existsSync(file)) return null;
  const all = readFileSync(file, 'utf8').trimEnd().split('\n');
  return {
    lines: all.filter((line) => !line.startsWith('# ')),
    end: all.find((line) => line.startsWith('# end: '))?.slice(7) ?? '',
  };
}
