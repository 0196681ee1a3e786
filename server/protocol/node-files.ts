// Files of Node behind the server's one door to files.

import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { FileEntry, Files } from './files.ts';

const pathOf = (uri: string): string | null => {
  try {
    return uri.startsWith('file:') ? fileURLToPath(uri) : null;
  } catch {
    return null;
  }
};

export const nodeFiles: Files = {
  async list(uri) {
    const path = pathOf(uri);
    if (path === null) return [];
    try {
      const entries = await readdir(path, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile() || entry.isDirectory())
        .map((entry): FileEntry => ({ uri: pathToFileURL(join(path, entry.name)).href, name: entry.name, folder: entry.isDirectory() }));
    } catch {
      return [];
    }
  },
  async read(uri, limit) {
    const path = pathOf(uri);
    if (path === null) return null;
    try {
      const file = await open(path);
      try {
        const size = Math.min((await file.stat()).size, limit ?? Number.POSITIVE_INFINITY);
        const bytes = Buffer.alloc(size);
        const { bytesRead } = await file.read(bytes, 0, size, 0);
        return bytes.toString('utf8', 0, bytesRead).replace(/^\uFEFF/, '');
      } finally {
        await file.close();
      }
    } catch {
      return null;
    }
  },
};
