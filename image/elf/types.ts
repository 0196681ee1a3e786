// The shapes of a parsed ELF file. Addresses are 64-bit unsigned bigints, file offsets and sizes in bytes are numbers.

export interface ElfSegment {
  readonly index: number;
  /** p_type, for example PT_LOAD. */
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly virtualAddress: bigint;
  readonly physicalAddress: bigint;
  readonly fileSize: number;
  readonly memorySize: bigint;
  readonly align: bigint;
}

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: bigint;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entrySize: number;
}

export type SymbolKind = 'none' | 'data' | 'function' | 'section' | 'file' | 'other';

export interface ElfSymbol {
  readonly name: string;
  readonly address: bigint;
  readonly size: bigint;
  readonly kind: SymbolKind;
  readonly binding: 'local' | 'global' | 'weak';
  /** Section header index; 0 undefined, 0xfff1 absolute. */
  readonly section: number;
}
