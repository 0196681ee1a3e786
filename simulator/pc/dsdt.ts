// The devices of the simulated PC as its DSDT names them: the PCI bus with its interrupt links, ISA's clock and serial port, the HPET, one
// processor, and the sleep states.

import * as aml from './aml.ts';
import { HPET } from './memory-map.ts';

const PRESENT = 0xf;
/** Present, enabled, working, not shown. */
const LINK_STATE = 0xb;
/** Interrupts to which firmware has routed the four lines of the bus; line 5 is the one of power management. */
const ROUTES = [10, 10, 11, 11] as const;
const CHOICES = [5, 10, 11] as const;
export const SCI = 9;

const linkName = (n: number): string => `LNK${'ABCD'[n]}`;

function link(name: string, id: number, irq: number, choices: readonly number[]): aml.Aml {
  return aml.device(
    name,
    aml.named('_HID', aml.eisa('PNP0C0F')),
    aml.named('_UID', aml.integer(id)),
    aml.named('_PRS', aml.resources(aml.apicIrqs(...choices))),
    aml.named('_CRS', aml.resources(aml.apicIrqs(irq))),
    aml.named('_STA', aml.integer(LINK_STATE)),
    aml.method('_DIS', 0),
    aml.method('_SRS', 1),
  );
}

/** Line of a slot's pin: the first pin of slot 1 is line A's. */
const lineOf = (slot: number, pin: number): number => (slot + pin + 3) % 4;
/** The interrupt of a slot's first pin, as firmware writes it into the device. */
export const interruptOf = (slot: number): number => ROUTES[lineOf(slot, 0)]!;

const SLOTS = 32;
function routing(): aml.Aml[] {
  const entries: aml.Aml[] = [];
  for (let slot = 0; slot < SLOTS; slot++) {
    for (let pin = 0; pin < 4; pin++) {
      const address = aml.integer(slot * 0x1_0000 + 0xffff);
      entries.push(aml.packageOf(address, aml.integer(pin), aml.reference(linkName(lineOf(slot, pin))), aml.integer(0)));
    }
  }
  return entries;
}

const isa = (name: string, id: string, ...crs: readonly aml.Aml[]): aml.Aml =>
  aml.device(name, aml.named('_HID', aml.eisa(id)), aml.named('_STA', aml.integer(PRESENT)), aml.named('_CRS', aml.resources(...crs)));

/** `topOfMemory`: first address of the hole in which devices have their registers. */
export function dsdtBody(topOfMemory: number): aml.Aml {
  const pci = aml.device(
    'PCI0',
    aml.named('_HID', aml.eisa('PNP0A03')),
    aml.named('_ADR', aml.integer(0)),
    aml.named('_UID', aml.integer(0)),
    aml.named(
      '_CRS',
      aml.resources(
        aml.busWindow(0, 0xff),
        aml.ioPorts(0xcf8, 8),
        aml.portWindow(0, 0xcf7),
        aml.portWindow(0xd00, 0xffff),
        aml.memoryWindow(0xa_0000, 0xb_ffff, true),
        aml.memoryWindow(topOfMemory, 0xfebf_ffff),
        aml.highWindow(0x1_0000_0000, 0x1_7fff_ffff),
      ),
    ),
    aml.named('_PRT', aml.packageOf(...routing())),
    aml.device(
      'ISA_',
      aml.named('_ADR', aml.integer(0x1_0000)),
      isa('COM1', 'PNP0501', aml.ioPorts(0x3f8, 8), aml.isaIrq(4)),
      isa('RTC_', 'PNP0B00', aml.ioPorts(0x70, 8), aml.isaIrq(8)),
    ),
  );
  const hpet = aml.device(
    'HPET',
    aml.named('_HID', aml.eisa('PNP0103')),
    aml.named('_UID', aml.integer(0)),
    aml.named('_STA', aml.integer(PRESENT)),
    aml.named('_CRS', aml.resources(aml.memory32(HPET, 0x400))),
  );
  const processors = aml.device(
    'CPUS',
    aml.named('_HID', aml.text('ACPI0010')),
    aml.named('_CID', aml.eisa('PNP0A05')),
    aml.device('C000', aml.named('_HID', aml.text('ACPI0007')), aml.named('_UID', aml.integer(0)), aml.named('_STA', aml.integer(PRESENT))),
  );
  const sleep = (name: string, type: number): aml.Aml =>
    aml.named(name, aml.packageOf(aml.integer(type), aml.integer(type), aml.integer(0), aml.integer(0)));
  return [
    ...aml.scope(
      '_SB_',
      hpet,
      pci,
      ...ROUTES.map((irq, n) => link(linkName(n), n, irq, CHOICES)),
      link('LNKS', ROUTES.length, SCI, [SCI]),
      processors,
    ),
    ...sleep('\\_S3_', 1),
    ...sleep('\\_S4_', 2),
    ...sleep('\\_S5_', 0),
  ];
}
