// physdev_op in both forms: the I/O privilege of a guest, and interrupts and PCI devices of the machine, which a domU has none of. Xen copies each
// structure first, checks its numbers, and asks for a privilege last.
// Source: answers of Xen 4.17, recorded in test/conformance/recorded/calls*.

import { asMfn } from '../../../abi/address.ts';
import { hypercallByNumber, operationByNumber } from '../../../abi/hypercalls.ts';
import { type StructureName, type StructView, sizeOf } from '../../../abi/layout.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, noSuch, notImplemented, notPrivileged } from '../call.ts';
import type { Domain } from '../domain.ts';

const PHYSDEV_OP = 33;
const SELF = 0x7ff0;
const MAX_PORTS = 65536;
/** Interrupt lines of the machine's I/O APIC, and Xen's numbers for interrupts per domain: those and, for devices given to it, some more. */
const GSIS = 24;
const PIRQS = { dom0: 208, domU: 56 } as const;
const FIRST_FREE_GSI = 16;
const MAP_TYPE_GSI = 1;
const MAP_TYPE_MULTI_MSI = 4;
/** XENIRQSTAT_needs_eoi: to be on the safe side, always. */
const NEEDS_EOI = 1;

/** Numbers that get_free_pirq has given out, by domain. */
const given = new WeakMap<Domain, Set<number>>();

const pirqsOf = (call: Call): number => (call.domain.isDom0 ? PIRQS.dom0 : PIRQS.domU);

type Check = (call: Call, op: StructView) => Answer | null;

interface Form {
  readonly type: StructureName;
  /** Refusals that come before the privilege is asked for. */
  readonly check?: Check;
  /** The privilege is asked for before the structure is copied. */
  readonly privilegeFirst?: true;
}

const noIrq = (what: string, irq: number): Answer => no(refuse('EINVAL', 'no-such-irq', { what, irq }));

/** Of other domains only dom0 can be named; the own one has no interrupts to give away. */
const domainOf =
  (what: string): Check =>
  (call, op) => {
    const domid = op.number('domid');
    if (domid === 0 || domid === SELF || domid === call.domain.id) return null;
    return no(refuse('ESRCH', 'no-such-domain', { what, domain: domid }));
  };

/** The machine has a host bridge and no device else. */
const deviceOf: Check = (_call, op) => {
  const [bus, devfn] = [op.number('bus'), op.number('devfn')];
  return bus === 0 && devfn === 0 ? null : no(refuse('ENODEV', 'no-such-device', { bus, devfn }));
};

const forms: Readonly<Record<number, Form>> = {
  8: { type: 'physdev_apic' },
  9: { type: 'physdev_apic' },
  10: { type: 'physdev_irq' },
  13: {
    type: 'physdev_map_pirq',
    check: (call, op) =>
      op.number('type') === MAP_TYPE_MULTI_MSI && op.big('table_base') !== 0n
        ? noIrq('physdev_op.map_pirq', op.number('index'))
        : domainOf('physdev_op.map_pirq')(call, op),
  },
  14: { type: 'physdev_unmap_pirq', check: domainOf('physdev_op.unmap_pirq') },
  15: { type: 'physdev_manage_pci' },
  16: { type: 'physdev_manage_pci' },
  19: { type: 'physdev_restore_msi', check: deviceOf },
  20: {
    type: 'physdev_manage_pci_ext',
    check: (_call, op) =>
      op.number('is_extfn') > 1 || op.number('is_virtfn') > 1 ? noIrq('physdev_op.manage_pci_add_ext', op.number('devfn')) : null,
  },
  21: {
    type: 'physdev_setup_gsi',
    check: (_call, op) => (op.number('gsi') < 0 || op.number('gsi') >= GSIS ? noIrq('physdev_op.setup_gsi', op.number('gsi')) : null),
  },
  24: { type: 'physdev_pci_mmcfg_reserved', privilegeFirst: true },
  25: { type: 'physdev_pci_device_add' },
  26: { type: 'physdev_pci_device' },
  27: { type: 'physdev_pci_device', check: deviceOf },
  29: { type: 'physdev_dbgp_op', privilegeFirst: true },
  30: { type: 'physdev_pci_device' },
  31: { type: 'physdev_pci_device' },
};

type Own = (call: Call, address: bigint) => HandlerResult;

const own: Readonly<Record<number, Own>> = {
  4: () => 0,
  5: irqStatus,
  6: setIopl,
  7: setIoBitmap,
  12: endOfInterrupt,
  17: pirqEoiPage,
  23: getFreePirq,
  28: pirqEoiPage,
};

export const physdevOp = (call: Call): HandlerResult => operate(call, call.s32(0), call.args[1]!);

