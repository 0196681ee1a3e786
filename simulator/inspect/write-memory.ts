// A debugger's store into guest memory: write protection does not matter, but what Xen audits (page tables, descriptor pages, the
// M2P) is never changed behind its back.

import { asMfn } from '../../abi/address.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import type { VcpuState } from '../hypervisor/vcpu.ts';
import { FrameType, OWNER_XEN } from '../memory/frame-table.ts';

/** Bytes written, up to the first page that cannot be. */
export function writeGuest(hv: Hypervisor, vcpu: VcpuState, address: bigint, bytes: Uint8Array): number {
  const { ram, walker, frames } = hv.memory;
  for (let done = 0; done < bytes.length; ) {
    const machine = walker.peek(vcpu.currentRoot(), BigInt.asUintN(64, address + BigInt(done)));
    if (machine < 0) return done;
    const mfn = asMfn(Math.floor(machine / 4096));
    const index = ram.index(mfn);
    const type = frames.type[index]!;
    const audited = frames.typeCount[index]! > 0 && type >= FrameType.l1 && type <= FrameType.segDesc;
    if (audited || frames.owner[index] === OWNER_XEN) return done;
    const offset = machine % 4096;
    const part = Math.min(4096 - offset, bytes.length - done);
    ram.page(mfn).set(bytes.subarray(done, done + part), offset);
    hv.written(mfn);
    done += part;
  }
  return bytes.length;
}
