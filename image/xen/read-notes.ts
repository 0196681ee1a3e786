// Walks note segments and sections the way Xen's libelf does, so that a note which Xen accepts (also one cut short by its
// segment, as GRUB's 32-bit image has) is accepted here, and one that it overlooks is not seen.

import { Reader, stringAt } from '../bytes.ts';
import type { ElfFile } from '../elf/file.ts';
import { PT_NOTE, SHT_NOTE } from '../elf/names.table.ts';
import { hex } from '../error.ts';
import { describeBits, describeFeatureString } from './features.ts';
import { NOTES, type NoteDefinition } from './notes.table.ts';
import type { ForeignNote, NoteSource, Problem, XenNote } from './types.ts';

/** Xen stops after so many notes and calls the file broken. */
const MAX_NOTES = 65_536;
const MAX_FOREIGN = 64;
const MAX_STRING = 4096;

export interface RawNote {
  readonly number: number;
  readonly definition: NoteDefinition | undefined;
  readonly size: number;
  /** Numeric value as Xen takes it: 0 unless the size is 1, 2, 4 or 8. */
  readonly value: bigint;
  /** String value: up to the first zero byte of the file, whatever the size says. */
  readonly string: string;
  /** SUPPORTED_FEATURES: its first 64-bit word (Xen 4.17 has one sub-map of 32 bits and reads 4-byte units). */
  readonly words: readonly number[];
  /** L1_MFN_VALID: mask and value pairs. */
  readonly pairs: readonly bigint[];
  readonly cut: boolean;
}

export interface NoteWalk {
  readonly source: NoteSource;
  readonly notes: readonly RawNote[];
  readonly foreign: readonly ForeignNote[];
  readonly problems: readonly Problem[];
}

class Walker {
  readonly notes: RawNote[] = [];
  readonly foreign: ForeignNote[] = [];
  readonly problems: Problem[] = [];
  private readonly elf: ElfFile;
  private readonly image: Reader;
  private count = 0;

  constructor(elf: ElfFile) {
    this.elf = elf;
    this.image = new Reader(elf.bytes, 'the notes');
  }

  private number(at: number, size: number): bigint {
    if (![1, 2, 4, 8].includes(size) || at + size > this.elf.bytes.length) return 0n;
    return this.image.at(at).unsigned(size);
  }

  walk(start: number, end: number): void {
    const { bytes } = this.elf;
    for (let at = start; at < end; ) {
      if (this.count >= MAX_NOTES) {
        this.problems.push({
          severity: 'warning',
          text: `There are more than ${MAX_NOTES} notes; Xen reads no more. Check the note sections of the linker script.`,
        });
        return;
      }
      this.count++;
      const nameSize = Number(this.number(at, 4));
      const size = Number(this.number(at + 4, 4));
      const type = Number(this.number(at + 8, 4));
      const nameAt = at + 12;
      const description = nameAt + Math.ceil(nameSize / 4) * 4;
      if (nameAt >= bytes.length) return;
      const owner = stringAt(bytes, nameAt, Math.min(bytes.length, nameAt + 32));
      if (owner === 'Xen') this.notes.push(this.decode(type, description, size, end));
      else if (this.foreign.length < MAX_FOREIGN) this.foreign.push({ owner, type, size });
      at = description + Math.ceil(size / 4) * 4;
    }
  }

  private decode(number: number, at: number, size: number, end: number): RawNote {
    const { bytes, bits } = this.elf;
    const definition = NOTES.find((note) => note.number === number);
    const words: number[] = [];
    if (definition?.kind === 'feature-bits' && size % 4 === 0) words.push(Number(this.number(at, 4)));
    const width = bits / 8;
    const pairs: bigint[] = [];
    if (definition?.kind === 'mask-pairs') {
      for (let i = 0; i + width <= Math.min(size, 256); i += width) pairs.push(this.number(at + i, width));
    }
    return {
      number,
      definition,
      size,
      value: this.number(at, size),
      string: stringAt(bytes, at, Math.min(bytes.length, at + MAX_STRING)),
      words,
      pairs,
      cut: at + size > end,
    };
  }
}

/** All notes with owner "Xen": of the PT_NOTE segments, or of the SHT_NOTE sections when the segments have none. */
export function readNotes(elf: ElfFile): NoteWalk {
  const walker = new Walker(elf);
  for (const segment of elf.segments) {
    if (segment.type !== PT_NOTE) continue;
    if (segment.offset === 0) {
      walker.problems.push({
        severity: 'warning',
        text: `PT_NOTE segment ${segment.index} has file offset 0; Xen takes that for a linker bug and ignores the segment.`,
      });
      continue;
    }
    walker.walk(segment.offset, segment.offset + segment.fileSize);
  }
  let source: NoteSource = walker.notes.length > 0 ? 'pt-note' : 'none';
  if (source === 'none') {
    // Sections often repeat what the segments hold: list the foreign notes once.
    const inSegments = walker.foreign.splice(0);
    for (const section of elf.sections.slice(1)) {
      if (section.type === SHT_NOTE) walker.walk(section.offset, section.offset + section.size);
    }
    if (walker.notes.length > 0) source = 'sht-note';
    if (walker.foreign.length === 0) walker.foreign.push(...inSegments);
  }
  return { source, notes: walker.notes, foreign: walker.foreign, problems: walker.problems };
}

/** A note as it is shown. */
export function present(note: RawNote): XenNote {
  const { definition } = note;
  const base = {
    name: definition?.name ?? `unknown note ${hex(note.number)}`,
    number: note.number,
    meaning: definition?.meaning ?? '',
    read: definition !== undefined && ![0, 13, 14, 18].includes(note.number),
  };
  switch (definition?.kind) {
    case 'string':
      return { ...base, value: note.string, text: JSON.stringify(note.string) };
    case 'features':
      return { ...base, value: note.string, text: `${JSON.stringify(note.string)}: ${describeFeatureString(note.string)}` };
    case 'feature-bits':
      return { ...base, value: note.value, text: `${hex(note.value)}: ${describeBits(note.value)}` };
    case 'mask-pairs': {
      const pairs = [];
      for (let i = 0; i + 1 < note.pairs.length; i += 2) pairs.push(`mask ${hex(note.pairs[i]!)} value ${hex(note.pairs[i + 1]!)}`);
      return { ...base, value: pairs.join(', '), text: pairs.join(', ') || `${note.size} bytes` };
    }
    default:
      return { ...base, value: note.value, text: hex(note.value) };
  }
}
