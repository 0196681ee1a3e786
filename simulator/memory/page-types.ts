// References and types of frames: what a frame may be used as while others use it. A page table may not be mapped writable,
// and a table is audited entry by entry, down to its leaves, before the guest may use it as one.
// The rules are those of Xen 4.17 (arch/x86/mm.c) without its preemption: a call either ends or leaves nothing behind.

import type { Mfn } from '../../abi/address.ts';
import type { Refusal } from '../../abi/refusal.ts';
import { checkDescriptorPage } from './descriptors.ts';
import {
  adjustEntry,
  disallowedFlags,
  entryFlags,
  entryMfn,
  HARMLESS_FLAGS,
  isPresent,
  isXenSlot,
  PAE_ENTRIES,
  PTE,
  XEN_L2_FIRST_SLOT,
} from './entry.ts';
import {
  FLAG_ALLOCATED,
  FLAG_PINNED,
  FLAG_SPECIAL,
  FLAG_VALIDATED,
  FLAG_XEN_L2,
  type FrameTable,
  FrameType,
  type FrameTypeValue,
  NOBODY,
  TYPE_NAMES,
} from './frame-table.ts';
import type { Ram } from './ram.ts';
import { hex, refuse, throughSlot } from './refuse.ts';

/** What others want to know of a frame. */
export interface FrameObserver {
  /** A frame's type, owner or mapping right changes: TLB entries of it must go. */
  revoke(mfn: Mfn, why: string): void;
  typeChanged(mfn: Mfn, from: string, to: string): void;
  /** The last reference went: the frame has no owner any more. */
  freed(mfn: Mfn): void;
  /** The hypervisor wrote to the frame. */
  written(mfn: Mfn): void;
  /** May this domain use I/O memory and caching attributes? */
  ioRights(domain: number): boolean;
  /** Width of the domain's kernel. */
  bits(domain: number): 64 | 32;
  /** Writes Xen's own entries into the level 2 table behind the fourth level 3 entry of a 32-bit guest. */
  fillXenL2(mfn: Mfn): void;
}

const TABLE_TYPE = [FrameType.none, FrameType.l1, FrameType.l2, FrameType.l3, FrameType.l4] as const;
const isTable = (type: number): boolean => type >= FrameType.l1 && type <= FrameType.l4;

export class PageTypes {
  readonly frames: FrameTable;
  private readonly ram: Ram;
  private readonly observer: FrameObserver;

  constructor(frames: FrameTable, observer: FrameObserver) {
    this.frames = frames;
    this.ram = frames.ram;
    this.observer = observer;
  }

  /** Takes a reference to a frame of `domain`. */
  getPage(mfn: Mfn, domain: number): Refusal | null {
    const f = this.frames;
    if (!this.ram.valid(mfn)) return refuse('EINVAL', 'frame-not-yours', { frame: f.fact(mfn), domain });
    const i = this.ram.index(mfn);
    if (f.references[i] === 0 || f.owner[i] !== domain) {
      return refuse(
        'EINVAL',
        'frame-not-yours',
        { frame: f.fact(mfn), domain },
        {
          template: 'error-mfn',
          args: {
            mfn: mfn.toString(16),
            rd: `d${domain}`,
            od: `d${f.owner[i]}`,
            caf: f.countInfo(mfn).toString(16),
            taf: f.typeInfo(mfn).toString(16),
          },
        },
      );
    }
    f.references[i]!++;
    return null;
  }

  putPage(mfn: Mfn): void {
    const f = this.frames;
    const i = this.ram.index(mfn);
    if (f.references[i] === 0) throw new Error(`reference count of frame ${hex(mfn)} would go below 0`);
    if (--f.references[i]! > 0) return;
    if (f.typeCount[i] !== 0) throw new Error(`frame ${hex(mfn)} is freed while in use as ${TYPE_NAMES[f.type[i]!]}`);
    f.type[i] = FrameType.none;
    f.flags[i] = 0;
    f.owner[i] = NOBODY;
    f.m2p[i] = -1;
    this.observer.revoke(mfn, 'freed');
    this.observer.freed(mfn);
  }

