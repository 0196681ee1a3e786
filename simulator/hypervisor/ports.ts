// I/O ports: this machine has no devices behind them. Reads give all ones, except the two registers that Xen itself keeps:
// the CMOS index and PCI's configuration address.

import type { Hypervisor } from './hypervisor.ts';

const CMOS_INDEX = 0x70;
const PCI_ADDRESS = 0xcf8;

/** Ports state that survives: index by port. */
export function readPort(hv: Hypervisor, port: number, size: number): number {
  if (port === PCI_ADDRESS && size === 4) return hv.portState.pciAddress;
  let value = 0;
  for (let n = 0; n < size; n++) value += (port + n === CMOS_INDEX ? hv.portState.cmosIndex : 0xff) * 256 ** n;
  return value;
}

export function writePort(hv: Hypervisor, port: number, size: number, value: number): void {
  if (port === PCI_ADDRESS && size === 4) hv.portState.pciAddress = value;
  else if (port <= CMOS_INDEX && port + size > CMOS_INDEX) hv.portState.cmosIndex = Math.floor(value / 256 ** (CMOS_INDEX - port)) & 0x7f;
}
