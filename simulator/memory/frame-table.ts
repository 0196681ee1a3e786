// The frame table: owner, type and counts of every machine frame, as Xen keeps them per page. Structure of arrays, indexed by
// the frame's index in RAM. Only memory/page-types.ts and memory/allocate.ts change it.

import type { Mfn } from '../../abi/address.ts';
import type { FrameFact } from '../../abi/refusal.ts';
import type { Ram } from './ram.ts';

export const FrameType = { none: 0, l1: 1, l2: 2, l3: 3, l4: 4, segDesc: 5, shared: 6, writable: 7 } as const;
export type FrameTypeValue = (typeof FrameType)[keyof typeof FrameType];
/** Type of a table of each level. */
export const TABLE_TYPE = [FrameType.none, FrameType.l1, FrameType.l2, FrameType.l3, FrameType.l4] as const;
export const isTable = (type: number): boolean => type >= FrameType.l1 && type <= FrameType.l4;
export const TYPE_NAMES = ['none', 'l1', 'l2', 'l3', 'l4', 'seg_desc', 'shared', 'writable'] as const;

export const FLAG_PINNED = 1;
export const FLAG_VALIDATED = 2;
/** The allocation itself holds one of the references (Xen's PGC_allocated). */
export const FLAG_ALLOCATED = 4;
/** A page of Xen's heap that is shared with a guest: shared_info, grant frames. */
export const FLAG_SPECIAL = 8;
/** The level 2 table behind the fourth level 3 entry of a 32-bit guest (Xen's PGT_pae_xen_l2). */
export const FLAG_XEN_L2 = 16;
/** A table that is partly audited or partly taken apart. It holds a reference of its own. */
export const FLAG_PARTIAL = 32;

/** Owner of free frames. */
export const NOBODY = 0xffff;
/** I/O memory (DOMID_IO), as which the first MiB counts. */
export const OWNER_IO = 0x7ff1;
/** Xen itself (DOMID_XEN). */
export const OWNER_XEN = 0x7ff2;

const FIRST_MIB = 0x100;

export class FrameTable {
  readonly ram: Ram;
  readonly owner: Uint16Array;
  readonly type: Uint8Array;
  readonly flags: Uint8Array;
  readonly typeCount: Uint32Array;
  readonly references: Uint32Array;
  /** Above 0: linear entries in this table; below 0: uses of it as a linear table. */
  readonly linear: Int16Array;
  /** A partial table: entries 0 to n-1 hold references. */
  readonly entriesHeld: Uint16Array;
  /** Not 0: entry n of it, the next one, is itself partial and holds a reference. */
  readonly nextHeld: Uint8Array;
  /** Frames of the host; those outside `ram` belong to others. */
  hostFrames: number;
  /** Whose those are: domain 0's, unless that is the guest. */
  ownerElsewhere = 0;
  /** When the frame got the type it has (its type count left 0), and by which call: index into `calls`. */
  readonly since: Float64Array;
  readonly by: Uint16Array;
  readonly pinnedSince: Float64Array;
  readonly pinnedBy: Uint16Array;
  /** M2P: index 0.. as RAM; -1 for none. */
  readonly m2p: Float64Array;
  private readonly calls: string[] = ['the domain builder'];
  private readonly callIndex = new Map<string, number>([['the domain builder', 0]]);
  private currentCall = 0;
  private currentIcount = 0;

  constructor(ram: Ram) {
    this.ram = ram;
    this.owner = new Uint16Array(ram.frames).fill(NOBODY);
    this.type = new Uint8Array(ram.frames);
    this.flags = new Uint8Array(ram.frames);
    this.typeCount = new Uint32Array(ram.frames);
    this.references = new Uint32Array(ram.frames);
    this.linear = new Int16Array(ram.frames);
    this.entriesHeld = new Uint16Array(ram.frames);
    this.nextHeld = new Uint8Array(ram.frames);
    this.hostFrames = ram.base + ram.frames;
    this.since = new Float64Array(ram.frames);
    this.by = new Uint16Array(ram.frames);
    this.pinnedSince = new Float64Array(ram.frames);
    this.pinnedBy = new Uint16Array(ram.frames);
    this.m2p = new Float64Array(ram.frames).fill(-1);
  }

