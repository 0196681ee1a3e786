// The only place of host/ that touches files: kernels, ramdisks, sources.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { UserError } from './errors.ts';

/** 1 GiB and more is no kernel: it would not fit into a guest, and reading it would only take long. */
const largest = 512 * 1024 * 1024;

export const resolvePath = (path: string, cwd: string): string => (isAbsolute(path) ? normalize(path) : resolve(cwd, path));

/** Reads a kernel or ramdisk. `what` names it in messages: 'kernel "program"'. Throws UserError. */
export function readBinary(path: string, what: string): Uint8Array {
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
  if (size > largest)
    throw new UserError(
      `The ${what} is ${Math.round(size / 1048576)} MiB long: ${path}. At most 512 MiB are read; is this the right file?`,
    );
  try {
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