  /** Takes a reference of a type, auditing the frame when it becomes a table. The caller holds a general reference. */
  getType(mfn: Mfn, type: FrameTypeValue, xenL2 = false): Refusal | null {
    const f = this.frames;
    const i = this.ram.index(mfn);
    if (f.typeCount[i] === 0) {
      const old = f.type[i]!;
      if (old !== type) {
        f.flags[i]! &= ~FLAG_VALIDATED;
        f.type[i] = type;
        this.observer.revoke(mfn, `becomes ${TYPE_NAMES[type]}`);
        this.observer.typeChanged(mfn, TYPE_NAMES[old]!, TYPE_NAMES[type]);
      }
      if (xenL2) {
        f.flags[i] = (f.flags[i]! & ~FLAG_VALIDATED) | FLAG_XEN_L2;
      }
      f.stamp(i);
    } else if (f.type[i] !== type || xenL2 !== ((f.flags[i]! & FLAG_XEN_L2) !== 0)) {
      return refuse(
        'EINVAL',
        'frame-has-other-type',
        { frame: f.fact(mfn), wanted: TYPE_NAMES[type] },
        {
          template: 'bad-type',
          args: { saw: f.typeInfo(mfn).toString(16), exp: (BigInt(type) << 61n).toString(16), mfn: mfn.toString(16), pfn: this.pfnText(i) },
        },
      );
    }
    f.typeCount[i]!++;
    if (f.flags[i]! & FLAG_VALIDATED) return null;
    const refusal = this.audit(mfn, type);
    if (refusal) {
      f.typeCount[i]!--;
      f.flags[i]! &= ~FLAG_XEN_L2;
      f.type[i] = FrameType.none;
      this.observer.typeChanged(mfn, TYPE_NAMES[type], 'none');
      return refusal;
    }
    f.flags[i]! |= FLAG_VALIDATED;
    return null;
  }

  /** Drops a reference of a type; `parent` is the table whose entry held it, where one did. */
  putType(mfn: Mfn, parent?: Mfn): void {
    const f = this.frames;
    const i = this.ram.index(mfn);
    const type = f.type[i]!;
    if (f.typeCount[i] === 0) throw new Error(`type count of frame ${hex(mfn)} (${TYPE_NAMES[type]}) would go below 0`);
    if (f.typeCount[i] === 1 && isTable(type)) {
      f.flags[i]! &= ~FLAG_VALIDATED;
      this.releaseEntries(mfn, type, 512);
      f.flags[i]! &= ~FLAG_XEN_L2;
    }
    if (parent !== undefined && f.type[this.ram.index(parent)] === type) {
      f.linear[i]!++;
      f.linear[this.ram.index(parent)]!--;
    }
    f.typeCount[i]!--;
  }

  getPageAndType(mfn: Mfn, type: FrameTypeValue, domain: number, xenL2 = false): Refusal | null {
    const refusal = this.getPage(mfn, domain);
    if (refusal) return refusal;
    const wrong = this.getType(mfn, type, xenL2);
    if (wrong) this.putPage(mfn);
    return wrong;
  }

  putPageAndType(mfn: Mfn, parent?: Mfn): void {
    this.putType(mfn, parent);
    this.putPage(mfn);
  }

  /** Pins a table: it stays of its type without being in use. */
  pin(mfn: Mfn, level: number, domain: number): Refusal | null {
    const got = this.getPageAndType(mfn, TABLE_TYPE[level]!, domain);
    if (got) return got;
    const i = this.ram.index(mfn);
    if (this.frames.flags[i]! & FLAG_PINNED) {
      const refusal = refuse(
        'EINVAL',
        'table-pinned-already',
        { frame: this.frames.fact(mfn) },
        { template: 'already-pinned', args: { mfn: mfn.toString(16) } },
      );
      this.putPageAndType(mfn);
      return refusal;
    }
    this.frames.flags[i]! |= FLAG_PINNED;
    this.frames.stampPin(i);
    return null;
  }

