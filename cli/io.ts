// What every command of the `hyperport` CLI gets and throws, and how a kernel file is read.

import { readFileSync, type Stats, statSync } from 'node:fs';
import { largestKernel, startsLikeKernel } from '../host/files.ts';

export interface CommandIo {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Paths in output are relative to this folder. */
  readonly cwd: string;
  /** Folder that holds the WebAssembly files beside the bundle. */
  readonly assets: string;
}

/** Wrong options or an unreadable path: main prints the message and exits with 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  ENOTDIR: 'a part of the path is no folder',
  EISDIR: 'it is a folder',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GiB',
};

/** Why a file could not be read or written, in words. */
export const reasonOf = (error: unknown): string => {
  const { code } = error as { code?: string };
  return (code !== undefined && REASONS[code]) || code || String(error);
};

/** Throws UsageError for anything that is no plain file: reading a pipe or a device could wait for ever. */
function requireFile(path: string, what: string, folderHint: string): Stats {
  const stat = statSync(path);
  if (stat.isDirectory()) throw new UsageError(`${path} is a folder, not a ${what}. ${folderHint}`);
  if (!stat.isFile()) throw new UsageError(`${path} is no regular file, so it cannot be a ${what}. Copy its contents to a file first.`);
  return stat;
}

/** Reads any file for a command; throws UsageError in words. */
export function readInputFile(path: string, what: string): Uint8Array {
  try {
    requireFile(path, what, 'Name the file itself.');
    return readFileSync(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read the ${what} ${path}: ${reasonOf(error)}.`);
  }
}

/**
 * Reads a kernel image. Looks at the first bytes before the rest, so that a huge file that is no kernel costs nothing.
 * Whether the ELF inside is usable is for image/ and the domain builder to say.
 */
export function readKernelFile(path: string): Uint8Array {
  let size: number;
  let kernelStart: boolean;
  try {
    const stat = requireFile(path, 'kernel', 'Name the ELF file that your link step writes.');
    size = stat.size;
    kernelStart = startsLikeKernel(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read the kernel ${path}: ${reasonOf(error)}.`);
  }
  if (size === 0) throw new UsageError(`${path} is empty. Check that the link step of the kernel's build succeeded.`);
  if (!kernelStart) {
    throw new UsageError(
      `${path} is not a kernel: it starts like no ELF file, bzImage, gzip or xz file. Give the ELF image (vmlinux, not a disk or firmware image).`,
    );
  }
  if (size > largestKernel)
    throw new UsageError(
      `${path} has ${size} bytes, more than the ${largestKernel} that a kernel image may have. Strip it: objcopy --strip-debug.`,
    );
  return readInputFile(path, 'kernel');
}
