// What an ELF image says to Xen's domain builder, and what follows from it. Addresses are unsigned 64-bit bigints.

import type { ElfSegment } from '../elf/types.ts';

export type NoteSource = 'pt-note' | 'sht-note' | 'xen-guest-section' | 'none';

/** One note or one item of the `__xen_guest` string. */
export interface XenNote {
  /** 'VIRT_BASE', or 'unknown note 0x20', or the item's own name. */
  readonly name: string;
  /** Note number; null for an item of the string. */
  readonly number: number | null;
  /** Numbers are bigints; strings, feature lists and pairs are text. */
  readonly value: bigint | string;
  /** The value as people read it: `0xffffffff80000000`, `"xen-3.0"`, `writable_page_tables, dom0 (required)`. */
  readonly text: string;
  /** What it tells the builder; empty for unknown ones. */
  readonly meaning: string;
  /** Whether Xen 4.17 looks at it when it builds a PV domain. */
  readonly read: boolean;
}

/** A note of another owner. Xen ignores it. */
export interface ForeignNote {
  readonly owner: string;
  readonly type: number;
  readonly size: number;
}

export type PaeMode = 'no' | 'yes' | 'extended-cr3' | 'bimodal';

/** The values as Xen's builder holds them after reading all notes; absent means unset. */
export interface XenParameters {
  virtBase?: bigint;
  paddrOffset?: bigint;
  entry?: bigint;
  hypercallPage?: bigint;
  initP2m?: bigint;
  hvStartLow?: bigint;
  phys32Entry?: bigint;
  loader: string;
  guestOs: string;
  guestVersion: string;
  xenVersion: string;
  pae: PaeMode;
  bsdSymtab: boolean;
  /** MOD_START_PFN: the ramdisk is not mapped at start. */
  unmappedRamdisk: boolean;
  suspendCancel: boolean;
  /** XENFEAT_* bits of FEATURES and SUPPORTED_FEATURES. */
  readonly supported: Set<number>;
  /** Bits that FEATURES marks with '!'. */
  readonly required: Set<number>;
  hasSupportedFeatures: boolean;
}

export interface LoadedSegment {
  readonly segment: ElfSegment;
  /** Where its first byte is put: p_paddr + VIRT_BASE - PADDR_OFFSET. */
  readonly address: bigint;
  /** Pseudo-physical address: p_paddr - PADDR_OFFSET. */
  readonly physical: bigint;
}

/** Where the builder puts things. Everything is in virtual addresses of the initial mapping. */
export interface XenLayout {
  readonly virtBase: bigint;
  readonly paddrOffset: bigint;
  /** First and one-past-last byte of the loaded image. */
  readonly kernelStart: bigint;
  readonly kernelEnd: bigint;
  readonly entry: bigint;
  /** Start of the page that is filled with stubs, rounded down as the builder does; null: no page. */
  readonly hypercallPage: bigint | null;
  /** Where the frame list is mapped; null: it follows the kernel and the ramdisk. */
  readonly initP2m: bigint | null;
  readonly unmappedRamdisk: boolean;
  readonly segments: readonly LoadedSegment[];
}

export interface Problem {
  /** 'error': Xen refuses the image (or cannot start it). 'warning': it loads, but hardly as meant. 'info': worth knowing. */
  readonly severity: 'error' | 'warning' | 'info';
  readonly text: string;
}

export interface XenNotes {
  readonly source: NoteSource;
  readonly items: readonly XenNote[];
  readonly foreign: readonly ForeignNote[];
  readonly parameters: XenParameters;
  /** null when the notes do not give one (an error in `problems` says why). */
  readonly layout: XenLayout | null;
  readonly problems: readonly Problem[];
  /** What the domain builder will do, one sentence each; empty when it refuses. */
  readonly plan: readonly string[];
}
