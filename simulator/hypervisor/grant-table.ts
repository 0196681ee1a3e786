// The grant table of one domain: frames of version-1 entries, shared with the guest, that grow on demand.
// Source: public/grant_table.h.

import type { Mfn } from '../../abi/address.ts';

/** Frames that Xen 4.17 allows a guest unless the toolstack says otherwise. */
export const MAX_GRANT_FRAMES = 64;
const ENTRY_BYTES = 8;
const PAGE = 4096;
const GTF_PERMIT_ACCESS = 1;

export class GrantTable {
  readonly frames: Mfn[] = [];
  /** The guest chose it (or never asked: 1). */
  version = 1;
  private readonly allocate: () => Mfn;
  private readonly page: (mfn: Mfn) => Uint8Array;

  constructor(allocate: () => Mfn, page: (mfn: Mfn) => Uint8Array) {
    this.allocate = allocate;
    this.page = page;
    this.grow(1);
  }

  grow(frames: number): void {
    while (this.frames.length < frames) this.frames.push(this.allocate());
  }

  /** References that exist. */
  get entries(): number {
    return (this.frames.length * PAGE) / ENTRY_BYTES;
  }

  private entry(reference: number): Uint8Array {
    const at = reference * ENTRY_BYTES;
    return this.page(this.frames[Math.floor(at / PAGE)]!).subarray(at % PAGE, (at % PAGE) + ENTRY_BYTES);
  }

  swap(a: number, b: number): void {
    const [first, second] = [this.entry(a), this.entry(b)];
    const kept = first.slice();
    first.set(second);
    second.set(kept);
  }

  /** Writes an entry that lets `domain` map a frame: what the toolstack does for the console and store rings (references 0, 1). */
  permit(reference: number, domain: number, frame: Mfn): void {
    const page = this.page(this.frames[0]!);
    const view = new DataView(page.buffer, page.byteOffset + reference * ENTRY_BYTES, ENTRY_BYTES);
    view.setUint16(0, GTF_PERMIT_ACCESS, true);
    view.setUint16(2, domain, true);
    view.setUint32(4, frame, true);
  }
}
