// Interrupts of the machine's devices on their way to a domain: an input of the I/O APIC, Xen's descriptor of it, and the physical interrupt
// (PIRQ) of the domain that is bound to an event channel. An edge-triggered one is an event and no more; a level-triggered one stays masked
// until the domain ends it (physdev_op.eoi), or Xen does after a millisecond.
// Behaviour of Xen 4.17 (arch/x86/irq.c, common/event_channel.c).

import { RTC_IRQ } from '../pc/cmos.ts';
import { GSIS } from '../pc/io-apic.ts';
import { advise } from './advise.ts';
import type { Domain } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';

/** Numbers of interrupts that a domain has: the machine's lines and, for messages of devices and devices given to it, some more. */
export const pirqsOf = ({ isDom0 }: Domain): number => (isDom0 ? 208 : 56);

/** Inputs that Xen itself uses: the timer, and the serial port of its console. */
export const XEN_TIMER = 0;
const XEN_SERIAL = 4;
/** Vectors from here on, one for each input. */
const FIRST_VECTOR = 0x28;
const VECTOR_STEP = 8;
const FORCED_EOI_NS = 1_000_000;
const PAGE = 4096;

/** What Xen knows of one of a domain's interrupts. */
export interface Pirq {
  /** Input of the I/O APIC; 0: none. */
  irq: number;
  /** Given out by get_free_pirq and not mapped yet. */
  reserved: boolean;
  /** Event channel port; 0: none. */
  port: number;
  /** Delivered, and not ended yet. */
  masked: boolean;
  /** Times that Xen had to end it. */
  forced: number;
}

/** The record of an interrupt, made if there is none. */
export function pirqOf(domain: Domain, number: number): Pirq {
  const known = domain.pirqs.get(number);
  if (known) return known;
  const made: Pirq = { irq: 0, reserved: false, port: 0, masked: false, forced: 0 };
  domain.pirqs.set(number, made);
  return made;
}

/** Number of the domain's interrupt that an input is mapped to; null: none. */
export function pirqOfIrq(domain: Domain, irq: number): number | null {
  for (const [number, { irq: mapped }] of domain.pirqs) if (mapped === irq) return number;
  return null;
}

export const usedByXen = (irq: number): boolean => irq === XEN_TIMER || irq === XEN_SERIAL;

/** Programs an input the first time it is set up; false: it was already, or Xen or a domain uses it. */
export function setUpInput(hv: Hypervisor, gsi: number, level: boolean, low: boolean): boolean {
  const { ioApic } = hv.pc!;
  if (usedByXen(gsi) || bound(hv, gsi) || ioApic.programmed.has(gsi)) return false;
  ioApic.programmed.add(gsi);
  ioApic.program(gsi, { vector: FIRST_VECTOR + VECTOR_STEP * gsi, level, low, masked: true });
  return true;
}

const bound = (hv: Hypervisor, irq: number): boolean =>
  [...hv.domains.values()].some((domain) => [...domain.pirqs.values()].some((pirq) => pirq.irq === irq && pirq.port !== 0));

/** Binds an interrupt to a port that was just taken: the input is opened. */
export function bindInput(hv: Hypervisor, domain: Domain, number: number, port: number): void {
  const pirq = pirqOf(domain, number);
  pirq.port = port;
  pirq.forced = 0;
  const { ioApic } = hv.pc!;
  markNeedsEoi(hv, domain, number, ioApic.isLevel(pirq.irq));
  ioApic.mask(pirq.irq, false);
  // A level that waited is seen now.
  if (ioApic.isLevel(pirq.irq) && ioApic.asserted[pirq.irq]) deliver(hv, pirq.irq);
}

/** The port is closed: the input is masked again. */
export function unbindInput(hv: Hypervisor, domain: Domain, number: number): void {
  const pirq = domain.pirqs.get(number);
  if (!pirq?.port) return;
  pirq.port = 0;
  pirq.masked = false;
  hv.timers.cancel(eoiTimer(domain, number));
  if (hv.pc && pirq.irq > 0 && pirq.irq < GSIS) hv.pc.ioApic.mask(pirq.irq, true);
}

