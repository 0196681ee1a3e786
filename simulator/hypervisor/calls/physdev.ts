// physdev_op in both forms: the I/O privilege of a guest, and interrupts of the machine's devices. Xen copies each structure first, checks its
// numbers, and asks for a privilege last. What concerns PCI devices is in physdev-pci.ts.
// Source: answers of Xen 4.17, recorded in test/conformance/recorded/calls* and machine*; arch/x86/physdev.c and irq.c for their order.

import { asMfn } from '../../../abi/address.ts';
import { hypercallByNumber, operationByNumber } from '../../../abi/hypercalls.ts';
import { sizeOf } from '../../../abi/layout.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { GSIS } from '../../pc/io-apic.ts';
import { IO_APIC } from '../../pc/memory-map.ts';
import { type Answer, type Call, type HandlerResult, no, noSuch, notPrivileged } from '../call.ts';
import { endInterrupt, endUnmasked, pirqOf, pirqOfIrq, pirqsOf, setUpInput, unbindInput, usedByXen } from '../device-interrupts.ts';
import type { Domain } from '../domain.ts';
import { pciOperations } from './physdev-pci.ts';

const PHYSDEV_OP = 33;
const SELF = 0x7ff0;
const MAX_PORTS = 65536;
const FIRST_FREE_GSI = 16;
const MAP_TYPE = { msi: 0, gsi: 1, msiSegment: 3, multiMsi: 4 } as const;
/** Flags of irq_status_query: Xen says always that the interrupt has to be ended. */
const NEEDS_EOI = 1;
/** Vectors that the guest may name in an entry of the I/O APIC are delivered in mode 0 (fixed) or 1 (lowest priority). */
const LAST_DELIVERY_MODE = 1;
const MASKED = 0x1_0000;
const LEVEL = 0x8000;

const noIrq = (what: string, irq: number): Answer => no(refuse('EINVAL', 'no-such-irq', { what, irq }));

type Own = (call: Call, address: bigint, name: string) => HandlerResult;

const operations: Readonly<Record<number, Own>> = {
  4: unmaskNotify,
  5: irqStatus,
  6: setIopl,
  7: setIoBitmap,
  8: apicRead,
  9: apicWrite,
  10: allocVector,
  12: endOfInterrupt,
  13: mapPirq,
  14: unmapPirq,
  17: pirqEoiPage(true),
  21: setupGsi,
  23: getFreePirq,
  28: pirqEoiPage(false),
  ...pciOperations,
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
  const operation = operations[command];
  if (!operation) return noSuch('physdev_op', command);
  return operation(call, address, `physdev_op.${operationByNumber(hypercallByNumber(PHYSDEV_OP)!, command)?.name ?? command}`);
}

/** The oldest way to end interrupts, all at once: each whose port is not masked. */
function unmaskNotify(call: Call): HandlerResult {
  endUnmasked(call.hv, call.domain);
  return 0;
}

function irqStatus(call: Call, address: bigint, name: string): HandlerResult {
  const op = call.struct('physdev_irq_status_query', address);
  if (!op) return call.fault('physdev_irq_status_query');
  const irq = op.number('irq');
  if (irq >= pirqsOf(call.domain)) return noIrq(name, irq);
  op.set('flags', NEEDS_EOI);
  return call.put(address, op) ? 0 : call.fault('physdev_irq_status_query');
}

function apicRead(call: Call, address: bigint, name: string): HandlerResult {
  const op = call.struct('physdev_apic', address);
  if (!op) return call.fault('physdev_apic');
  if (!call.domain.isDom0) return notPrivileged(name);
  const known = op.big('apic_physbase') === BigInt(IO_APIC);
  if (known) op.set('value', call.hv.pc!.ioApic.read(op.number('reg')));
  if (!call.put(address, op)) return call.fault('physdev_apic');
  return known ? 0 : no(refuse('EINVAL', 'no-such-io-apic', { address: hex(op.big('apic_physbase')) }));
}

