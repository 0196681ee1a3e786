// What the host knows of the kernel's code: image/'s symbolizer, the hypercall page that has no debug information, and where
// the sources are on this machine.

import { hypercallByNumber } from '../../abi/hypercalls.ts';
import type { ElfFile } from '../../image/elf/file.ts';
import { type SourceFrame, Symbolizer } from '../../image/symbolizer.ts';
import type { SourceLocation } from '../protocol.ts';
import type { StepLine, StepSymbols } from '../stepping/drives.ts';
import { SourcePaths } from './source-paths.ts';

const pageSize = 4096n;
export const stubSize = 32;

export interface SymbolOptions {
  readonly program: string;
  readonly cwd: string;
  readonly sourceMap: Readonly<Record<string, string>>;
}

export class GuestSymbols implements StepSymbols {
  readonly symbolizer: Symbolizer;
  readonly paths: SourcePaths;
  /** Address of the hypercall page, asked for each time: a kernel may have none, or move it. */
  private readonly hypercallPage: () => bigint | null;

  constructor(elf: ElfFile, options: SymbolOptions, hypercallPage: () => bigint | null) {
    const substitutions = Object.entries(options.sourceMap).map(([from, to]) => ({
      from: from.replace(/\/+$/, ''),
      to: to.replace(/\/+$/, ''),
    }));
    this.symbolizer = new Symbolizer(elf, { substitutions });
    this.paths = new SourcePaths(options.program, options.cwd);
    this.hypercallPage = hypercallPage;
  }

  get warnings(): readonly string[] {
    if (!this.symbolizer.hasDebugInfo)
      return ['The kernel has no debug information, so there are no source lines and variables. Build it with -g and do not strip it.'];
    return this.symbolizer.warnings;
  }

  /** The file on this machine, else the recorded path. */
  localPath(recorded: string): string {
    return this.paths.local(recorded) ?? recorded;
  }

  /** Recorded files that an editor's path means: those that are this file here, else those with the same end. */
  recordedFiles(path: string): readonly string[] {
    const { lines } = this.symbolizer;
    const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
    const exact = lines.files().filter((file) => file.endsWith(name) && this.paths.local(file) === path);
    return exact.length ? exact : lines.matchFile(path);
  }

  isStub(address: bigint): boolean {
    return this.stubAt(address) !== null;
  }

  /** The stub of the hypercall page that an address is in: its call's number and the offset in the stub. */
  stubAt(address: bigint): { readonly nr: number; readonly offset: number } | null {
    const page = this.hypercallPage();
    if (page === null || address < page || address >= page + pageSize) return null;
    const offset = Number(address - page);
    return { nr: Math.floor(offset / stubSize), offset: offset % stubSize };
  }

  stubName(nr: number): string {
    return `hypercall_page: ${hypercallByNumber(nr)?.name ?? `hypercall ${nr}`}`;
  }

  lineAt(address: bigint): StepLine | null {
    if (this.isStub(address)) return null;
    const row = this.symbolizer.lineAt(address);
    if (!row) return null;
    const frames = this.shownFrames(address);
    const { file, line } = frames[0]?.file && frames[0].line ? frames[0] : row;
    const inlineDepth = frames.filter((f) => f.isInlined).length;
    const isStart = row.isStatement && row.low === address;
    return { file: file ?? row.file, line, function: this.symbolizer.functionAt(address)?.low ?? row.low, inlineDepth, isStart };
  }

  /** The functions at an address, without inlined ones that have not begun: at their first instruction a person sees the caller's line. */
  shownFrames(address: bigint): readonly SourceFrame[] {
    const frames = this.symbolizer.framesAt(address);
    const begun = frames.findIndex((frame) => !frame.isAtEntry);
    return begun > 0 ? frames.slice(begun) : frames;
  }

  /** The line of one of the functions at an address: 0 the innermost inlined one. */
  lineOfFrame(address: bigint, inlineLevel: number): Omit<StepLine, 'inlineDepth'> | null {
    const frame = this.symbolizer.framesAt(address)[inlineLevel];
    if (!frame?.file) return null;
    return { file: frame.file, line: frame.line, function: this.symbolizer.functionAt(address)?.low ?? address, isStart: false };
  }

  afterPrologue(entry: bigint): bigint {
    return this.symbolizer.bodyOf(entry);
  }

  functionAt(address: bigint): { readonly low: bigint; readonly high: bigint } | null {
    return this.symbolizer.functionAt(address) ?? null;
  }

  /** The innermost place of an address, with the file as it is on this machine. */
  locate(address: bigint): SourceLocation {
    const stub = this.stubAt(address);
    if (stub) return { function: this.stubName(stub.nr), offset: stub.offset, file: null, line: null };
    const [frame] = this.shownFrames(address);
    const low = this.symbolizer.functionAt(address)?.low;
    return {
      function: frame?.function ?? null,
      offset: low === undefined ? null : Number(address - low),
      file: frame?.file ? this.localPath(frame.file) : null,
      line: frame?.line ? frame.line : null,
    };
  }

  /** `name+16`; null outside of the image. */
  nameAt(address: bigint): string | null {
    const stub = this.stubAt(address);
    if (stub) return `${this.stubName(stub.nr)}+${stub.offset}`;
    return this.symbolizer.symbolText(address) ?? null;
  }

  /** `name+16`, or the address alone. */
  describe(address: bigint): string {
    return this.nameAt(address) ?? `0x${address.toString(16)}`;
  }
}