  unpin(mfn: Mfn, domain: number): Refusal | null {
    const got = this.getPage(mfn, domain);
    if (got) return got;
    const i = this.ram.index(mfn);
    if (!(this.frames.flags[i]! & FLAG_PINNED)) {
      const refusal = refuse(
        'EINVAL',
        'table-not-pinned',
        { frame: this.frames.fact(mfn) },
        { template: 'not-pinned', args: { mfn: mfn.toString(16) } },
      );
      this.putPage(mfn);
      return refusal;
    }
    this.frames.flags[i]! &= ~FLAG_PINNED;
    this.putPageAndType(mfn);
    this.putPage(mfn);
    return null;
  }

  /** Changes one entry of a table in use, as mmu_update and update_va_mapping do. The table's type decides the rules. */
  updateEntry(table: Mfn, slot: number, value: bigint, domain: number, preserveAccessedDirty = false): Refusal | null {
    const level = this.frames.type[this.ram.index(table)]!;
    if (this.isXens(table, level, slot)) {
      return refuse(
        'EINVAL',
        level === 4 ? 'l4-slot-of-xen' : 'pae-slot-of-xen',
        { table: this.frames.fact(table), level, slot },
        level === 3 ? undefined : { template: level === 4 ? 'l4-private-slot' : 'l2-private-slot', args: { slot: hex(slot) } },
      );
    }
    const bits = this.observer.bits(domain);
    const old = this.ram.entry(table, slot);
    let entry = value;
    if (isPresent(value)) {
      const bad = this.flagsAllowed(level, value, domain);
      if (bad) return throughSlot(bad, level, table, slot);
      entry = adjustEntry(level, value, bits);
      if (!((old ^ entry) & ~HARMLESS_FLAGS)) {
        this.store(table, slot, preserveAccessedDirty ? entry | (old & (PTE.accessed | PTE.dirty)) : entry);
        return null;
      }
      const refusal = this.getFromEntry(level, entry, table, domain);
      if (refusal) return throughSlot(refusal, level, table, slot);
    }
    this.store(table, slot, preserveAccessedDirty ? entry | (old & (PTE.accessed | PTE.dirty)) : entry);
    this.putFromEntry(level, old, table);
    return null;
  }

  /** Is the slot Xen's own? In a 32-bit guest: the fourth of level 3 and all behind it, and the end of the table it names. */
  private isXens(table: Mfn, level: number, slot: number): boolean {
    if (level === 4) return isXenSlot(level, slot);
    const i = this.ram.index(table);
    if (level === 2) return (this.frames.flags[i]! & FLAG_XEN_L2) !== 0 && slot >= XEN_L2_FIRST_SLOT;
    return level === 3 && slot >= PAE_ENTRIES - 1 && this.observer.bits(this.frames.owner[i]!) === 32;
  }

  private store(table: Mfn, slot: number, entry: bigint): void {
    this.ram.setEntry(table, slot, entry);
    this.observer.written(table);
  }

