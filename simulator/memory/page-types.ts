// References and types of frames: what a frame may be used as while others use it. A page table may not be mapped writable,
// and a table is audited entry by entry, down to its leaves, before the guest may use it as one. An audit, or taking a table
// apart, can stop at any entry and go on later: the frame keeps how far it came, and what it holds stays counted.
// Behaviour of Xen 4.17 (arch/x86/mm.c).

import type { Mfn } from '../../abi/address.ts';
import { negative } from '../../abi/errno.ts';
import type { Refusal, XenLine } from '../../abi/refusal.ts';
import { type Deferred, nothingDeferred } from './deferred.ts';
import { EntryReferences } from './entry-references.ts';
import {
  FLAG_ALLOCATED,
  FLAG_PARTIAL,
  FLAG_PINNED,
  FLAG_SPECIAL,
  FLAG_VALIDATED,
  FLAG_XEN_L2,
  type FrameTable,
  FrameType,
  type FrameTypeValue,
  isTable,
  NOBODY,
  OWNER_IO,
  OWNER_XEN,
  TABLE_TYPE,
  TYPE_NAMES,
} from './frame-table.ts';
import { isStop, type Outcome, type Stop } from './outcome.ts';
import { Preemption } from './preemption.ts';
import type { Ram } from './ram.ts';
import { alsoPrints, frameText, hex, refuse } from './refuse.ts';
import { type UpdateHow, updateEntry } from './update-entry.ts';
import { Validation } from './validation.ts';

/** What others want to know of a frame. */
export interface FrameObserver {
  /** A frame's type, owner or mapping right changes: TLB entries of it must go. */
  revoke(mfn: Mfn, why: string): void;
  typeChanged(mfn: Mfn, from: string, to: string): void;
  /** The last reference went: the frame has no owner any more. */
  freed(mfn: Mfn, owner: number): void;
  /** The hypervisor wrote to the frame. */
  written(mfn: Mfn): void;
  /** May this domain use I/O memory and caching attributes? */
  ioRights(domain: number): boolean;
  /** A frame that is none of Xen's RAM: how the domain may map it; null: not at all. */
  ioMapping?(mfn: Mfn, domain: number): 'write' | 'read' | null;
  /** Width of the domain's kernel. */
  bits(domain: number): 64 | 32;
  /** Writes Xen's own entries into the level 2 table behind the fourth level 3 entry of a 32-bit guest. */
  fillXenL2(mfn: Mfn): void;
  /** A not-present entry that is not 0 goes into a table: null, or why the domain may not have it (L1TF). */
  notPresent?(level: number, entry: bigint, domain: number): Refusal | null;
  /** What the current vCPU has still to take apart. */
  deferred?(): Deferred;
  /** A level 1 entry that was in use is let go of. */
  entryDropped?(table: Mfn, slot: number, entry: bigint): void;
}

/** How a reference is taken from an entry. */
export interface TakeHow {
  /** May stop in the middle. */
  readonly preemptible?: boolean;
  /** The entry holds a general reference already: the table it is in was stopped at it. */
  readonly held?: boolean;
  /** Keep the general reference when the frame stays partial. */
  readonly keep?: boolean;
  /** As the level 2 table of a 32-bit guest that holds Xen's entries. */
  readonly xenL2?: boolean;
}

/** Frames that Xen keeps as I/O memory of no domain, and what it says of one. */
const FIRST_MEGABYTE = 0x100;
const ownedByIo = (mfn: Mfn, domain: number): XenLine => ({
  template: 'error-mfn',
  args: { mfn: frameText(mfn), rd: `d${domain}`, od: 'd[IO]', caf: '8000000000000001', taf: 'e400000000000001' },
});

export class PageTypes {
  readonly frames: FrameTable;
  readonly ram: Ram;
  readonly observer: FrameObserver;
  readonly preemption: Preemption;
  readonly entries: EntryReferences;
  private readonly validation: Validation;
  private readonly buildersDeferred = nothingDeferred();
  /** A dying domain's tables are taken apart: those that name each other lose references of tables that are no longer whole. */
  private byForce = false;

  constructor(frames: FrameTable, observer: FrameObserver, preemption: Preemption = new Preemption('off')) {
    this.frames = frames;
    this.ram = frames.ram;
    this.observer = observer;
    this.preemption = preemption;
    this.entries = new EntryReferences(this);
    this.validation = new Validation(this);
  }

  get deferred(): Deferred {
    return this.observer.deferred?.() ?? this.buildersDeferred;
  }

