// The grant table of one domain: frames shared with the guest that grow on demand, in either version; which of its entries others
// have in use; and the handles of what the domain itself maps.
// Source: public/grant_table.h; behaviour of Xen 4.17 (common/grant_table.c).

import type { Mfn } from '../../abi/address.ts';
import { grantFlags as F, reservedGrants } from '../../abi/constants/grant.table.ts';
import { MapTrack } from './grants/maptrack.ts';
import { type ActiveGrants, activeOf, pin } from './grants/pins.ts';

/** Frames that Xen 4.17 allows a guest unless the toolstack says otherwise. */
export const MAX_GRANT_FRAMES = 64;
const ENTRY_BYTES = { 1: 8, 2: 16 } as const;
const STATUS_PER_PAGE = 2048;
const PAGE = 4096;

/** What an entry says, whatever its version. */
export interface SharedEntry {
  readonly flags: number;
  readonly domid: number;
  /** Frame of a whole page, or of a part of one. */
  readonly frame: bigint;
  /** Version 2, a part of a page. */
  readonly offset: number;
  readonly length: number;
  /** Version 2, a transitive grant: whose grant it stands for. */
  readonly transDomain: number;
  readonly transRef: number;
}

export interface GrantFrames {
  allocate(): Mfn;
  free(mfn: Mfn): void;
  page(mfn: Mfn): Uint8Array;
  /** Xen wrote to it. */
  written(mfn: Mfn): void;
}

export class GrantTable {
  readonly frames: Mfn[] = [];
  /** Of version 2: a status word for each entry. */
  readonly statusFrames: Mfn[] = [];
  readonly maxFrames = MAX_GRANT_FRAMES;
  /** The guest chose it (or never asked: 1). */
  version: 1 | 2 = 1;
  /** Entries that are mapped or being copied, by reference. */
  readonly active: ActiveGrants = new Map();
  /** Entries that back ends of the simulator itself have mapped, and how often. */
  readonly backEnds = new Map<number, number>();
  /** What this domain maps of others' grants. */
  readonly maptrack = new MapTrack();
  private readonly memory: GrantFrames;

  constructor(memory: GrantFrames) {
    this.memory = memory;
    this.grow(1);
  }

  grow(frames: number): void {
    while (this.frames.length < frames) this.frames.push(this.memory.allocate());
    if (this.version === 2) this.growStatus();
  }

  /** Status frames for as many entries as there are. */
  growStatus(): void {
    while (this.statusFrames.length < statusFramesFor(this.frames.length)) this.statusFrames.push(this.memory.allocate());
  }

  dropStatus(): void {
    for (const mfn of this.statusFrames.splice(0)) this.memory.free(mfn);
  }

  /** References that exist. */
  get entries(): number {
    return (this.frames.length * PAGE) / ENTRY_BYTES[this.version];
  }

  private view(reference: number): { readonly view: DataView; readonly frame: Mfn } {
    const size = ENTRY_BYTES[this.version];
    const at = reference * size;
    const frame = this.frames[Math.floor(at / PAGE)]!;
    const page = this.memory.page(frame);
    return { view: new DataView(page.buffer, page.byteOffset + (at % PAGE), size), frame };
  }

  read(reference: number): SharedEntry {
    const { view } = this.view(reference);
    const two = this.version === 2;
    return {
      flags: view.getUint16(0, true),
      domid: view.getUint16(2, true),
      frame: two ? view.getBigUint64(8, true) : BigInt(view.getUint32(4, true)),
      offset: two ? view.getUint16(4, true) : 0,
      length: two ? view.getUint16(6, true) : PAGE,
      transDomain: two ? view.getUint16(4, true) : 0,
      transRef: two ? view.getUint32(8, true) : 0,
    };
  }

  writeFlags(reference: number, flags: number): void {
    const { view, frame } = this.view(reference);
    view.setUint16(0, flags, true);
    this.memory.written(frame);
  }

