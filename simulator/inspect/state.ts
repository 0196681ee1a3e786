// Feeds the machine's state to a hash, in the order that the design names: vCPUs with TLBs, RAM in use, frame table, domain,
// events, grants, devices, clock.

import type { Engine } from '../cpu/engine-types.ts';
import type { Domain } from '../hypervisor/domain.ts';
import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import { NOBODY } from '../memory/frame-table.ts';
import { StateHash } from '../state-hash.ts';

export function hashMachine(hv: Hypervisor, engine: Engine): string {
  const hash = new StateHash();
  engine.hashState((bytes) => hash.bytes(bytes));
  const { frames, ram } = hv.memory;
  for (let n = 0; n < ram.frames; n++) {
    const owner = frames.owner[n]!;
    hash.word(owner);
    if (owner === NOBODY) continue;
    hash.word(frames.type[n]! | (frames.flags[n]! << 8));
    hash.word(frames.typeCount[n]!);
    hash.word(frames.references[n]!);
    hash.word(frames.linear[n]!);
    hash.bytes(ram.bytes.subarray(n * 4096, n * 4096 + 4096));
  }
  for (const domain of hv.domains.values()) hashDomain(hash, hv, domain);
  hash.number(hv.icount);
  hash.number(hv.jumped);
  return hash.hex();
}

function hashDomain(hash: StateHash, hv: Hypervisor, domain: Domain): void {
  const { console } = domain;
  for (const vcpu of domain.vcpus) {
    hash.text(
      JSON.stringify([
        vcpu.up,
        vcpu.asleep,
        vcpu.initialised,
        vcpu.wait,
        vcpu.kernelMode,
        vcpu.root,
        vcpu.userRoot,
        vcpu.kernelSs,
        vcpu.gdtFrames,
        vcpu.gdtEntries,
        vcpu.ldtEntries,
        [...vcpu.ldtFrames],
        vcpu.taskSwitched,
        vcpu.iopl,
        vcpu.info.mfn,
        vcpu.info.offset,
        vcpu.periodicPeriod,
        vcpu.periodicLast,
        vcpu.singleshot,
        vcpu.runState,
        vcpu.runStateSince,
        vcpu.runStateTime,
        vcpu.timeVersion,
        vcpu.entered,
        vcpu.ioBitmap?.ports ?? null,
      ]),
    );
    const addresses = [vcpu.event, vcpu.failsafe, vcpu.syscall, vcpu.syscall32, vcpu.sysenter].map((callback) => callback.address);
    for (const value of [...addresses, vcpu.kernelSp, vcpu.ldtBase, vcpu.cr2, vcpu.cr4, vcpu.otherGsBase, ...vcpu.dr]) hash.big(value);
    for (const trap of vcpu.traps) hash.big(trap.address);
  }
  hash.text(
    JSON.stringify([
      domain.pages,
      domain.pirqEoiPage,
      `${domain.assists}`,
      domain.ending?.kind ?? null,
      domain.watchdogs,
      domain.grants.version,
      domain.grants.frames,
      domain.grants.statusFrames,
      [...domain.grants.active],
      [...domain.grants.maptrack.inUse()].map(([handle, { flags, domain: granting, ref }]) => [handle, flags, granting, ref]),
      domain.events.state(),
      hv.consoleIn,
      [...(console?.waiting() ?? [])],
      console?.handedOn() ?? 0,
      `${hv.wallclock}`,
      domain.ports,
      [...domain.pirqs],
      domain.isDom0 ? (hv.pc?.state() ?? null) : null,
      hv.timers.ordered().map(({ name, at }) => [name, at]),
    ]),
  );
}