/** The low half of an entry: it sets up the input as setup_gsi does, and maps the interrupt that stands in place of the vector. */
function apicWrite(call: Call, address: bigint, name: string): HandlerResult {
  const op = call.struct('physdev_apic', address);
  if (!op) return call.fault('physdev_apic');
  if (!call.domain.isDom0) return notPrivileged(name);
  if (op.big('apic_physbase') !== BigInt(IO_APIC))
    return no(refuse('EINVAL', 'no-such-io-apic', { address: hex(op.big('apic_physbase')) }));
  const [register, value] = [op.number('reg'), op.number('value')];
  if (register < 0x10 || register & 1) return 0;
  const irq = (register - 0x10) >> 1;
  if (((value >> 8) & 7) > LAST_DELIVERY_MODE) return noIrq(name, irq);
  if (irq >= GSIS) return noIrq(name, irq);
  const pirq = value & MASKED ? -1 : value & 0xff;
  if (pirq >= pirqsOf(call.domain)) return noIrq(name, pirq);
  const { ioApic } = call.hv.pc!;
  const bound = usedByXen(irq) || [...call.domain.pirqs.values()].some((each) => each.irq === irq && each.port !== 0);
  if (bound) return 0;
  if (pirq >= 0) {
    const refused = mapInput(call, pirq, irq, name);
    if (refused) return refused;
  }
  ioApic.programmed.delete(irq);
  setUpInput(call.hv, irq, (value & LEVEL) !== 0, false);
  return 0;
}

/** Vectors are Xen's affair: the number of the interrupt stands for its own. */
function allocVector(call: Call, address: bigint, name: string): HandlerResult {
  const op = call.struct('physdev_irq', address);
  if (!op) return call.fault('physdev_irq');
  if (!call.domain.isDom0) return notPrivileged(name);
  op.set('vector', op.number('irq'));
  return call.put(address, op) ? 0 : call.fault('physdev_irq');
}

function endOfInterrupt(call: Call, address: bigint, name: string): HandlerResult {
  const op = call.struct('physdev_eoi', address);
  if (!op) return call.fault('physdev_eoi');
  const { domain } = call;
  const irq = op.number('irq');
  const pirq = irq < pirqsOf(domain) ? domain.pirqs.get(irq) : undefined;
  if (!pirq) return noIrq(name, irq);
  if (domain.autoUnmask && pirq.port) domain.events.unmask(pirq.port);
  if (call.hv.pc) endInterrupt(call.hv, domain, irq);
  return 0;
}

/** The domain whose interrupts are meant, or the refusal. Only dom0 may name one; the own of a domU it may not change either. */
function domainOf(call: Call, domid: number, name: string): Domain | Answer {
  const named = domid === SELF ? call.domain : call.hv.domainById(domid);
  if (!named && !(domid === 0 && !call.domain.isDom0)) return no(refuse('ESRCH', 'no-such-domain', { what: name, domain: domid }));
  return call.domain.isDom0 ? named! : notPrivileged(name);
}

function mapPirq(call: Call, address: bigint, name: string): HandlerResult {
  const op = call.struct('physdev_map_pirq', address);
  if (!op) return call.fault('physdev_map_pirq');
  const type = op.number('type');
  if (type === MAP_TYPE.multiMsi && op.big('table_base') !== 0n) return noIrq(name, op.number('index'));
  const answer = mapOf(call, op.number('domid'), type, op.number('index'), op.number('pirq'), name);
  if (typeof answer === 'number') op.set('pirq', answer);
  if (type === MAP_TYPE.msiSegment) op.set('type', MAP_TYPE.msi);
  if (!call.put(address, op)) return call.fault('physdev_map_pirq');
  return typeof answer === 'number' ? 0 : answer;
}

