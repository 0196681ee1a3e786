// From the paths of debug information to files on this machine and back. Recorded paths are often relative to a build folder
// that exists elsewhere or no more: what they end with is looked for around the kernel.

import { fileExists, foldersAbove, joinPath, resolvePath } from '../files.ts';

export class SourcePaths {
  private readonly program: string;
  private readonly cwd: string;
  private readonly known = new Map<string, string | null>();

  constructor(program: string, cwd: string) {
    this.program = resolvePath(program, cwd);
    this.cwd = cwd;
  }

  /** The file on this machine, null when there is none. */
  local(recorded: string): string | null {
    let found = this.known.get(recorded);
    if (found === undefined) {
      found = this.find(recorded);
      this.known.set(recorded, found);
    }
    return found;
  }

  private find(recorded: string): string | null {
    const absolute = recorded.startsWith('/') || /^[A-Za-z]:/.test(recorded);
    if (absolute && fileExists(recorded)) return recorded;
    const parts = recorded.split('/').filter((p) => p !== '' && p !== '.' && p !== '..');
    const folders = [this.cwd, ...foldersAbove(this.program)];
    // All of the path in every folder first, then ever shorter ends; never the bare name of an absolute path elsewhere.
    const shortest = absolute && parts.length > 1 ? 2 : 1;
    for (let length = parts.length; length >= shortest; length--) {
      const end = parts.slice(-length).join('/');
      for (const folder of folders) if (fileExists(joinPath(folder, end))) return joinPath(folder, end);
    }
    return null;
  }
}
