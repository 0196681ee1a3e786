// The one door to files: a worker of VS Code for the Web has another implementation than Node.

export interface FileEntry {
  readonly uri: string;
  readonly name: string;
  readonly folder: boolean;
}

export interface Files {
  /** Entries of a folder, links to folders and hidden entries left out; empty when it cannot be read. */
  list(uri: string): Promise<readonly FileEntry[]>;
  /** Text of a file as UTF-8, at most `limit` bytes of it; null when it cannot be read. */
  read(uri: string, limit?: number): Promise<string | null>;
}

const SKIPPED = /^(\.|node_modules$)/;

/** Every file below the folders, breadth first, at most `most`. `stopped` is asked between folders. */
export async function* walk(files: Files, roots: readonly string[], most: number, stopped: () => boolean): AsyncGenerator<FileEntry> {
  const pending = [...roots];
  let seen = 0;
  for (let at = pending.shift(); at !== undefined && !stopped(); at = pending.shift()) {
    for (const entry of await files.list(at)) {
      if (SKIPPED.test(entry.name)) continue;
      if (entry.folder) pending.push(entry.uri);
      else {
        yield entry;
        if (++seen >= most) return;
      }
    }
  }
}
