// What a refusal or a fault looks like to somebody who has seen many: facts beside it that name the usual mistake behind it.

import type { Mfn } from '../../abi/address.ts';
import { addressSpace32, addressSpace64 } from '../../abi/constants/address-space.table.ts';
import { readBig, StructView } from '../../abi/layout.ts';
import type { FactValue, Refusal } from '../../abi/refusal.ts';
import { FrameType } from '../memory/frame-table.ts';
import { hex } from '../memory/refuse.ts';
import type { Domain } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { VcpuState } from './vcpu.ts';

const TABLES_SHOWN = 4;
const withFacts = (refusal: Refusal, facts: Readonly<Record<string, FactValue>>): Refusal => ({
  ...refusal,
  facts: { ...refusal.facts, ...facts },
});

/** A refused call with what the numbers in it look like. */
export function withHints(hv: Hypervisor, vcpu: VcpuState, refusal: Refusal): Refusal {
  const { facts, rule } = refusal;
  if (rule === 'no-l1-table' && typeof facts.address === 'string') {
    const elsewhere = mappedElsewhere(hv, vcpu, BigInt(facts.address));
    return elsewhere.length ? withFacts(refusal, { elsewhere }) : refusal;
  }
  const { frame } = facts;
  if ((rule !== 'frame-not-yours' && rule !== 'frame-is-no-ram') || typeof frame !== 'object' || !('mfn' in frame)) return refusal;
  const number = Number(frame.mfn);
  const machine = machineFrameOf(hv, vcpu.domain, number);
  const device = rule === 'frame-is-no-ram' ? (deviceAt(number) ?? 'memory or registers of a device, or nothing') : null;
  const mistake = consoleMember(hv, vcpu.domain, (console) => BigInt(number) === console);
  return withFacts(refusal, {
    ...(machine === null ? {} : { asPfn: hex(machine) }),
    ...(device === null ? {} : { device }),
    ...(mistake === null ? {} : { mistake }),
  });
}

/** A page fault with what its address looks like. */
export function withFaultHints(hv: Hypervisor, vcpu: VcpuState, address: bigint, refusal: Refusal): Refusal {
  const mistake = consoleFault(hv, vcpu, address);
  // Looked for only where the fault is the guest's end: a kernel that maps on demand faults often.
  const elsewhere = refusal.rule === 'page-not-present' && vcpu.traps[14]!.address === 0n ? mappedElsewhere(hv, vcpu, address) : [];
  const deviceAddress = refusal.rule === 'page-not-present' && address >> 32n === 0n ? deviceAt(Number(address >> 12n)) : null;
  return withFacts(refusal, {
    ...(mistake === null ? {} : { mistake }),
    ...(elsewhere.length ? { elsewhere } : {}),
    ...(deviceAddress === null ? {} : { deviceAddress }),
  });
}

/** Other top-level tables of the domain through which the address can be read. */
function mappedElsewhere(hv: Hypervisor, vcpu: VcpuState, address: bigint): string[] {
  const { frames, ram, walker } = hv.memory;
  const { domain } = vcpu;
  const top = domain.bits === 64 ? FrameType.l4 : FrameType.l3;
  const current = vcpu.currentRoot();
  const found: string[] = [];
  for (let i = 0; i < ram.frames && found.length < TABLES_SHOWN; i++) {
    if (frames.owner[i] !== domain.id || frames.type[i] !== top || frames.typeCount[i] === 0) continue;
    const mfn = ram.mfnAt(i);
    if (mfn !== current && walker.peek(mfn, address) >= 0) found.push(hex(mfn));
  }
  return found;
}

/** The machine frame of the domain's page of that pseudo-physical number, where it has one that it did not move. */
function machineFrameOf(hv: Hypervisor, domain: Domain, pfn: number): Mfn | null {
  const mfn = domain.image?.p2m[pfn];
  if (mfn === undefined || !hv.memory.ram.valid(mfn)) return null;
  return hv.memory.frames.fact(mfn).pfn === hex(pfn) ? mfn : null;
}

/** Frames without RAM of a PC, first and last, with what answers there on most machines. */
const DEVICES: readonly (readonly [number, number, string])[] = [
  [0xa0, 0xbf, 'the memory of the VGA adapter'],
  [0xc0, 0xff, 'option ROMs and the BIOS'],
  [0xfe000, 0xfe00f, 'the power management controller of Intel chipsets'],
  [0xfec00, 0xfec00, 'the I/O APIC'],
  [0xfed00, 0xfed00, 'the HPET'],
  [0xfed10, 0xfed17, 'the memory controller of Intel chipsets'],
  [0xfed1c, 0xfed1f, 'the registers of Intel chipsets (RCBA)'],
  [0xfed40, 0xfed44, 'the TPM'],
  [0xfee00, 0xfee00, 'the local APIC'],
  [0xff000, 0xfffff, 'the firmware’s flash memory'],
];
const deviceAt = (mfn: number): string | null => DEVICES.find(([first, last]) => mfn >= first && mfn <= last)?.[2] ?? null;

/** dom0's start_info has its screen where a domU's has the console ring: a kernel that reads the wrong member takes two numbers for a frame. */
function consoleMember(hv: Hypervisor, domain: Domain, is: (frame: bigint) => boolean): string | null {
  const { image } = domain;
  const mfn = image?.p2m[image.layout.startInfo];
  if (!domain.isDom0 || !image || mfn === undefined || !hv.memory.ram.valid(mfn)) return null;
  const info = new StructView('start_info', domain.bits, hv.memory.ram.page(mfn));
  const frame = info.big('console.domU.mfn');
  if (frame === 0n || !is(frame)) return null;
  const [offset, size] = [info.number('console.dom0.info_off'), info.number('console.dom0.info_size')];
  return `the guest reads start_info.console.domU (mfn ${hex(frame)}), but it runs as dom0 (SIF_INITDOMAIN), where these bytes are console.dom0: info_off ${offset}, info_size ${size}. dom0 has no console ring: it prints with console_io`;
}

/** The same, seen from the address that comes of it: the entry of the machine-to-physical table, or the page that it names. */
function consoleFault(hv: Hypervisor, vcpu: VcpuState, address: bigint): string | null {
  const { domain } = vcpu;
  const { bits, image } = domain;
  if (!image) return null;
  const word = bits === 64 ? 8 : 4;
  const table = bits === 64 ? addressSpace64.HYPERVISOR_VIRT_START : addressSpace32.HYPERVISOR_VIRT_START;
  return consoleMember(hv, domain, (frame) => {
    const entry = BigInt.asUintN(bits, table + frame * BigInt(word));
    if (address >= entry && address < entry + BigInt(word)) return true;
    const bytes = hv.peek(vcpu.root, entry, word);
    if (!bytes) return false;
    const place = BigInt.asUintN(bits, image.layout.ranges[0]!.from + (readBig(bytes, 0, word) << 12n));
    return address >> 12n === place >> 12n;
  });
}
