// Where in the guest's code a grant was given: a guest grants by storing into its table, which Xen does not see. The pages through which
// a domain can write to its table are watched, and each store that makes an entry a grant, or ends one, is noted.

import { grantFlags as F } from '../../../abi/constants/grant.table.ts';
import { writableMappings } from '../../memory/find-mappings.ts';
import type { Domain } from '../domain.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { VcpuState } from '../vcpu.ts';

/** A moment in the guest's code. */
export interface Moment {
  readonly icount: number;
  readonly rip: bigint;
}

/** Mappings of one frame of the table that are watched at most; a guest has one as a rule. */
const MAPPINGS = 32;
const PAGE = 4096;

interface Watched {
  /** Type references of each frame of the table when its mappings were looked for. */
  readonly counts: number[];
  pages: readonly bigint[];
  readonly given: Map<number, Moment>;
}

export class GrantingStores {
  private readonly domains = new Map<Domain, Watched>();

  /** Addresses of pages of the domain's to watch, or null when they are those of the last time. */
  look(hv: Hypervisor, vcpu: VcpuState): readonly bigint[] | null {
    const { domain } = vcpu;
    const { ram, frames } = hv.memory;
    const watched = this.of(domain);
    const tables = domain.grants.frames;
    if (watched.counts.length === tables.length && tables.every((mfn, n) => frames.typeCount[ram.index(mfn)] === watched.counts[n]))
      return null;
    watched.counts.splice(0, watched.counts.length, ...tables.map((mfn) => frames.typeCount[ram.index(mfn)]!));
    watched.pages = tables
      .filter((mfn) => frames.typeCount[ram.index(mfn)]! > 1)
      .flatMap((mfn) => writableMappings(ram, vcpu.currentRoot(), mfn, MAPPINGS, vcpu.bits).map(({ address }) => address));
    return watched.pages;
  }

  pages(domain: Domain): readonly bigint[] {
    return this.domains.get(domain)?.pages ?? [];
  }

  /** The guest stored at `address`, by the instruction at `rip`. */
  stored(hv: Hypervisor, vcpu: VcpuState, address: bigint, size: number, rip: bigint): void {
    const { grants } = vcpu.domain;
    const machine = hv.memory.walker.peek(vcpu.currentRoot(), address);
    const index = grants.frames.findIndex((mfn) => mfn === Math.floor(machine / PAGE));
    if (index < 0) return;
    const bytes = grants.version === 1 ? 8 : 16;
    const first = Math.floor((index * PAGE + (machine % PAGE)) / bytes);
    const last = Math.floor((index * PAGE + (machine % PAGE) + size - 1) / bytes);
    const { given } = this.of(vcpu.domain);
    for (let ref = first; ref <= Math.min(last, grants.entries - 1); ref++) {
      const granted = (grants.read(ref).flags & F.GTF_type_mask) !== F.GTF_invalid;
      if (!granted && !grants.active.has(ref)) given.delete(ref);
      else if (granted && !given.has(ref)) given.set(ref, { icount: hv.icount, rip });
    }
  }

  givenAt(domain: Domain, ref: number): Moment | null {
    return this.domains.get(domain)?.given.get(ref) ?? null;
  }

  private of(domain: Domain): Watched {
    const found = this.domains.get(domain);
    if (found) return found;
    const watched: Watched = { counts: [], pages: [], given: new Map() };
    this.domains.set(domain, watched);
    return watched;
  }
}
