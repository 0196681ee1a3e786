// Registers of power management: PM1 events and control, general purpose events, and the port that hands them over from firmware. Sleep states
// are entered through Xen (platform_op.enter_acpi_sleep): a store of SLP_EN to the control register by the guest itself is carried out too.
// Source: ACPI specification 4.8.

import { ACPI_DISABLE, ACPI_ENABLE, GPE0, PM1_CONTROL, PM1_EVENT, SMI_COMMAND } from './acpi.ts';
import type { PortDevice } from './device.ts';

const SCI_ENABLED = 1;
const SLEEP_ENABLE = 0x2000;

export class PowerManagement implements PortDevice {
  readonly ports = [
    { first: PM1_EVENT, count: 6 },
    { first: GPE0, count: 4 },
    { first: SMI_COMMAND, count: 1 },
  ];
  /** The type given with SLP_EN. */
  onSleep: (type: number) => void = () => {};
  private readonly enable = new Uint8Array(2);
  private readonly gpeEnable = new Uint8Array(2);
  private control = 0;

  in(port: number, size: number): number {
    let value = 0;
    for (let n = 0; n < size; n++) value += this.byte(port + n) * 256 ** n;
    return value;
  }

  private byte(port: number): number {
    if (port === SMI_COMMAND) return 0;
    if (port >= GPE0) return port < GPE0 + 2 ? 0 : this.gpeEnable[port - GPE0 - 2]!;
    if (port >= PM1_CONTROL) return (this.control >> (8 * (port - PM1_CONTROL))) & 0xff;
    // No event ever happens: the status is clear.
    return port < PM1_EVENT + 2 ? 0 : this.enable[port - PM1_EVENT - 2]!;
  }

  out(port: number, size: number, value: number): void {
    for (let n = 0; n < size; n++) this.store(port + n, Math.floor(value / 256 ** n) & 0xff);
  }

  private store(port: number, byte: number): void {
    if (port === SMI_COMMAND) {
      if (byte === ACPI_ENABLE) this.control |= SCI_ENABLED;
      if (byte === ACPI_DISABLE) this.control &= ~SCI_ENABLED;
    } else if (port >= GPE0 + 2) this.gpeEnable[port - GPE0 - 2] = byte;
    else if (port >= PM1_CONTROL && port < PM1_CONTROL + 2) {
      const shift = 8 * (port - PM1_CONTROL);
      const next = (this.control & ~(0xff << shift)) | (byte << shift);
      this.control = (next & ~SLEEP_ENABLE & ~SCI_ENABLED) | (this.control & SCI_ENABLED);
      if (next & SLEEP_ENABLE) this.onSleep((next >> 10) & 7);
    } else if (port >= PM1_EVENT + 2 && port < PM1_CONTROL) this.enable[port - PM1_EVENT - 2] = byte;
  }

  state(): unknown {
    return [[...this.enable], [...this.gpeEnable], this.control];
  }
}
