// The handles under which a domain keeps what it maps of grants. Each vCPU has a list of free ones; a freed handle goes to the end of
// the list of the vCPU that it was made for, and the last of a list is never given out.
// Behaviour of Xen 4.17 (common/grant_table.c).

/** Entries in a frame of Xen's, and frames that a domain may have unless the toolstack says otherwise. */
export const HANDLES_PER_FRAME = 256;
export const MAX_MAPTRACK_FRAMES = 1024;

/** One mapping. Flags 0: the handle is free. */
export interface Mapping {
  /** GNTMAP_*: of host and device map, those that are still there. */
  flags: number;
  /** The granting domain and its reference. */
  domain: number;
  ref: number;
  /** vCPU on whose list it goes when it is free. */
  vcpu: number;
  /** When, and by the instruction at which address, it was made. */
  icount: number;
  rip: bigint;
  /** The table entry that maps it was replaced without an unmap. */
  overwritten: { readonly icount: number; readonly rip: bigint } | null;
}

interface FreeList {
  head: number;
  tail: number;
}

const NONE = -1;

export class MapTrack {
  private readonly mappings: Mapping[] = [];
  /** Next free handle behind one that is free. */
  private readonly next: number[] = [];
  private readonly lists = new Map<number, FreeList>();
  readonly maxFrames = MAX_MAPTRACK_FRAMES;

  /** Handles that exist, free or not. */
  get limit(): number {
    return this.mappings.length;
  }

  get(handle: number): Mapping | undefined {
    return this.mappings[handle];
  }

  /** Mappings that are there. */
  *inUse(): Generator<[number, Mapping]> {
    for (const [handle, mapping] of this.mappings.entries()) if (mapping.flags !== 0) yield [handle, mapping];
  }

  private list(vcpu: number): FreeList {
    const found = this.lists.get(vcpu);
    if (found) return found;
    const list = { head: NONE, tail: NONE };
    this.lists.set(vcpu, list);
    return list;
  }

  private pop(list: FreeList): number | null {
    if (list.head === NONE) return null;
    const next = this.next[list.head]!;
    if (next === NONE) return null;
    const handle = list.head;
    list.head = next;
    return handle;
  }

  /** A free handle for a vCPU; null when there are no more. */
  allocate(vcpu: number): number | null {
    const list = this.list(vcpu);
    const own = this.pop(list);
    if (own !== null) return own;
    if (this.limit / HANDLES_PER_FRAME < this.maxFrames) return this.addFrame(vcpu, list);
    if (list.tail === NONE) {
      const sentinel = this.steal(vcpu);
      if (sentinel === null) return null;
      this.next[sentinel] = NONE;
      list.tail = sentinel;
      if (list.head === NONE) list.head = sentinel;
    }
    return this.steal(vcpu);
  }

  private addFrame(vcpu: number, list: FreeList): number {
    const first = this.limit;
    for (let n = 0; n < HANDLES_PER_FRAME; n++) {
      this.mappings.push({ flags: 0, domain: 0, ref: 0, vcpu, icount: 0, rip: 0n, overwritten: null });
      this.next.push(first + n + 1);
    }
    if (list.tail === NONE) list.tail = first + HANDLES_PER_FRAME - 1;
    this.next[first + HANDLES_PER_FRAME - 1] = list.head;
    list.head = first + 1;
    return first;
  }

  /** A handle of another vCPU's list. Real Xen starts at any vCPU by chance. */
  private steal(vcpu: number): number | null {
    for (const id of [...this.lists.keys()].sort((a, b) => a - b)) {
      const handle = this.pop(this.lists.get(id)!);
      if (handle === null) continue;
      this.mappings[handle]!.vcpu = vcpu;
      return handle;
    }
    return null;
  }

  free(handle: number): void {
    const mapping = this.mappings[handle]!;
    mapping.flags = 0;
    mapping.overwritten = null;
    this.next[handle] = NONE;
    const list = this.list(mapping.vcpu);
    this.next[list.tail] = handle;
    list.tail = handle;
  }
}
