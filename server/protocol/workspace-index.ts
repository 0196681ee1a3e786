// The index over the sources of the workspace: built in the background, a file at a time, so that requests get through between files.

import { languageOf } from '../analysis/finding.ts';
import type { Analysed } from '../analysis/project/project.ts';
import { ProjectAnalysis } from '../analysis/project/project.ts';
import type { Grammars } from '../syntax/grammars.ts';
import { type Files, walk } from './files.ts';

const MOST_FILES = 200_000;
/** Characters of sources that are indexed; a tree of more is left without calls across files, since its index would not fit. */
const MOST_TEXT = 400_000_000;

export interface IndexRun {
  readonly roots: readonly string[];
  readonly masm: 'att' | 'intel';
  stopped(): boolean;
  /** The share that is done, from 0 to 1. */
  progress(share: number, files: number): void;
}

export class WorkspaceIndex {
  readonly #grammars: Grammars;
  readonly #files: Files;
  #project: ProjectAnalysis;
  #ready = false;

  constructor(grammars: Grammars, files: Files) {
    this.#grammars = grammars;
    this.#files = files;
    this.#project = new ProjectAnalysis(grammars);
  }

  /** The finished index; null while there is none. */
  get project(): ProjectAnalysis | null {
    return this.#ready ? this.#project : null;
  }

  /** Reads everything anew; answers the files with what each has by itself, or null when it was stopped. The index is replaced at the end. */
  async build({ roots, masm, stopped, progress }: IndexRun): Promise<ReadonlyMap<string, Analysed> | null> {
    const uris: string[] = [];
    for await (const { uri, name } of walk(this.#files, roots, MOST_FILES, stopped)) if (languageOf(name)) uris.push(uri);
    const base = roots.map((root) => (root.endsWith('/') ? root : `${root}/`));
    const project = new ProjectAnalysis(this.#grammars, (uri) => {
      const own = base.find((root) => uri.startsWith(root));
      return own ? decodeURIComponent(uri.slice(own.length)) : uri;
    });
    let size = 0;
    const each = async (from: number, share: number, work: (uri: string, text: string) => void): Promise<void> => {
      for (const [i, uri] of uris.entries()) {
        if (stopped()) return;
        const text = await this.#files.read(uri);
        if (text !== null && size + text.length <= MOST_TEXT) work(uri, text);
        if (i % 16 === 0) progress(from + (share * i) / uris.length, i);
        await new Promise((next) => setImmediate(next));
      }
    };
    await each(0, 0.1, (path, text) => {
      project.outline({ path, text });
      size += text.length;
    });
    size = 0;
    const found = new Map<string, Analysed>();
    await each(0.1, 0.7, (path, text) => {
      const analysed = project.analyse({ path, text, masm }, false);
      if (analysed) found.set(path, analysed);
    });
    if (stopped()) return null;
    this.#project = project;
    this.#ready = true;
    return found;
  }

  /** The workspace's folders changed: what is known is of others. */
  forget(): void {
    this.#ready = false;
  }
}
