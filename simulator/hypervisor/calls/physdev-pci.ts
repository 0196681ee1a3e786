// The operations of physdev_op that concern PCI devices: dom0 tells Xen which there are. The simulated machine has no I/O memory management
// unit, and none of its devices sends messages.
// Source: answers of Xen 4.17, recorded in test/conformance/recorded/calls* and machine*; arch/x86/physdev.c, drivers/passthrough/pci.c.

import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, notPrivileged } from '../call.ts';

type Own = (call: Call, address: bigint, name: string) => HandlerResult;

const MMCFG_RESERVED = 1;

const noDevice = (segment: number, bus: number, devfn: number): Answer =>
  no(refuse('ENODEV', 'no-such-device', { ...(segment ? { segment } : {}), bus, devfn }));

const key = (segment: number, bus: number, devfn: number): number => (segment << 16) | (bus << 8) | devfn;
const textOf = (segment: number, bus: number, devfn: number): string =>
  `${segment.toString(16).padStart(4, '0')}:${bus.toString(16).padStart(2, '0')}:${(devfn >> 3).toString(16).padStart(2, '0')}.${devfn & 7}`;

/** Adds a device to those that Xen knows. Whether one is there at all it does not look. */
function add(call: Call, segment: number, bus: number, devfn: number, name: string): HandlerResult {
  if (!call.domain.isDom0) return notPrivileged(name);
  call.hv.pc!.known.add(key(segment, bus, devfn));
  call.hv.log(`PCI add device ${textOf(segment, bus, devfn)}`, call.vcpu);
  return 0;
}

function remove(call: Call, segment: number, bus: number, devfn: number, name: string): HandlerResult {
  if (!call.domain.isDom0) return notPrivileged(name);
  if (!call.hv.pc!.known.delete(key(segment, bus, devfn))) return noDevice(segment, bus, devfn);
  call.hv.log(`PCI remove device ${textOf(segment, bus, devfn)}`, call.vcpu);
  return 0;
}

/** The host bridge is known when a dom0 has told of it; a domU of this machine finds it told. */
const isKnown = (call: Call, segment: number, bus: number, devfn: number): boolean =>
  call.domain.isDom0 ? call.hv.pc!.known.has(key(segment, bus, devfn)) : segment === 0 && bus === 0 && devfn === 0;

function restore(call: Call, segment: number, bus: number, devfn: number, name: string): HandlerResult {
  if (!isKnown(call, segment, bus, devfn)) return noDevice(segment, bus, devfn);
  // No device has messages to restore.
  return call.domain.isDom0 ? 0 : notPrivileged(name);
}

const managePci =
  (act: typeof add): Own =>
  (call, address, name) => {
    const op = call.struct('physdev_manage_pci', address);
    return op ? act(call, 0, op.number('bus'), op.number('devfn'), name) : call.fault('physdev_manage_pci');
  };

const withSegment =
  (structure: 'physdev_pci_device_add' | 'physdev_pci_device', act: typeof add): Own =>
  (call, address, name) => {
    const op = call.struct(structure, address);
    return op ? act(call, op.number('seg'), op.number('bus'), op.number('devfn'), name) : call.fault(structure);
  };

function addExtended(call: Call, address: bigint, name: string): HandlerResult {
  const op = call.struct('physdev_manage_pci_ext', address);
  if (!op) return call.fault('physdev_manage_pci_ext');
  if (op.number('is_extfn') > 1 || op.number('is_virtfn') > 1)
    return no(refuse('EINVAL', 'no-such-irq', { what: name, irq: op.number('devfn') }));
  return add(call, 0, op.number('bus'), op.number('devfn'), name);
}

/** No device has MSI-X; the privilege is asked for first. */
const msix: Own = (call, address, name) => {
  const op = call.struct('physdev_pci_device', address);
  if (!op) return call.fault('physdev_pci_device');
  if (!call.domain.isDom0) return notPrivileged(name);
  return noDevice(op.number('seg'), op.number('bus'), op.number('devfn'));
};

/** The machine has no memory-mapped configuration space. */
function mmcfg(call: Call, address: bigint, name: string): HandlerResult {
  if (!call.domain.isDom0) return notPrivileged(name);
  const op = call.struct('physdev_pci_mmcfg_reserved', address);
  if (!op) return call.fault('physdev_pci_mmcfg_reserved');
  const flags = op.number('flags');
  if (flags & ~MMCFG_RESERVED) return no(refuse('EINVAL', 'field-not-zero', { what: name, field: 'flags' }));
  return no(refuse('ENODEV', 'no-mmcfg', { segment: op.number('segment') }));
}

/** Xen uses no USB debug port: whatever is asked of it is well. */
function debugPort(call: Call, address: bigint, name: string): HandlerResult {
  if (!call.domain.isDom0) return notPrivileged(name);
  return call.struct('physdev_dbgp_op', address) ? 0 : call.fault('physdev_dbgp_op');
}

export const pciOperations: Readonly<Record<number, Own>> = {
  15: managePci(add),
  16: managePci(remove),
  19: (call, address, name) => {
    const op = call.struct('physdev_restore_msi', address);
    return op ? restore(call, 0, op.number('bus'), op.number('devfn'), name) : call.fault('physdev_restore_msi');
  },
  20: addExtended,
  24: mmcfg,
  25: withSegment('physdev_pci_device_add', add),
  26: withSegment('physdev_pci_device', remove),
  27: withSegment('physdev_pci_device', restore),
  29: debugPort,
  30: msix,
  31: msix,
};
