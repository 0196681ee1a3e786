// The simulated PC that dom0 finds: firmware's memory with its tables, and devices behind ports, machine addresses and PCI's configuration
// space. What of it a domain may reach is Xen's affair (hypervisor/ports.ts, memory/entry-references.ts).

import { acpiTables, type Placed } from './acpi.ts';
import { Cmos } from './cmos.ts';
import type { MemoryDevice, PcHost, PortDevice } from './device.ts';
import { interruptOf } from './dsdt.ts';
import { Edu } from './edu.ts';
import { Hpet } from './hpet.ts';
import { IoApic } from './io-apic.ts';
import { bridges, PciBus } from './pci.ts';
import { PitChannel2 } from './pit.ts';
import { PowerManagement } from './power.ts';
import { lowMemory } from './smbios.ts';

const EDU_SLOT = 2;
const EDU_AT = 0xfea0_0000;
const ONES = 0xff;

export class Pc {
  readonly cmos: Cmos;
  readonly pit: PitChannel2;
  readonly power = new PowerManagement();
  readonly ioApic = new IoApic();
  readonly edu: Edu;
  readonly pci: PciBus;
  /** Devices that dom0 told Xen of: segment << 16 | bus << 8 | devfn. */
  readonly known = new Set<number>();
  private readonly portDevices: readonly PortDevice[];
  private readonly memoryDevices: readonly MemoryDevice[];

  constructor(host: PcHost) {
    this.cmos = new Cmos(host);
    this.pit = new PitChannel2(() => host.now());
    this.edu = new Edu(host, EDU_SLOT * 8, EDU_AT, interruptOf(EDU_SLOT));
    this.pci = new PciBus([...bridges([10, 10, 11, 11]), this.edu.function]);
    this.portDevices = [this.power];
    this.memoryDevices = [new Hpet(() => host.now()), this.ioApic, this.edu];
  }

  /** A read of the processor's `in`: devices where there are some, all ones else. */
  in(port: number, size: number): number {
    const found = this.deviceAt(port, size);
    if (found) return found.in(port, size);
    let value = 0;
    for (let n = 0; n < size; n++) value += (this.deviceAt(port + n, 1)?.in(port + n, 1) ?? ONES) * 256 ** n;
    return value;
  }

  out(port: number, size: number, value: number): void {
    const found = this.deviceAt(port, size);
    if (found) {
      found.out(port, size, value);
      return;
    }
    for (let n = 0; n < size; n++) this.deviceAt(port + n, 1)?.out(port + n, 1, Math.floor(value / 256 ** n) & 0xff);
  }

  private deviceAt(port: number, size: number): PortDevice | undefined {
    return this.portDevices.find(({ ports }) => ports.some(({ first, count }) => port >= first && port + size <= first + count));
  }

  /** The registers that a machine address belongs to; null: nothing is there, reads give 0 and stores are lost. */
  memoryAt(address: number): { readonly device: MemoryDevice; readonly offset: number } | null {
    const device = this.memoryDevices.find(({ start, bytes }) => address >= start && address < start + bytes);
    return device ? { device, offset: address - device.start } : null;
  }

  state(): unknown {
    return [
      this.cmos.state(),
      this.pit.state(),
      this.power.state(),
      this.ioApic.state(),
      this.edu.state(),
      [...this.known],
      [...this.pci.functions.values()].map(({ config }) => [...config]),
    ];
  }
}

/** What firmware leaves in memory. `hostFrames`: frames of RAM that Xen has. */
export const firmware = (hostFrames: number): Placed[] => [...acpiTables(hostFrames), ...lowMemory()];
