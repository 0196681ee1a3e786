// The only place of host/ that touches files: kernels, ramdisks, sources.

import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { UserError } from './errors.ts';

/** A kernel with all its debug information has about 650 MB; more would only take long to read. */
export const largestKernel = 2 ** 30;

/** What can be a kernel by its first bytes: ELF, gzip, xz, or the header of a bzImage. */
export function startsLikeKernel(path: string): boolean {
  const head = new Uint8Array(4);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  const [a, b, c, d] = head;
  const is = (...magic: number[]): boolean => magic.every((byte, i) => byte === [a, b, c, d][i]);
  return is(0x7f, 0x45, 0x4c, 0x46) || is(0x1f, 0x8b) || is(0xfd, 0x37, 0x7a, 0x58) || is(0x4d, 0x5a);
}

export const resolvePath = (path: string, cwd: string): string => (isAbsolute(path) ? normalize(path) : resolve(cwd, path));

/** Reads a kernel or ramdisk. `what` names it in messages: 'kernel "program"'. A kernel's first bytes are looked at before the rest. Throws UserError. */
export function readBinary(path: string, what: string, isKernel = false): Uint8Array {
  let size: number;
  try {
    const status = statSync(path);
    if (status.isDirectory()) throw new UserError(`The ${what} is a directory: ${path}. Give the file itself.`);
    if (!status.isFile()) throw new UserError(`The ${what} is not a regular file: ${path}. Give an ordinary file.`);
    size = status.size;
  } catch (error) {
    throw unreadable(error, path, what);
  }
  if (size === 0) throw new UserError(`The ${what} is empty: ${path}. Build it again.`);
  try {
    if (isKernel && !startsLikeKernel(path)) {
      throw new UserError(
        `The ${what} is no kernel: ${path} starts like no ELF file, bzImage, gzip or xz file. Give the ELF image of the port.`,
      );
    }
    if (size > largestKernel) {
      throw new UserError(
        `The ${what} is ${Math.round(size / 1048576)} MiB long: ${path}. At most 1024 MiB are read; objcopy --strip-debug makes it smaller.`,
      );
    }
    return readFileSync(path);
  } catch (error) {
    throw unreadable(error, path, what);
  }
}

function unreadable(error: unknown, path: string, what: string): UserError {
  if (error instanceof UserError) return error;
  const code = (error as { code?: string }).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new UserError(`There is no ${what} at ${path}. Build it, or correct the path.`);
  if (code === 'EACCES' || code === 'EPERM') return new UserError(`The ${what} cannot be read, permission denied: ${path}.`);
  return new UserError(`The ${what} cannot be read: ${path} (${code ?? String(error)}).`);
}

/** Text of a source file, null when it cannot be read. */
export function readSource(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

export const fileExists = (path: string): boolean => existsSync(path);

/** The folder of a file and all above it, nearest first. */
export function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    folders.push(folder);
    if (dirname(folder) === folder) return folders;
  }
}

export const joinPath = (folder: string, rest: string): string => join(folder, rest);