  /** A frame of Xen that privileged domains may map, but not writable: in use as nothing. */
  shareReadOnly(index: number): void {
    this.references[index] = 1;
    this.typeCount[index] = 1;
    this.flags[index] = FLAG_VALIDATED;
  }

  /** Is the frame in use as what its type says, fully audited? */
  usable(index: number): boolean {
    return this.typeCount[index]! > 0 && (this.flags[index]! & FLAG_VALIDATED) !== 0;
  }

  /** Names the call on whose behalf references are taken from now on, for explanations. */
  attribute(call: string, icount: number): void {
    let at = this.callIndex.get(call);
    if (at === undefined) {
      at = this.calls.length;
      this.calls.push(call);
      this.callIndex.set(call, at);
    }
    this.currentCall = at;
    this.currentIcount = icount;
  }

  stamp(index: number): void {
    this.since[index] = this.currentIcount;
    this.by[index] = this.currentCall;
  }

  stampPin(index: number): void {
    this.pinnedSince[index] = this.currentIcount;
    this.pinnedBy[index] = this.currentCall;
  }

  /** The first MiB. */
  low(mfn: number): boolean {
    return mfn < FIRST_MIB;
  }

  /** RAM of the host that belongs to Xen or another domain. The first MiB counts as a device's. */
  elsewhere(mfn: number): boolean {
    return mfn >= FIRST_MIB && mfn < this.hostFrames && !this.ram.valid(mfn);
  }

  /** What is known of a frame, for a refusal. Works for numbers that are no frame at all. */
  fact(mfn: Mfn): FrameFact {
    const hex = `0x${mfn.toString(16)}`;
    if (this.elsewhere(mfn)) return { mfn: hex, owner: this.ownerElsewhere, type: 'none', typeCount: 0, references: 1 };
    if (!this.ram.valid(mfn)) return { mfn: hex, type: 'no RAM', typeCount: 0, references: 0 };
    const i = this.ram.index(mfn);
    const flags = this.flags[i]!;
    const pinned = (flags & FLAG_PINNED) !== 0;
    const pfn = this.m2p[i]!;
    return {
      mfn: hex,
      ...(pfn >= 0 ? { pfn: `0x${pfn.toString(16)}` } : {}),
      ...(this.owner[i] !== NOBODY ? { owner: this.owner[i]! } : {}),
      type: this.typeCount[i] ? TYPE_NAMES[this.type[i]!]! : 'none',
      typeCount: this.typeCount[i]!,
      references: this.references[i]!,
      ...(pinned ? { pinned } : {}),
      ...(this.typeCount[i]
        ? {
            heldSince: pinned
              ? { icount: this.pinnedSince[i]!, by: this.calls[this.pinnedBy[i]!]! }
              : { icount: this.since[i]!, by: this.calls[this.by[i]!]! },
          }
        : {}),
    };
  }

  /** Xen's type_info word, as its log prints it. */
  typeInfo(mfn: Mfn): bigint {
    const i = this.ram.index(mfn);
    const flags = this.flags[i]!;
    return (
      (BigInt(this.type[i]!) << 61n) |
      (flags & FLAG_PINNED ? 1n << 59n : 0n) |
      (flags & FLAG_VALIDATED ? 1n << 58n : 0n) |
      (flags & FLAG_XEN_L2 ? 1n << 57n : 0n) |
      (flags & FLAG_PARTIAL ? 1n << 56n : 0n) |
      BigInt(this.typeCount[i]!)
    );
  }

  /** Xen's count_info word. */
  countInfo(mfn: Mfn): bigint {
    const i = this.ram.index(mfn);
    return (this.flags[i]! & FLAG_ALLOCATED ? 1n << 63n : 0n) | BigInt(this.references[i]!);
  }
}