  /** Takes a reference to a frame of `domain`. */
  getPage(mfn: Mfn, domain: number): Refusal | null {
    const f = this.frames;
    if (!this.ram.valid(mfn))
      return refuse('EINVAL', 'frame-not-yours', { frame: f.fact(mfn), domain }, mfn < FIRST_MEGABYTE ? ownedByIo(mfn, domain) : undefined);
    const i = this.ram.index(mfn);
    if (f.references[i] === 0 || f.owner[i] !== domain) {
      return refuse(
        'EINVAL',
        'frame-not-yours',
        { frame: f.fact(mfn), domain },
        {
          template: 'error-mfn',
          args: {
            mfn: frameText(mfn),
            rd: `d${domain}`,
            od: f.references[i] === 0 ? 'NULL' : `d${f.owner[i]}`,
            caf: f.countInfo(mfn).toString(16).padStart(8, '0'),
            taf: f.typeInfo(mfn).toString(16).padStart(16, '0'),
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
    const owner = f.owner[i]!;
    f.type[i] = FrameType.none;
    f.flags[i] = 0;
    f.owner[i] = NOBODY;
    f.m2p[i] = -1;
    this.observer.revoke(mfn, 'freed');
    this.observer.freed(mfn, owner);
  }

  /** Takes a reference of a type, auditing the frame when it becomes a table, without a break. The caller holds a general reference. */
  getType(mfn: Mfn, type: FrameTypeValue): Refusal | null {
    return this.whole(() => this.take(mfn, type));
  }

  /** As getType, but an audit may stop. */
  take(mfn: Mfn, type: FrameTypeValue, xenL2 = false): Outcome {
    const f = this.frames;
    const i = this.ram.index(mfn);
    const wasPartial = (f.flags[i]! & FLAG_PARTIAL) !== 0;
    if (f.typeCount[i] === 0) {
      this.becomes(mfn, type, xenL2);
    } else if (f.type[i] !== type || xenL2 !== ((f.flags[i]! & FLAG_XEN_L2) !== 0)) {
      return this.wrongType(mfn, type, xenL2);
    } else if (wasPartial) {
      f.flags[i]! &= ~FLAG_PARTIAL;
    } else {
      f.typeCount[i]!++;
    }
    if (f.flags[i]! & FLAG_VALIDATED) return null;
    if (!wasPartial) {
      f.entriesHeld[i] = 0;
      f.nextHeld[i] = 0;
      f.linear[i] = 0;
    }
    const outcome = this.validate(mfn, type);
    if (wasPartial) this.putPage(mfn);
    return outcome;
  }

  /** The first reference of a type. */
  private becomes(mfn: Mfn, type: FrameTypeValue, xenL2: boolean): void {
    const f = this.frames;
    const i = this.ram.index(mfn);
    const old = f.type[i]!;
    f.typeCount[i] = 1;
    if (old !== type) {
      f.flags[i]! &= ~FLAG_VALIDATED;
      f.type[i] = type;
      this.observer.revoke(mfn, `becomes ${TYPE_NAMES[type]}`);
      this.observer.typeChanged(mfn, TYPE_NAMES[old]!, TYPE_NAMES[type]);
    }
    f.flags[i] = xenL2 ? (f.flags[i]! & ~FLAG_VALIDATED) | FLAG_XEN_L2 : f.flags[i]! & ~FLAG_XEN_L2;
    f.stamp(i);
  }

  private wrongType(mfn: Mfn, type: FrameTypeValue, xenL2: boolean): Refusal {
    const f = this.frames;
    const i = this.ram.index(mfn);
    const refusal = refuse('EINVAL', 'frame-has-other-type', { frame: f.fact(mfn), wanted: TYPE_NAMES[type] });
    // Xen says nothing of a table where one of the level below is wanted: it may turn out to be a linear entry.
    if (isTable(type) && f.type[i] === type + 1) return refusal;
    const wanted = (BigInt(type) << 61n) | (xenL2 ? 1n << 57n : 0n);
    return alsoPrints(refusal, 'bad-type', {
      saw: f.typeInfo(mfn).toString(16).padStart(16, '0'),
      exp: wanted.toString(16).padStart(16, '0'),
      mfn: frameText(mfn),
      pfn: this.pfnText(mfn),
    });
  }

  private validate(mfn: Mfn, type: FrameTypeValue): Outcome {
    const f = this.frames;
    const i = this.ram.index(mfn);
    const outcome = this.validation.promote(mfn, type);
    if (outcome === null) {
      f.flags[i]! |= FLAG_VALIDATED;
      return null;
    }
    if (outcome === 'untouched') {
      f.typeCount[i] = 0;
      f.flags[i]! &= ~FLAG_XEN_L2;
      return outcome;
    }
    if (outcome === 'partial') {
      this.becomesPartial(i);
      return outcome;
    }
    const refusal =
      type > FrameType.segDesc
        ? outcome
        : alsoPrints(outcome, 'validate-failed', {
            mfn: frameText(mfn),
            pfn: this.pfnText(mfn),
            type: (BigInt(type) << 61n).toString(16).padStart(16, '0'),
            caf: f.countInfo(mfn).toString(16).padStart(8, '0'),
            taf: f.typeInfo(mfn).toString(16).padStart(16, '0'),
          });
    if (this.deferred.table === mfn) {
      this.becomesPartial(i);
      return refusal;
    }
    f.typeCount[i] = 0;
    f.type[i] = FrameType.none;
    f.flags[i]! &= ~(FLAG_VALIDATED | FLAG_XEN_L2);
    this.observer.typeChanged(mfn, TYPE_NAMES[type], 'none');
    return refusal;
  }

  private becomesPartial(i: number): void {
    this.frames.references[i]!++;
    this.frames.flags[i]! |= FLAG_PARTIAL;
  }

  /** Drops a reference of a type, taking a table apart with its last, without a break. */
  putType(mfn: Mfn): void {
    this.preemption.without(() => this.drop(mfn));
  }

  /** As putType, but may stop. `parent`: the table whose entry held it. `partialOnly`: undoes what a partial table holds, if it is one. */
  drop(mfn: Mfn, parent: Mfn | null = null, partialOnly = false): Stop | null {
    const f = this.frames;
    const i = this.ram.index(mfn);
    const type = f.type[i]!;
    const partial = (f.flags[i]! & FLAG_PARTIAL) !== 0;
    if (partialOnly && !partial) return null;
    if (f.typeCount[i] === 0) throw new Error(`type count of frame ${hex(mfn)} (${TYPE_NAMES[type]}) would go below 0`);
    if (this.byForce && isTable(type) && !partial && !(f.flags[i]! & FLAG_VALIDATED)) {
      f.typeCount[i]!--;
      return null;
    }
    if (!partialOnly && (partial || !(f.flags[i]! & FLAG_VALIDATED)))
      throw new Error(`frame ${hex(mfn)} (${TYPE_NAMES[type]}) loses a reference that it does not have`);
    // Whether Xen has slots of its own in one of them makes no difference.
    const sameLevel = parent !== null && f.type[i] === f.type[this.ram.index(parent)];
    if (f.typeCount[i] === 1 && isTable(type)) {
      const validated = (f.flags[i]! & FLAG_VALIDATED) !== 0;
      f.flags[i]! &= ~(FLAG_VALIDATED | FLAG_PARTIAL);
      const stop = this.dropLast(mfn, !partial, sameLevel && validated ? parent : null);
      if (partial) this.putPage(mfn);
      return stop;
    }
    f.typeCount[i]!--;
    if (sameLevel) this.endLinear(mfn, parent!);
    return null;
  }

  private endLinear(mfn: Mfn, parent: Mfn): void {
    const { linear } = this.frames;
    linear[this.ram.index(mfn)]!++;
    linear[this.ram.index(parent)]!--;
  }

  private dropLast(mfn: Mfn, afresh: boolean, linearParent: Mfn | null): Stop | null {
    const f = this.frames;
    const i = this.ram.index(mfn);
    if (afresh) {
      f.entriesHeld[i] = 512;
      f.nextHeld[i] = 0;
    }
    const stop = this.validation.demote(mfn);
    if (linearParent !== null && stop !== 'untouched') this.endLinear(mfn, linearParent);
    if (stop === null) {
      f.typeCount[i]!--;
      f.flags[i]! &= ~FLAG_XEN_L2;
    } else if (stop === 'untouched') f.flags[i]! |= FLAG_VALIDATED;
    else this.becomesPartial(i);
    return stop;
  }

  /** Takes a dying domain's table of this type apart although it is in use: only tables that hold each other still are. */
  breakUp(mfn: Mfn, type: FrameTypeValue): void {
    const f = this.frames;
    const i = this.ram.index(mfn);
    if (f.type[i] !== type || f.typeCount[i] === 0 || !(f.flags[i]! & (FLAG_VALIDATED | FLAG_PARTIAL))) return;
    const partial = (f.flags[i]! & FLAG_PARTIAL) !== 0;
    f.flags[i]! &= ~(FLAG_VALIDATED | FLAG_PARTIAL);
    if (!partial) {
      f.entriesHeld[i] = 512;
      f.nextHeld[i] = 0;
    }
    this.byForce = true;
    this.preemption.without(() => this.validation.demote(mfn));
    this.byForce = false;
    if (!partial) return;
    f.typeCount[i]!--;
    this.putPage(mfn);
  }

  /** Takes a general and a type reference to a frame of `domain`. */
  takePageAndType(mfn: Mfn, type: FrameTypeValue, domain: number, how: TakeHow = {}): Outcome {
    if (!how.held) {
      const refusal = this.getPage(mfn, domain);
      if (refusal) return refusal;
    }
    const outcome = how.preemptible ? this.take(mfn, type, how.xenL2) : this.preemption.without(() => this.take(mfn, type, how.xenL2));
    if (outcome === null || how.held) return outcome;
    // A table whose audit failed half way keeps the reference until it is taken apart.
    const stays = this.deferred.table === mfn || (how.keep === true && outcome === 'partial');
    if (!stays) this.putPage(mfn);
    return outcome;
  }

  /** As takePageAndType, but without a break: what a failed audit leaves is taken apart at once. */
  getPageAndType(mfn: Mfn, type: FrameTypeValue, domain: number): Refusal | null {
    return this.whole(() => {
      this.drain();
      const outcome = this.takePageAndType(mfn, type, domain, { preemptible: true });
      this.drain();
      return outcome;
    });
  }

  putPageAndType(mfn: Mfn): void {
    this.putType(mfn);
    this.putPage(mfn);
  }

  /** Something that cannot be continued: it runs to its end, with what it leaves to be taken apart. */
  private whole(act: () => Outcome): Refusal | null {
    return this.preemption.without(() => {
      const outcome = act();
      if (isStop(outcome)) throw new Error(`an audit stopped (${outcome}) where it cannot be continued`);
      return outcome;
    });
  }

  /** Takes apart what the vCPU's last call left. A stop: not finished yet. */
  drain(left: Deferred = this.deferred): Stop | null {
    const { table } = left;
    if (table === null) return null;
    const stop = this.drop(table, left.parent, left.partial);
    if (stop) {
      left.partial = stop === 'partial';
      return 'partial';
    }
    left.table = null;
    left.parent = null;
    left.partial = true;
    this.putPage(table);
    return null;
  }

  /** Leaves a table to be taken apart later; the reference that the caller has goes with it. */
  defer(table: Mfn, parent: Mfn | null, partial: boolean): void {
    const left = this.deferred;
    if (left.table !== null && left.table !== table && !partial) throw new Error(`frame ${hex(left.table)} is still to be taken apart`);
    left.table = table;
    left.parent = parent;
    left.partial = partial;
  }

  /** Pins a table, without a break: it stays of its type without being in use. */
  pin(mfn: Mfn, level: number, domain: number): Refusal | null {
    return this.whole(() => {
      const outcome = this.pinTable(mfn, level, domain);
      this.drain();
      return outcome;
    });
  }

  pinTable(mfn: Mfn, level: number, domain: number): Outcome {
    const type = TABLE_TYPE[level]!;
    const got = this.takePageAndType(mfn, type, domain, { preemptible: true });
    if (isStop(got)) return 'partial';
    if (got) {
      const owned = this.ram.valid(mfn) && this.frames.owner[this.ram.index(mfn)] === domain;
      return owned ? alsoPrints(got, 'pin-failed', { error: `${negative(got.errno)}`, mfn: frameText(mfn) }) : got;
    }
    const i = this.ram.index(mfn);
    if (this.frames.flags[i]! & FLAG_PINNED) {
      const refusal = refuse(
        'EINVAL',
        'table-pinned-already',
        { frame: this.frames.fact(mfn) },
        { template: 'already-pinned', args: { mfn: frameText(mfn) } },
      );
      if (level === 1) this.putPageAndType(mfn);
      else this.defer(mfn, null, false);
      return refusal;
    }
    this.frames.flags[i]! |= FLAG_PINNED;
    this.frames.stampPin(i);
    return null;
  }

  unpin(mfn: Mfn, domain: number): Refusal | null {
    const got = this.getPage(mfn, domain);
    if (got) return alsoPrints(got, 'unpin-owner', { mfn: frameText(mfn), domain: `${domain}` });
    const i = this.ram.index(mfn);
    if (!(this.frames.flags[i]! & FLAG_PINNED)) {
      const refusal = refuse(
        'EINVAL',
        'table-not-pinned',
        { frame: this.frames.fact(mfn) },
        { template: 'not-pinned', args: { mfn: frameText(mfn) } },
      );
      this.putPage(mfn);
      return refusal;
    }
    this.frames.flags[i]! &= ~FLAG_PINNED;
    this.letGo(mfn);
    this.putPage(mfn);
    return null;
  }

  /** Drops a general and a type reference; what is not finished at once is left for later. True: something is left. */
  letGo(mfn: Mfn): boolean {
    const stop = this.drop(mfn);
    if (stop === null) {
      this.putPage(mfn);
      return false;
    }
    this.defer(mfn, null, stop === 'partial');
    return true;
  }

  /** Changes one entry of a table in use, as mmu_update and update_va_mapping do. The table's type decides the rules. */
  updateEntry(table: Mfn, slot: number, value: bigint, domain: number, how: UpdateHow = {}): Outcome {
    return updateEntry(this, table, slot, value, domain, how);
  }

  store(table: Mfn, slot: number, entry: bigint): void {
    this.ram.setEntry(table, slot, entry);
    this.observer.written(table);
  }

  /** The frame's pseudo-physical number as Xen prints it. */
  pfnText(mfn: Mfn): string {
    return frameText(this.frames.m2p[this.ram.index(mfn)]!);
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

  /** A page that Xen shared with a domain that is gone: what is left belongs to those who map it. */
  stopSharing(mfn: Mfn): void {
    const f = this.frames;
    const i = this.ram.index(mfn);
    f.flags[i]! &= ~(FLAG_ALLOCATED | FLAG_SPECIAL);
    f.typeCount[i]!--;
    f.references[i]!--;
  }

  /** A page that Xen shared with a guest is Xen's own again. Nobody else may hold it. */
  takeBackShared(mfn: Mfn): void {
    const f = this.frames;
    const i = this.ram.index(mfn);
    if (!(f.flags[i]! & FLAG_SPECIAL) || f.references[i] !== 1) throw new Error(`shared frame ${hex(mfn)} is still in use`);
    f.references[i] = 0;
    f.typeCount[i] = 0;
    f.type[i] = FrameType.none;
    f.flags[i] = 0;
    f.owner[i] = OWNER_XEN;
    this.observer.revoke(mfn, 'not shared any more');
    this.observer.written(mfn);
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

  /** Takes a frame away from its domain although it is allocated (memory_op.exchange): only one that nothing else refers to. Nobody
   * owns it then; allocated() gives it back. */
  steal(mfn: Mfn, domain: number): Refusal | null {
    const f = this.frames;
    const bad = (rule: string): Refusal =>
      refuse('EINVAL', rule, { frame: f.fact(mfn), domain }, { template: 'bad-steal', args: this.stealArgs(mfn, domain) });
    if (!this.ram.valid(mfn))
      return f.elsewhere(mfn) || f.low(mfn) ? bad('frame-not-yours') : refuse('EINVAL', 'frame-not-yours', { frame: f.fact(mfn), domain });
    const i = this.ram.index(mfn);
    if (f.references[i] === 0 || f.owner[i] !== domain || f.flags[i]! & FLAG_SPECIAL) return bad('frame-not-yours');
    if (f.references[i] !== 1 || !(f.flags[i]! & FLAG_ALLOCATED)) return bad('frame-in-use');
    f.references[i] = 0;
    f.flags[i] = 0;
    f.type[i] = FrameType.none;
    f.owner[i] = NOBODY;
    this.observer.revoke(mfn, 'taken back');
    return null;
  }

  private stealArgs(mfn: Mfn, domain: number): Record<string, string> {
    const f = this.frames;
    const inside = this.ram.valid(mfn);
    if (f.low(mfn))
      return { mfn: frameText(mfn), domain: `${domain}`, owner: `${OWNER_IO}`, caf: '8000000000000001', taf: 'e400000000000001' };
    const i = inside ? this.ram.index(mfn) : 0;
    const owner = !inside ? f.ownerElsewhere : f.references[i] === 0 ? 0x7ff4 : f.owner[i]!;
    return {
      mfn: frameText(mfn),
      domain: `${domain}`,
      owner: `${owner}`,
      caf: (inside ? f.countInfo(mfn) : 0n).toString(16).padStart(8, '0'),
      taf: (inside ? f.typeInfo(mfn) : 0n).toString(16).padStart(16, '0'),
    };
  }
}
