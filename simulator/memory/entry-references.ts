// What a present entry of a page table holds: a reference to the frame that it names, and one of the type that it needs there.
// A level 1 entry needs 'writable' if it allows stores, an upper one the table of the level below, or, read only, one of its own
// level (a linear page table).
// Behaviour of Xen 4.17 (arch/x86/mm.c).

import type { Mfn } from '../../abi/address.ts';
import type { Refusal } from '../../abi/refusal.ts';
import { disallowedFlags, entryFlags, entryMfn, isPresent, PTE } from './entry.ts';
import { FLAG_SPECIAL, FLAG_VALIDATED, FrameType, TABLE_TYPE } from './frame-table.ts';
import { isStop, type Outcome, type Stop } from './outcome.ts';
import type { PageTypes, TakeHow } from './page-types.ts';
import { alsoPrints, frameText, hex, noReference, refuse } from './refuse.ts';

/** The frame number of an entry whose address bits are all set. */
const NO_FRAME = 0xff_ffff_ffff;

/** Flags as Xen prints them: bits 52 to 63 above the low twelve. */
const packedFlags = (flags: bigint): string => (((flags >> 40n) & ~0xfffn) | (flags & 0xfffn)).toString(16);

export class EntryReferences {
  private readonly types: PageTypes;

  constructor(types: PageTypes) {
    this.types = types;
  }

  /** Null when an entry of this level may have its flags. */
  flagsAllowed(level: number, entry: bigint, domain: number): Refusal | null {
    const { observer } = this.types;
    const bad = entryFlags(entry) & disallowedFlags(level, observer.ioRights(domain), observer.bits(domain));
    if (!bad) return null;
    return refuse(
      'EINVAL',
      'entry-flags',
      { level, entry: hex(entry), flags: hex(bad) },
      { template: 'bad-flags', args: { level: `${level}`, flags: packedFlags(bad) } },
    );
  }

  /** Takes what a level 1 entry of `domain` holds. `pages`: the domain whose frames it may name. */
  getFromL1(entry: bigint, domain: number, pages = domain): Refusal | null {
    const { types } = this;
    const { frames: f, ram } = types;
    const mfn = entryMfn(entry);
    const bad = this.flagsAllowed(1, entry, domain);
    if (bad) return bad;
    if (!ram.valid(mfn) && !f.elsewhere(mfn)) {
      if (types.observer.ioMapping?.(mfn, domain)) return null;
      if (mfn === NO_FRAME) return refuse('EINVAL', 'frame-invalid', { frame: f.fact(mfn), entry: hex(entry) });
      return refuse(
        'EPERM',
        'frame-is-no-ram',
        { frame: f.fact(mfn), entry: hex(entry) },
        { template: 'mmio-map', args: { domain: `${domain}`, mfn: frameText(mfn) } },
      );
    }
    const owner = this.ownerOf(mfn);
    if (!ram.valid(mfn) || (owner !== pages && !this.handsOn(pages, domain, owner))) return this.ofAnother(entry, domain, pages, owner);
    const i = ram.index(mfn);
    f.references[i]!++;
    if (entry & PTE.write) {
      const wrong = types.getType(mfn, FrameType.writable);
      if (wrong) {
        types.putPage(mfn);
        const refusal: Refusal = { ...wrong, errno: 'EBUSY', rule: 'table-mapped-writable', facts: { ...wrong.facts, entry: hex(entry) } };
        return this.couldNotPin(alsoPrints(refusal, 'no-writable-type', {}), entry, domain, pages);
      }
    }
    if (entry & (PTE.writeThrough | PTE.cacheDisable | PTE.size) && f.flags[i]! & FLAG_SPECIAL) {
      if (entry & PTE.write) types.putType(mfn);
      types.putPage(mfn);
      return refuse('EACCES', 'cache-attributes', { frame: f.fact(mfn), entry: hex(entry) }, { template: 'cache-attributes', args: {} });
    }
    return null;
  }

  /** Flags that Xen turns round in an entry of a device's frame: read only where the domain may not write, and never cached. */
  deviceFlags(entry: bigint, domain: number): bigint {
    const mfn = entryMfn(entry);
    if (this.types.ram.valid(mfn) || this.types.frames.elsewhere(mfn)) return 0n;
    const readOnly = this.types.observer.ioMapping?.(mfn, domain) === 'read' ? entry & PTE.write : 0n;
    switch (entry & (PTE.writeThrough | PTE.cacheDisable | PTE.size)) {
      case 0n:
        return readOnly | PTE.writeThrough | PTE.cacheDisable;
      case PTE.writeThrough:
        return readOnly | PTE.cacheDisable;
      case PTE.writeThrough | PTE.size:
        return readOnly | PTE.cacheDisable | PTE.size;
      default:
        return readOnly;
    }
  }

