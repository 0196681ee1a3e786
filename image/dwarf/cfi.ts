// Call frame information (.debug_frame, .eh_frame): common and per-function entries, found by address.

import { Reader, stringAt } from '../bytes.ts';
import { hex, ImageError } from '../error.ts';
import { readOffset } from './forms.ts';
import type { DwarfSections } from './sections.ts';

export interface CommonEntry {
  readonly codeAlignment: number;
  readonly dataAlignment: number;
  readonly returnRegister: number;
  readonly addressSize: number;
  readonly offsetSize: number;
  /** DW_EH_PE_* encoding of addresses in the function entries; 0 is absolute. */
  readonly encoding: number;
  readonly hasAugmentationData: boolean;
  /** The frame is that of an interrupt or exception: its pc is no return address. */
  readonly signal: boolean;
  readonly instructions: Uint8Array;
}

export interface FunctionEntry {
  readonly common: CommonEntry;
  readonly low: bigint;
  readonly high: bigint;
  readonly instructions: Uint8Array;
}

const PE_OMIT = 0xff;

/** Reads a pointer in an .eh_frame encoding (LSB, chapter 10.5). Indirect ones are not followed. */
function readEncoded(r: Reader, encoding: number, addressSize: number, sectionAddress: bigint): bigint {
  if (encoding === PE_OMIT) return 0n;
  const at = sectionAddress + BigInt(r.offset);
  const sizes: Readonly<Record<number, () => bigint>> = {
    0: () => r.unsigned(addressSize),
    1: () => r.uleb64(),
    2: () => r.unsigned(2),
    3: () => r.unsigned(4),
    4: () => r.unsigned(8),
    8: () => r.signed(addressSize),
    9: () => r.sleb64(),
    10: () => r.signed(2),
    11: () => r.signed(4),
    12: () => r.signed(8),
  };
  const read = sizes[encoding & 0x0f];
  if (!read)
    throw new ImageError('malformed', `.eh_frame uses the unknown pointer encoding ${hex(encoding)}. The file is damaged: build it again.`);
  const value = read();
  return BigInt.asUintN(addressSize * 8, (encoding & 0x70) === 0x10 ? value + at : value);
}

class FrameSection {
  private readonly bytes: Uint8Array;
  private readonly name: string;
  private readonly eh: boolean;
  private readonly address: bigint;
  private readonly addressSize: number;
  private readonly commons = new Map<number, CommonEntry | null>();

  constructor(bytes: Uint8Array, name: string, address: bigint, addressSize: number) {
    this.bytes = bytes;
    this.name = name;
    this.eh = name === '.eh_frame';
    this.address = address;
    this.addressSize = addressSize;
  }

  /** Header of the entry at `offset`: a reader behind the length, bounded by the entry. */
  private open(offset: number): { r: Reader; offsetSize: number; end: number } {
    const r = new Reader(this.bytes, this.name, offset);
    let length: number = r.u32();
    let offsetSize = 4;
    if (length === 0xffffffff) {
      length = r.size64();
      offsetSize = 8;
    }
    const end = r.offset + length;
    if (end > this.bytes.length) {
      throw new ImageError(
        'malformed',
        `${this.name} has an entry at ${hex(offset)} that ends outside of the section. The file is damaged: build it again.`,
      );
    }
    r.end = end;
    return { r, offsetSize, end };
  }

  private common(offset: number): CommonEntry | null {
    const cached = this.commons.get(offset);
    if (cached !== undefined) return cached;
    this.commons.set(offset, null);
    const { r, offsetSize } = this.open(offset);
    readOffset(r, offsetSize);
    const version = r.u8();
    const augmentation = stringAt(this.bytes, r.offset, r.end);
    r.string();
    let addressSize = this.addressSize;
    if (version >= 4) {
      addressSize = r.u8();
      r.u8();
    }
    if (augmentation === 'eh') r.skip(addressSize);
    const codeAlignment = r.uleb();
    const dataAlignment = r.sleb();
    const returnRegister = version === 1 ? r.u8() : r.uleb();
    let encoding = 0;
    // gas writes "S" alone into .debug_frame, compilers write "zRS" into .eh_frame.
    const signal = augmentation.includes('S');
    const hasAugmentationData = augmentation.startsWith('z');
    if (hasAugmentationData) {
      const length = r.uleb();
      const end = r.offset + length;
      for (const letter of augmentation.slice(1)) {
        if (letter === 'R') encoding = r.u8();
        else if (letter === 'L') r.u8();
        else if (letter === 'P') readEncoded(r, r.u8(), addressSize, this.address);
        else if (letter !== 'S' && letter !== 'B') break;
      }
      r.offset = r.at(end).offset;
    }
    const entry: CommonEntry = {
      codeAlignment,
      dataAlignment,
      returnRegister,
      addressSize,
      offsetSize,
      encoding,
      hasAugmentationData,
      signal,
      instructions: r.block(r.end - r.offset),
    };
    this.commons.set(offset, entry);
    return entry;
  }

  private functionEntry(r: Reader, common: CommonEntry): FunctionEntry {
    const low = readEncoded(r, common.encoding, common.addressSize, this.address);
    const length = readEncoded(r, common.encoding & 0x0f, common.addressSize, 0n);
    if (common.hasAugmentationData) r.skip(r.uleb());
    return { common, low, high: low + length, instructions: r.block(r.end - r.offset) };
  }

  /** All function entries; reading stops at the first damaged one. */
  read(into: FunctionEntry[]): void {
    for (let at = 0; at + 4 <= this.bytes.length; ) {
      const { r, offsetSize, end } = this.open(at);
      at = end;
      if (r.atEnd) continue; // a terminator; other objects' entries may follow
      const field = r.offset;
      const id = readOffset(r, offsetSize);
      const isCommon = this.eh ? id === 0 : offsetSize === 8 ? id >= 2 ** 63 : id === 0xffffffff;
      if (isCommon) continue;
      const common = this.common(this.eh ? field - id : id);
      if (!common) continue;
      const entry = this.functionEntry(r, common);
      if (entry.high > entry.low) into.push(entry);
    }
  }
}

export class CallFrameInformation {
  private readonly sections: DwarfSections;
  private readonly attempt: (read: () => void) => void;
  private entries: FunctionEntry[] | undefined;

  constructor(sections: DwarfSections, attempt: (read: () => void) => void) {
    this.sections = sections;
    this.attempt = attempt;
  }

  private load(): FunctionEntry[] {
    const entries: FunctionEntry[] = [];
    const size = this.sections.elf.bits / 8;
    // .debug_frame first: the sort is stable, so of two entries for one address it wins.
    this.attempt(() => new FrameSection(this.sections.debug('frame'), '.debug_frame', 0n, size).read(entries));
    this.attempt(() => {
      const address = this.sections.elf.section('.eh_frame')?.address ?? 0n;
      new FrameSection(this.sections.get('.eh_frame'), '.eh_frame', address, size).read(entries);
    });
    return entries.sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0));
  }

  all(): readonly FunctionEntry[] {
    this.entries ??= this.load();
    return this.entries;
  }

  /** The entry of the function that covers an address. */
  at(address: bigint): FunctionEntry | undefined {
    const entries = this.all();
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (entries[middle]!.low <= address) low = middle + 1;
      else high = middle;
    }
    // Of several with one start (both sections), the first; a damaged table may nest, so look a little further back.
    let found: FunctionEntry | undefined;
    for (let i = low - 1; i >= 0 && i >= low - 8; i--) {
      const entry = entries[i]!;
      if (found && entry.low !== found.low) break;
      if (address < entry.high) found = entry;
    }
    return found;
  }
}