/** The old form: the command and its structure lie together. */
export function physdevOpCompat(call: Call): HandlerResult {
  const uop = call.args[0]!;
  const bytes = call.read(uop, sizeOf('physdev_op', call.bits));
  if (!bytes) return call.fault('physdev_op');
  const command = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
  return operate(call, command, uop + BigInt(call.word));
}

function operate(call: Call, command: number, address: bigint): HandlerResult {
  const mine = own[command];
  if (mine) return mine(call, address);
  const form = forms[command];
  if (!form) return noSuch('physdev_op', command);
  const name = `physdev_op.${operationByNumber(hypercallByNumber(PHYSDEV_OP)!, command)?.name ?? command}`;
  if (form.privilegeFirst && !call.domain.isDom0) return notPrivileged(name);
  const op = call.struct(form.type, address);
  if (!op) return call.fault(form.type);
  const wrong = form.check?.(call, op);
  if (wrong) return wrong;
  return call.domain.isDom0 ? notImplemented(name) : notPrivileged(name);
}

function irqStatus(call: Call, address: bigint): HandlerResult {
  const op = call.struct('physdev_irq_status_query', address);
  if (!op) return call.fault('physdev_irq_status_query');
  const irq = op.number('irq');
  if (irq >= pirqsOf(call)) return noIrq('physdev_op.irq_status_query', irq);
  op.set('flags', NEEDS_EOI);
  return call.put(address, op) ? 0 : call.fault('physdev_irq_status_query');
}

/** No interrupt is ever bound on this machine: there is none to end. */
function endOfInterrupt(call: Call, address: bigint): HandlerResult {
  const op = call.struct('physdev_eoi', address);
  return op ? noIrq('physdev_op.eoi', op.number('irq')) : call.fault('physdev_eoi');
}

function getFreePirq(call: Call, address: bigint): HandlerResult {
  const op = call.struct('physdev_get_free_pirq', address);
  if (!op) return call.fault('physdev_get_free_pirq');
  const taken = given.get(call.domain) ?? new Set<number>();
  given.set(call.domain, taken);
  let pirq = -1;
  if (op.number('type') === MAP_TYPE_GSI) {
    for (let n = FIRST_FREE_GSI; n < GSIS && pirq < 0; n++) if (!taken.has(n)) pirq = n;
  }
  for (let n = pirqsOf(call) - 1; n >= GSIS && pirq < 0; n--) if (!taken.has(n)) pirq = n;
  if (pirq < 0) return no(refuse('ENOSPC', 'no-such-irq', { what: 'physdev_op.get_free_pirq', irq: pirqsOf(call) }));
  taken.add(pirq);
  op.set('pirq', pirq);
  return call.put(address, op) ? 0 : call.fault('physdev_get_free_pirq');
}

function setIopl(call: Call, address: bigint): HandlerResult {
  const op = call.struct('physdev_set_iopl', address);
  if (!op) return call.fault('physdev_set_iopl');
  const iopl = op.number('iopl');
  if (iopl > 3) return no(refuse('EINVAL', 'iopl', { iopl }));
  call.vcpu.iopl = iopl;
  return 0;
}

function setIoBitmap(call: Call, address: bigint): HandlerResult {
  const op = call.struct('physdev_set_iobitmap', address);
  if (!op) return call.fault('physdev_set_iobitmap');
  const ports = op.number('nr_ports');
  const bitmap = op.big('bitmap');
  const allowed = call.addressOk(bitmap) && call.addressOk(bitmap + BigInt(MAX_PORTS / 8));
  if (!allowed) return no(refuse('EINVAL', 'address-of-xen', { address: hex(bitmap) }));
  if (ports > MAX_PORTS) return no(refuse('EINVAL', 'too-many-ports', { ports, most: MAX_PORTS }));
  call.vcpu.ioBitmap = ports ? { address: bitmap, ports } : null;
  return 0;
}

/** pirq_eoi_gmfn: a page in which Xen marks interrupts that need an end-of-interrupt call. This machine has no interrupts to mark. */
function pirqEoiPage(call: Call, address: bigint): HandlerResult {
  const op = call.struct('physdev_pirq_eoi_gmfn', address);
  if (!op) return call.fault('physdev_pirq_eoi_gmfn');
  const mfn = asMfn(Number(op.big('gmfn') & 0xff_ffff_ffffn));
  const { types } = call.hv.memory;
  const refusal = types.getPageAndType(mfn, FrameType.writable, call.domain.id);
  if (refusal) return no({ ...refusal, errno: 'EINVAL' });
  if (call.domain.pirqEoiPage !== null) {
    types.putPageAndType(mfn);
    return no(refuse('EBUSY', 'eoi-page-set-already', {}));
  }
  call.domain.pirqEoiPage = mfn;
  return 0;
}