  /** Audits a frame that becomes a table or a descriptor page. On a refusal nothing is held any more. */
  private audit(mfn: Mfn, type: FrameTypeValue): Refusal | null {
    if (type === FrameType.writable || type === FrameType.shared) return null;
    const i = this.ram.index(mfn);
    const owner = this.frames.owner[i]!;
    const bits = this.observer.bits(owner);
    if (type === FrameType.segDesc) return checkDescriptorPage(this.ram, mfn, this.frames, bits);
    this.frames.linear[i] = 0;
    const pae = type === FrameType.l3 && bits === 32;
    if (pae) {
      // The processor sees the whole page, the guest has to fill four entries only.
      for (let slot = PAE_ENTRIES; slot < 512; slot++) this.ram.setEntry(mfn, slot, 0n);
      this.observer.written(mfn);
    }
    for (let slot = 0; slot < 512; slot++) {
      if (!pae && this.isXens(mfn, type, slot)) continue;
      const entry = this.ram.entry(mfn, slot);
      if (pae && slot === PAE_ENTRIES - 1) {
        const wrong = this.getXenL2(entry, mfn, owner);
        if (!wrong) {
          this.store(mfn, slot, adjustEntry(type, entry, bits));
          break;
        }
        this.releaseEntries(mfn, type, slot);
        return throughSlot(wrong, type, mfn, slot);
      }
      if (!isPresent(entry)) continue;
      const refusal = this.flagsAllowed(type, entry, owner) ?? this.getFromEntry(type, entry, mfn, owner);
      if (refusal) {
        this.releaseEntries(mfn, type, slot);
        return throughSlot(refusal, type, mfn, slot);
      }
      const adjusted = adjustEntry(type, entry, bits);
      if (adjusted !== entry) this.store(mfn, slot, adjusted);
    }
    if (this.frames.flags[i]! & FLAG_XEN_L2) this.observer.fillXenL2(mfn);
    return null;
  }

  /** The fourth level 3 entry of a 32-bit guest: it must name a level 2 table, and no other may name that. */
  private getXenL2(entry: bigint, table: Mfn, domain: number): Refusal | null {
    if (!isPresent(entry)) return refuse('EINVAL', 'pae-fourth-entry', { table: this.frames.fact(table), entry: hex(entry) });
    const bad = this.flagsAllowed(3, entry, domain);
    if (bad) return bad;
    const mfn = entryMfn(entry);
    const refusal = this.getPageAndType(mfn, FrameType.l2, domain, true);
    if (refusal) return refusal;
    if (this.frames.typeCount[this.ram.index(mfn)] === 1) return null;
    const shared = refuse(
      'EINVAL',
      'pae-fourth-table-shared',
      { frame: this.frames.fact(mfn), entry: hex(entry) },
      { template: 'pae-l3-shared', args: {} },
    );
    this.putPageAndType(mfn);
    return shared;
  }

  private releaseEntries(mfn: Mfn, level: number, count: number): void {
    for (let slot = 0; slot < count; slot++) {
      const fourth = level === 3 && slot === PAE_ENTRIES - 1;
      if (fourth || !this.isXens(mfn, level, slot)) this.putFromEntry(level, this.ram.entry(mfn, slot), mfn);
    }
  }

  private flagsAllowed(level: number, entry: bigint, domain: number): Refusal | null {
    const bad = entryFlags(entry) & disallowedFlags(level, this.observer.ioRights(domain), this.observer.bits(domain));
    if (!bad) return null;
    return refuse(
      'EINVAL',
      'entry-flags',
      { level, entry: hex(entry), flags: hex(bad) },
      { template: 'bad-flags', args: { level: `${level}`, flags: bad.toString(16) } },
    );
  }

  /** Takes the references that a present entry stands for. */
  private getFromEntry(level: number, entry: bigint, table: Mfn, domain: number): Refusal | null {
    const mfn = entryMfn(entry);
    if (level === 1) return this.getFromL1(mfn, entry, domain);
    const refusal = this.getPageAndType(mfn, TABLE_TYPE[level - 1]!, domain);
    if (refusal?.errno !== 'EINVAL') return refusal;
    if (level === 3 && this.observer.bits(domain) === 32) return refusal;
    return this.getLinear(level, mfn, entry, table, domain) ? null : refusal;
  }