/** Marks in the page of physdev_op.pirq_eoi_gmfn whether an interrupt has to be ended by a call. */
function markNeedsEoi(hv: Hypervisor, domain: Domain, number: number, needs: boolean): void {
  const page = domain.pirqEoiPage;
  if (page === null || number >= PAGE * 8) return;
  const bytes = hv.memory.ram.page(page);
  const bit = 1 << (number & 7);
  bytes[number >> 3] = needs ? bytes[number >> 3]! | bit : bytes[number >> 3]! & ~bit;
  hv.written(page);
}

/** A device changes the state of its line. */
export function raiseLine(hv: Hypervisor, gsi: number, asserted: boolean): void {
  const { ioApic } = hv.pc!;
  const was = ioApic.asserted[gsi] === 1;
  ioApic.asserted[gsi] = asserted ? 1 : 0;
  if (asserted && !was && !bound(hv, gsi)) tellUnbound(hv, gsi);
  if (!asserted || ioApic.isMasked(gsi)) return;
  if (ioApic.isLevel(gsi) || !was) deliver(hv, gsi);
}

/** A device raises a line that nobody listens to: said once for each line. */
function tellUnbound(hv: Hypervisor, gsi: number): void {
  const { ioApic } = hv.pc!;
  const dom0 = hv.domainById(0);
  if (!dom0 || ioApic.told.has(gsi)) return;
  ioApic.told.add(gsi);
  const device = gsi === RTC_IRQ ? 'The clock of ISA' : 'The PCI device 00:02.0';
  advise(hv, hv.deviceStore?.vcpu ?? dom0.vcpus[0]!, 'interrupt-not-bound', { pirq: gsi, device }, hv.deviceStore?.at);
}

function deliver(hv: Hypervisor, irq: number): void {
  const level = hv.pc!.ioApic.isLevel(irq);
  for (const domain of hv.domains.values()) {
    const number = pirqOfIrq(domain, irq);
    if (number === null) continue;
    const pirq = domain.pirqs.get(number)!;
    if (!pirq.port || pirq.masked) continue;
    if (level) {
      pirq.masked = true;
      hv.timers.set(eoiTimer(domain, number), hv.now() + FORCED_EOI_NS, () => forceEnd(hv, domain, number));
    }
    domain.events.setPending(pirq.port, { peer: `interrupt ${number}` });
  }
}

const eoiTimer = ({ id }: Domain, number: number): string => `d${id} end of interrupt ${number}`;

/** The domain ends an interrupt. When its level is still there it comes again. */
export function endInterrupt(hv: Hypervisor, domain: Domain, number: number): void {
  const pirq = domain.pirqs.get(number);
  if (!pirq?.masked) return;
  pirq.masked = false;
  pirq.forced = 0;
  hv.timers.cancel(eoiTimer(domain, number));
  again(hv, pirq);
}

function again(hv: Hypervisor, pirq: Pirq): void {
  const { ioApic } = hv.pc!;
  if (ioApic.isLevel(pirq.irq) && ioApic.asserted[pirq.irq] && !ioApic.isMasked(pirq.irq)) deliver(hv, pirq.irq);
}

/** The domain did not end it in time: Xen does, and says nothing. The simulator says so once for each time that it is bound. */
function forceEnd(hv: Hypervisor, domain: Domain, number: number): void {
  const pirq = domain.pirqs.get(number);
  if (!pirq?.masked) return;
  pirq.masked = false;
  pirq.forced++;
  if (pirq.forced === 1) advise(hv, domain.vcpus[0]!, 'interrupt-not-ended', { pirq: number, port: pirq.port });
  again(hv, pirq);
}

/** For physdev_op.IRQ_UNMASK_NOTIFY: ends every interrupt whose port is not masked. */
export function endUnmasked(hv: Hypervisor, domain: Domain): void {
  for (const [number, { port, masked }] of domain.pirqs)
    if (masked && port && !domain.events.masked(port)) endInterrupt(hv, domain, number);
}