/** The number that the interrupt is mapped to, or the refusal. */
function mapOf(call: Call, domid: number, type: number, index: number, wanted: number, name: string): number | Answer {
  const domain = domainOf(call, domid, name);
  if (!('pirqs' in domain)) return domain;
  const isMsi = type === MAP_TYPE.msi || type === MAP_TYPE.msiSegment || type === MAP_TYPE.multiMsi;
  // No device of this machine sends messages.
  if (isMsi) return index === -1 ? no(refuse('ENODEV', 'no-message-interrupts', { what: name })) : noIrq(name, index);
  if (type !== MAP_TYPE.gsi || index < 0 || index >= GSIS) return noIrq(name, index);
  const irq = call.domain.pirqs.get(index)?.irq || index;
  const current = pirqOfIrq(domain, irq);
  if (wanted >= 0 && current !== null && current !== wanted) return no(refuse('EEXIST', 'irq-mapped-already', { irq, pirq: current }));
  const pirq = wanted >= 0 ? wanted : (current ?? freePirq(domain, MAP_TYPE.gsi));
  if (pirq === null) return noIrq(name, index);
  return mapInput(call, pirq, irq, name, domain) ?? pirq;
}

/** Maps an input of the I/O APIC to a number of the domain. One that leads elsewhere already stays as it is. */
function mapInput(call: Call, pirq: number, irq: number, name: string, domain: Domain = call.domain): Answer | null {
  if (irq === 0) return no(refuse('EPERM', 'pirq-not-permitted', { pirq }));
  if (pirq >= pirqsOf(domain)) return noIrq(name, pirq);
  const old = domain.pirqs.get(pirq)?.irq ?? 0;
  const current = pirqOfIrq(domain, irq);
  if ((old > 0 && old !== irq) || (current !== null && current !== pirq)) return null;
  const record = pirqOf(domain, pirq);
  record.irq = irq;
  record.reserved = false;
  return null;
}

function unmapPirq(call: Call, address: bigint, name: string): HandlerResult {
  const op = call.struct('physdev_unmap_pirq', address);
  if (!op) return call.fault('physdev_unmap_pirq');
  const domain = domainOf(call, op.number('domid'), name);
  if (!('pirqs' in domain)) return domain;
  const number = op.number('pirq');
  const pirq = domain.pirqs.get(number);
  if (!pirq || pirq.irq <= 0) return noIrq(name, number);
  if (pirq.port) {
    // The port stays bound, to nothing.
    unbindInput(call.hv, domain, number);
  }
  domain.pirqs.delete(number);
  return 0;
}

function setupGsi(call: Call, address: bigint, name: string): HandlerResult {
  const op = call.struct('physdev_setup_gsi', address);
  if (!op) return call.fault('physdev_setup_gsi');
  const gsi = op.number('gsi');
  if (gsi < 0 || gsi >= GSIS) return noIrq(name, gsi);
  if (!call.domain.isDom0) return notPrivileged(name);
  const done = setUpInput(call.hv, gsi, op.number('triggering') !== 0, op.number('polarity') !== 0);
  return done ? 0 : no(refuse('EEXIST', 'gsi-set-up-already', { gsi }));
}

function freePirq(domain: Domain, type: number): number | null {
  const free = (n: number): boolean => {
    const known = domain.pirqs.get(n);
    return !known || (known.irq <= 0 && !known.reserved);
  };
  if (type === MAP_TYPE.gsi) for (let n = FIRST_FREE_GSI; n < GSIS; n++) if (free(n)) return n;
  for (let n = pirqsOf(domain) - 1; n >= GSIS; n--) if (free(n)) return n;
  return null;
}

function getFreePirq(call: Call, address: bigint, name: string): HandlerResult {
  const op = call.struct('physdev_get_free_pirq', address);
  if (!op) return call.fault('physdev_get_free_pirq');
  const pirq = freePirq(call.domain, op.number('type'));
  if (pirq === null) return no(refuse('ENOSPC', 'no-such-irq', { what: name, irq: pirqsOf(call.domain) }));
  pirqOf(call.domain, pirq).reserved = true;
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

/** pirq_eoi_gmfn: a page in which Xen marks interrupts that need an end-of-interrupt call. In the first version that call unmasks the port too. */
function pirqEoiPage(unmasks: boolean): Own {
  return (call, address) => {
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
    if (unmasks) call.domain.autoUnmask = true;
    return 0;
  };
}
