// What holds references to frames besides page tables: vCPUs, back ends, pages that Xen was told to use.

import { grantMapFlags as M } from '../../abi/constants/grant.table.ts';
import type { Domain } from '../hypervisor/domain.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import { FrameType, type FrameTypeValue } from '../memory/frame-table.ts';

export interface Holder {
  readonly mfn: number;
  /** The type of which it holds a reference; null: a general reference only. */
  readonly type: FrameTypeValue | null;
  readonly why: string;
}

export function holders(hv: Hypervisor): Holder[] {
  const found: Holder[] = [];
  for (const domain of hv.domains.values()) ofDomain(hv, domain, found);
  return found;
}

function ofDomain(hv: Hypervisor, domain: Domain, found: Holder[]): void {
  const hold = (mfn: number | null, type: FrameTypeValue | null, why: string): void => {
    if (mfn !== null) found.push({ mfn, type, why });
  };
  const rings = domain.console ? domain.image : null;
  hold(rings?.store ?? null, FrameType.writable, 'the back end of the XenStore ring');
  hold(rings?.console ?? null, FrameType.writable, 'the back end of the console ring');
  hold(domain.pirqEoiPage, FrameType.writable, 'the page of physdev_op.pirq_eoi_gmfn');
  for (const frame of domain.events.fifo()?.frames() ?? []) hold(frame, FrameType.writable, 'a page of the FIFO event channels');
  for (const [handle, { flags, domain: granting, ref }] of domain.grants.maptrack.inUse()) {
    // A host map's references are those of its entry.
    const active = hv.domainById(granting)?.grants.active.get(ref);
    if (!(flags & M.GNTMAP_device_map) || !active) continue;
    hold(active.mfn, flags & M.GNTMAP_readonly ? null : FrameType.writable, `the device map with handle ${handle} of domain ${domain.id}`);
  }
  const top = domain.bits === 64 ? FrameType.l4 : FrameType.l3;
  for (const vcpu of domain.vcpus) {
    const of = `of d${domain.id}v${vcpu.id}`;
    if (vcpu.initialised) hold(vcpu.root, top, `the base pointer ${of}`);
    hold(vcpu.userRoot, FrameType.l4, `the user base pointer ${of}`);
    for (const mfn of vcpu.gdtFrames) hold(mfn, FrameType.segDesc, `the GDT ${of}`);
    for (const mfn of vcpu.ldtFrames.values()) hold(mfn, FrameType.segDesc, `the LDT ${of}`);
    if (vcpu.infoMoved) hold(vcpu.info.mfn, FrameType.writable, `the vcpu_info ${of}`);
    const { table, partial } = vcpu.deferred;
    if (table !== null) {
      const type = hv.memory.frames.type[hv.memory.ram.index(table)]! as FrameTypeValue;
      hold(table, partial ? null : type, `what is left to take apart ${of}`);
    }
  }
}
