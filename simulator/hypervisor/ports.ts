// I/O ports as Xen lets a domain see them. It keeps the CMOS index and PCI's configuration address for each domain; all else of the machine is
// dom0's, without the interrupt controllers, the interval timer but for its second channel, the power management timer and the serial port that
// is Xen's console. A domU meets no device: reads give all ones.
// Behaviour of Xen 4.17 (arch/x86/pv/emul-priv-op.c, arch/x86/dom0_build.c).

import { PM_TIMER } from '../pc/acpi.ts';
import type { Pc } from '../pc/pc.ts';
import type { Domain } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';

const CMOS_INDEX = 0x70;
const CMOS_DATA = 0x71;
const PCI_ADDRESS = 0xcf8;
const PCI_DATA = 0xcfc;
const PCI_ENABLE = 0x8000_0000;
const PIT_PORTS = [0x42, 0x43, 0x61];
const ONES = 0xff;

/** First and last of the ports that dom0 may not reach: interrupt controllers, interval timer, its gate, the timer of power management, the
 * serial port of Xen's console, PCI's data. */
const DENIED = [
  [0x20, 0x21],
  [0xa0, 0xa1],
  [0x40, 0x43],
  [0x61, 0x61],
  [PM_TIMER, PM_TIMER + 3],
  [0x3f8, 0x3ff],
  [PCI_DATA, PCI_DATA + 3],
] as const;

const permitted = (port: number, size: number): boolean => !DENIED.some(([first, last]) => port <= last && port + size > first);

/** The machine itself answers: not the address register of PCI as a whole, nor CMOS. */
const direct = (port: number, size: number): boolean =>
  !(port === PCI_ADDRESS && size === 4) && !(port <= CMOS_DATA && port + size > CMOS_INDEX) && permitted(port, size);

const pcOf = (hv: Hypervisor, domain: Domain): Pc | null => (domain.isDom0 ? hv.pc : null);

export function readPort(hv: Hypervisor, domain: Domain, port: number, size: number): number {
  const pc = pcOf(hv, domain);
  if (pc && direct(port, size)) return pc.in(port, size);
  let value = 0;
  for (let n = 0; n < size; ) {
    const at = port + n;
    if (at === PCI_ADDRESS && size - n === 4) return domain.ports.pciAddress;
    const part = pieceOf(pc !== null, at, size - n);
    value += readPiece(pc, domain, at, part) * 256 ** n;
    n += part;
  }
  return value;
}

/** Bytes that Xen reads or writes at once from a range that it does not hand through as a whole. */
function pieceOf(dom0: boolean, port: number, left: number): number {
  if (port >= PCI_DATA && port < PCI_DATA + 4) {
    const size = Math.min(left, PCI_DATA + 4 - port);
    return size === 3 ? 2 : size;
  }
  const isOwn = PIT_PORTS.includes(port) || port === CMOS_INDEX || port === CMOS_DATA;
  return dom0 && !isOwn && left > 1 && port % 2 === 0 && permitted(port, 2) ? 2 : 1;
}

function readPiece(pc: Pc | null, domain: Domain, port: number, size: number): number {
  const ones = 256 ** size - 1;
  if (port === CMOS_INDEX) return domain.ports.cmosIndex;
  if (!pc) return ones;
  if (PIT_PORTS.includes(port)) return port === 0x43 ? ONES : pc.pit.in(port);
  if (port === CMOS_DATA) return pc.cmos.read(domain.ports.cmosIndex & 0x7f);
  if (port >= PCI_DATA && port < PCI_DATA + 4) {
    const { enabled, bus, devfn, register } = pciPlace(domain, port);
    return enabled ? pc.pci.read(bus, devfn, register, size) : ones;
  }
  return permitted(port, size) ? pc.in(port, size) : ones;
}

export function writePort(hv: Hypervisor, domain: Domain, port: number, size: number, value: number): void {
  const pc = pcOf(hv, domain);
  if (pc && direct(port, size)) {
    pc.out(port, size, value);
    return;
  }
  for (let n = 0; n < size; ) {
    const at = port + n;
    const rest = Math.floor(value / 256 ** n);
    if (at === PCI_ADDRESS && size - n === 4) {
      domain.ports.pciAddress = rest;
      return;
    }
    const part = pieceOf(pc !== null, at, size - n);
    writePiece(pc, domain, at, part, rest % 256 ** part);
    n += part;
  }
}

function writePiece(pc: Pc | null, domain: Domain, port: number, size: number, value: number): void {
  if (port === CMOS_INDEX) domain.ports.cmosIndex = value;
  else if (!pc) return;
  else if (PIT_PORTS.includes(port)) pc.pit.out(port, value);
  else if (port === CMOS_DATA) pc.cmos.write(domain.ports.cmosIndex & 0x7f, value);
  else if (port >= PCI_DATA && port < PCI_DATA + 4) {
    const { enabled, bus, devfn, register } = pciPlace(domain, port);
    if (enabled) pc.pci.write(bus, devfn, register, size, value);
  } else if (permitted(port, size)) pc.out(port, size, value);
}

/** The function and register that a port of PCI's data belongs to. */
function pciPlace(domain: Domain, port: number): { enabled: boolean; bus: number; devfn: number; register: number } {
  const address = domain.ports.pciAddress;
  return {
    enabled: address >= PCI_ENABLE,
    bus: (address >>> 16) & 0xff,
    devfn: (address >>> 8) & 0xff,
    register: (address & 0xfc) | (port & 3),
  };
}
