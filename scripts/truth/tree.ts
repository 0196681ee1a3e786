// What is measured: a tree of sources and the binaries that were made of it.

export interface Binary {
  readonly path: string;
  /** What objdump has to take its code for: 'real' 16-bit, 'mixed' decides by the .code16 and bits lines of the source. */
  readonly code: 'protected' | 'real' | 'mixed';
  /** It was assembled from one file: where each of its lines is from, as JSON of { file, line }. */
  readonly origins?: string;
}

export interface Tree {
  readonly name: string;
  /** Of the package, or what says which sources these are. */
  readonly version: string;
  /** Folder of the sources. */
  readonly root: string;
  readonly binaries: readonly Binary[];
  /** Folder that the recorded paths of the sources begin with, where it is another one. */
  readonly builtIn?: string | RegExp;
  /** Which of the tree's files are measured, by relative path; all when absent. */
  readonly measured?: (file: string) => boolean;
  /** Which files the analyser is given; all when absent. */
  readonly read?: (file: string) => boolean;
}

export interface TreeMaker {
  readonly name: string;
  /** Fetches and builds what is not there yet. `cache`: folder for what is made. */
  make(root: string, cache: string, say: (line: string) => void): Promise<Tree>;
}