  writeFrame(reference: number, mfn: Mfn): void {
    const { view, frame } = this.view(reference);
    if (this.version === 2) view.setBigUint64(8, BigInt(mfn), true);
    else view.setUint32(4, mfn, true);
    this.memory.written(frame);
  }

  private statusView(reference: number): { readonly view: DataView; readonly frame: Mfn } {
    const frame = this.statusFrames[Math.floor(reference / STATUS_PER_PAGE)]!;
    const page = this.memory.page(frame);
    return { view: new DataView(page.buffer, page.byteOffset + (reference % STATUS_PER_PAGE) * 2, 2), frame };
  }

  /** GTF_reading and GTF_writing: in the entry itself, or in the status word of version 2. */
  status(reference: number): number {
    return this.version === 1 ? this.read(reference).flags : this.statusView(reference).view.getUint16(0, true);
  }

  writeStatus(reference: number, status: number): void {
    if (this.version === 1) {
      this.writeFlags(reference, status);
      return;
    }
    const { view, frame } = this.statusView(reference);
    view.setUint16(0, status, true);
    this.memory.written(frame);
  }

  /** Exchanges two entries, with their status words. */
  swap(a: number, b: number): void {
    exchange(this.view(a).view, this.view(b).view);
    if (this.version === 2) exchange(this.statusView(a).view, this.statusView(b).view);
    for (const reference of [a, b]) this.memory.written(this.view(reference).frame);
  }

  /** Goes over to the other version. The entries that the toolstack reserves stay, all others are cleared. */
  changeVersion(version: 1 | 2): void {
    const kept = Array.from({ length: reservedGrants.GNTTAB_NR_RESERVED_ENTRIES }, (_, n) => {
      const entry = this.read(n);
      const permits = (entry.flags & F.GTF_type_mask) === F.GTF_permit_access;
      if (this.version === 1) return entry;
      return permits ? { ...entry, flags: entry.flags | this.status(n) } : null;
    });
    if (version === 1) this.dropStatus();
    for (const mfn of this.frames) {
      this.memory.page(mfn).fill(0);
      this.memory.written(mfn);
    }
    this.version = version;
    if (version === 2) this.growStatus();
    const inUse = F.GTF_reading | F.GTF_writing;
    for (const [n, entry] of kept.entries()) {
      if (!entry) continue;
      const { view } = this.view(n);
      view.setUint16(0, version === 1 ? entry.flags : entry.flags & ~inUse, true);
      view.setUint16(2, entry.domid, true);
      if (version === 1) view.setUint32(4, Number(entry.frame & 0xffff_ffffn), true);
      else {
        view.setBigUint64(8, entry.frame, true);
        this.writeStatus(n, entry.flags & inUse);
      }
    }
  }

  /** A back end of the simulator has a granted frame mapped, as domain `domain`. The caller holds the frame. */
  mappedByBackEnd(reference: number, domain: number, mfn: Mfn): void {
    const active = activeOf(this.active, reference);
    Object.assign(active, { domain, mfn, start: 0, length: PAGE, transRef: reference });
    pin(this.active, reference, ['hostWrite'], 1);
    this.backEnds.set(reference, (this.backEnds.get(reference) ?? 0) + 1);
    this.writeStatus(reference, this.status(reference) | F.GTF_reading | F.GTF_writing);
  }

  /** Writes an entry that lets `domain` map a frame: what the toolstack does for the console and store rings (references 0, 1). */
  permit(reference: number, domain: number, frame: Mfn): void {
    const { view } = this.view(reference);
    view.setUint16(0, F.GTF_permit_access, true);
    view.setUint16(2, domain, true);
    this.writeFrame(reference, frame);
  }
}

/** Frames of status words for so many frames of entries. */
export const statusFramesFor = (frames: number): number => Math.ceil((frames * PAGE) / ENTRY_BYTES[2] / STATUS_PER_PAGE);

function exchange(a: DataView, b: DataView): void {
  const [first, second] = [a, b].map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)) as [Uint8Array, Uint8Array];
  const kept = first.slice();
  first.set(second);
  second.set(kept);
}