  private getFromL1(mfn: Mfn, entry: bigint, domain: number): Refusal | null {
    const f = this.frames;
    if (!this.ram.valid(mfn)) {
      if (mfn === 0xff_ffff_ffff) return refuse('EINVAL', 'frame-invalid', { frame: f.fact(mfn), entry: hex(entry) });
      return refuse(
        'EPERM',
        'frame-is-no-ram',
        { frame: f.fact(mfn), entry: hex(entry) },
        { template: 'mmio-map', args: { domain: `${domain}`, mfn: mfn.toString(16) } },
      );
    }
    const got = this.getPage(mfn, domain);
    const xenLine = {
      template: 'l1-entry',
      args: { mfn: mfn.toString(16), pfn: this.pfnText(this.ram.index(mfn)), entry: entry.toString(16), domain: `${domain}` },
    };
    if (got) return { ...got, errno: 'EBUSY', xenLine };
    if (entry & PTE.write) {
      const wrong = this.getType(mfn, FrameType.writable);
      if (wrong) {
        this.putPage(mfn);
        return { ...wrong, errno: 'EBUSY', rule: 'table-mapped-writable', facts: { ...wrong.facts, entry: hex(entry) } };
      }
    }
    if (entry & (PTE.writeThrough | PTE.cacheDisable | PTE.size) && f.flags[this.ram.index(mfn)]! & FLAG_SPECIAL) {
      if (entry & PTE.write) this.putType(mfn);
      this.putPage(mfn);
      return refuse('EACCES', 'cache-attributes', { frame: f.fact(mfn), entry: hex(entry) }, { template: 'cache-attributes', args: {} });
    }
    return null;
  }

  /** An entry that names a table of the same level, read only: allowed for a table in use that has no such entries itself. */
  private getLinear(level: number, mfn: Mfn, entry: bigint, table: Mfn, domain: number): boolean {
    if (entry & PTE.write) return false;
    if (mfn === table) return true;
    const f = this.frames;
    const t = this.ram.index(table);
    if (f.owner[t] !== domain || this.getPage(mfn, domain)) return false;
    const i = this.ram.index(mfn);
    const validated = (f.flags[i]! & FLAG_VALIDATED) !== 0 && f.type[i] === level && f.typeCount[i]! > 0;
    if (f.linear[t]! < 0 || f.linear[i]! > 0 || !validated) {
      this.putPage(mfn);
      return false;
    }
    f.linear[t]!++;
    f.linear[i]!--;
    f.typeCount[i]!++;
    return true;
  }

  /** Drops the references of an entry that was counted. */
  private putFromEntry(level: number, entry: bigint, table: Mfn): void {
    if (!isPresent(entry)) return;
    const mfn = entryMfn(entry);
    if (level > 1) {
      if (mfn !== table) this.putPageAndType(mfn, table);
      return;
    }
    if (entry & PTE.write) this.putType(mfn);
    this.putPage(mfn);
  }

  private pfnText(index: number): string {
    const pfn = this.frames.m2p[index]!;
    return pfn < 0 ? 'ffffffffffffffff' : pfn.toString(16);
  }

  /** A frame just given to a domain: one reference, the allocation's. */
  allocated(mfn: Mfn, domain: number, special = false): void {
    const f = this.frames;
    const i = this.ram.index(mfn);
    if (f.references[i] !== 0) throw new Error(`frame ${hex(mfn)} is allocated twice`);
    f.owner[i] = domain;
    f.references[i] = 1;
    f.flags[i] = FLAG_ALLOCATED | (special ? FLAG_SPECIAL : 0);
    f.type[i] = FrameType.none;
    f.typeCount[i] = 0;
    f.linear[i] = 0;
    if (special) {
      // A page shared by Xen is writable for as long as it exists.
      f.type[i] = FrameType.writable;
      f.flags[i]! |= FLAG_VALIDATED;
      f.typeCount[i] = 1;
    }
  }

  /** Gives up the allocation's reference (memory_op.decrease_reservation). False when it was given up before, and for pages that
   * Xen shares: those stay. */
  release(mfn: Mfn): boolean {
    const i = this.ram.index(mfn);
    if (!(this.frames.flags[i]! & FLAG_ALLOCATED) || this.frames.flags[i]! & FLAG_SPECIAL) return false;
    this.frames.flags[i]! &= ~FLAG_ALLOCATED;
    this.putPage(mfn);
    return true;
  }
}