  /** Null: nobody's. */
  private ownerOf(mfn: Mfn): number | null {
    const { frames: f, ram } = this.types;
    if (!ram.valid(mfn)) return f.ownerElsewhere;
    const i = ram.index(mfn);
    return f.references[i] === 0 ? null : f.owner[i]!;
  }

  /** A privileged domain whose frames were named lets the tables of another name what it could map itself. */
  private handsOn(pages: number, domain: number, owner: number | null): boolean {
    return owner !== null && pages !== domain && this.types.observer.ioRights(pages);
  }

  private ofAnother(entry: bigint, domain: number, pages: number, owner: number | null): Refusal {
    const refusal = refuse(
      'EBUSY',
      'frame-not-yours',
      { frame: this.types.frames.fact(entryMfn(entry)), domain, entry: hex(entry) },
      { template: 'page-owner', args: { pages: `${pages}`, domain: `${domain}`, owner: `${owner ?? -1}` } },
    );
    return this.couldNotPin(refusal, entry, domain, pages);
  }

  private couldNotPin(refusal: Refusal, entry: bigint, domain: number, pages: number): Refusal {
    const mfn = entryMfn(entry);
    return alsoPrints(refusal, 'l1-entry', {
      mfn: frameText(mfn),
      pfn: this.types.ram.valid(mfn) ? this.types.pfnText(mfn) : 'ffffffffffffffff',
      entry: entry.toString(16).padStart(16, '0'),
      domain: `${domain}`,
      pages: `${pages}`,
    });
  }

  /** Takes what an entry of level 2 to 4 in `table` holds. */
  getFromUpper(level: number, entry: bigint, table: Mfn, domain: number, how: TakeHow = {}): Outcome {
    const bad = this.flagsAllowed(level, entry, domain);
    if (bad) return bad;
    const { types } = this;
    const mfn = entryMfn(entry);
    const outcome = types.takePageAndType(mfn, TABLE_TYPE[level - 1]!, domain, { ...how, preemptible: level > 2 });
    if (outcome === null || isStop(outcome) || outcome.errno !== 'EINVAL') return outcome;
    const refusal = noReference(outcome, mfn);
    if (level === 3 && types.observer.bits(domain) === 32) return refusal;
    return this.getLinear(level, mfn, entry, table, domain, refusal);
  }

  /** An entry that names a table of its own level: allowed for one in use that has no such entries itself. Else `refusal` is the answer. */
  private getLinear(level: number, mfn: Mfn, entry: bigint, table: Mfn, domain: number, refusal: Refusal): Refusal | null {
    if (entry & PTE.write) return alsoPrints(refusal, 'linear-writable', {});
    if (mfn === table) return null;
    const { types } = this;
    const { frames: f, ram } = types;
    const t = ram.index(table);
    if (f.owner[t] !== domain) return refusal;
    const missing = types.getPage(mfn, domain);
    if (missing) return missing.xenLine ? alsoPrints(refusal, missing.xenLine.template, missing.xenLine.args) : refusal;
    const i = ram.index(mfn);
    const validated = (f.flags[i]! & FLAG_VALIDATED) !== 0 && f.type[i] === level && f.typeCount[i]! > 0;
    if (f.linear[t]! < 0 || f.linear[i]! > 0 || !validated) {
      types.putPage(mfn);
      return refusal;
    }
    f.linear[t]!++;
    f.linear[i]!--;
    f.typeCount[i]!++;
    return null;
  }

  /** Drops what the level 1 entry in `slot` of `table` held. */
  putFromL1(entry: bigint, table: Mfn, slot: number): void {
    if (!isPresent(entry)) return;
    const mfn = entryMfn(entry);
    if (!this.types.ram.valid(mfn)) return;
    this.types.observer.entryDropped?.(table, slot, entry);
    if (entry & PTE.write) this.types.putType(mfn);
    this.types.putPage(mfn);
  }

  /** Drops what an entry of level 2 to 4 held. 'none': it held nothing. `partialOnly`: it is the one at which its table was stopped. */
  putFromUpper(entry: bigint, table: Mfn, partialOnly = false): Stop | 'none' | null {
    const mfn = entryMfn(entry);
    if (!isPresent(entry) || mfn === table) return 'none';
    const stop = this.types.drop(mfn, table, partialOnly);
    if (stop === null) this.types.putPage(mfn);
    return stop;
  }

  /** What an entry held that was replaced: a table is taken apart later. */
  deferFromUpper(entry: bigint, table: Mfn): void {
    const mfn = entryMfn(entry);
    if (isPresent(entry) && mfn !== table) this.types.defer(mfn, table, false);
  }
}
