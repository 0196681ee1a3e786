// PCI configuration space of the simulated PC's one bus: the functions on it and their registers. Ports 0xcf8 and 0xcfc are Xen's affair.
// Source: PCI Local Bus specification 3.0, 6.1 and 6.2; the functions are those of QEMU's "pc" without its disk controller.

export interface PciFunction {
  /** Device number * 8 + function. */
  readonly devfn: number;
  readonly config: Uint8Array;
  /** Which bits of a register the guest can change, by byte. */
  readonly writable: Uint8Array;
  /** Bytes of the address range behind register 0x10; 0: none. */
  readonly barBytes: number;
  /** A store changed the registers. */
  changed?: () => void;
}

const COMMAND = 4;
const BAR0 = 0x10;
const INTERRUPT_LINE = 0x3c;

export interface PciIdentity {
  readonly devfn: number;
  readonly vendor: number;
  readonly device: number;
  readonly revision: number;
  /** Class, subclass, interface. */
  readonly classCode: number;
  readonly multifunction?: true;
  readonly command: number;
  readonly status: number;
  readonly subsystem: { readonly vendor: number; readonly device: number };
  /** Address range of registers, and where firmware put it. */
  readonly bar?: { readonly bytes: number; readonly at: number };
  /** Interrupt pin (1 is A) and the line that firmware routed it to. */
  readonly interrupt?: { readonly pin: number; readonly line: number };
  /** Further registers: offset and value of one byte, and bits that can be written. */
  readonly more?: readonly (readonly [offset: number, value: number, writable?: number])[];
}

export function pciFunction(identity: PciIdentity): PciFunction {
  const config = new Uint8Array(256);
  const writable = new Uint8Array(256);
  const view = new DataView(config.buffer);
  view.setUint16(0, identity.vendor, true);
  view.setUint16(2, identity.device, true);
  view.setUint16(COMMAND, identity.command, true);
  view.setUint16(6, identity.status, true);
  config[8] = identity.revision;
  config[9] = identity.classCode & 0xff;
  view.setUint16(10, identity.classCode >>> 8, true);
  config[14] = identity.multifunction ? 0x80 : 0;
  view.setUint16(0x2c, identity.subsystem.vendor, true);
  view.setUint16(0x2e, identity.subsystem.device, true);
  writable[COMMAND] = 0x47;
  writable[COMMAND + 1] = 0x05;
  writable[INTERRUPT_LINE] = 0xff;
  if (identity.bar) {
    view.setUint32(BAR0, identity.bar.at, true);
    new DataView(writable.buffer).setUint32(BAR0, -identity.bar.bytes >>> 0, true);
  }
  if (identity.interrupt) {
    config[INTERRUPT_LINE] = identity.interrupt.line;
    config[INTERRUPT_LINE + 1] = identity.interrupt.pin;
  }
  for (const [offset, value, bits = 0] of identity.more ?? []) {
    config[offset] = value;
    writable[offset] = bits;
  }
  return { devfn: identity.devfn, config, writable, barBytes: identity.bar?.bytes ?? 0 };
}

const QUMRANET = { vendor: 0x1af4, device: 0x1100 } as const;

/** The host bridge, the ISA bridge, and the function for power management of the same chip. `routes`: interrupts of the four lines. */
export const bridges = (routes: readonly number[]): PciFunction[] => [
  pciFunction({
    devfn: 0,
    ...{ vendor: 0x8086, device: 0x1237, revision: 2, classCode: 0x06_0000, command: 0x103, status: 0, subsystem: QUMRANET },
    // Memory behind ROM addresses: read and write, as firmware left it.
    more: [[0x59, 0x10, 0x30], ...[0x5a, 0x5b, 0x5c, 0x5d, 0x5e].map((n) => [n, 0x11, 0x33] as const), [0x5f, 0x33, 0x33], [0x72, 2, 0x5a]],
  }),
  pciFunction({
    devfn: 8,
    ...{ vendor: 0x8086, device: 0x7000, revision: 0, classCode: 0x06_0100, multifunction: true, command: 0x103, status: 0x200 },
    subsystem: QUMRANET,
    more: [
      [0x4c, 0x4d, 0xff],
      [0x4e, 0x03, 0xff],
      ...routes.map((irq, n) => [0x60 + n, irq, 0xff] as const),
      [0x69, 2, 0xfe],
      [0x82, 0, 0xff],
    ],
  }),
  pciFunction({
    devfn: 11,
    ...{ vendor: 0x8086, device: 0x7113, revision: 3, classCode: 0x06_8000, command: 0x103, status: 0x280, subsystem: QUMRANET },
    interrupt: { pin: 1, line: 9 },
    // Where the ports of power management (0x600) and of the system management bus (0x700) lie, and that they are on.
    more: [
      [0x40, 1],
      [0x41, 6],
      [0x58, 0x80],
      [0x80, 1, 1],
      [0x90, 1],
      [0x91, 7],
      [0xd2, 9, 0xff],
    ],
  }),
];

export class PciBus {
  readonly functions = new Map<number, PciFunction>();

  constructor(functions: readonly PciFunction[]) {
    for (const each of functions) this.functions.set(each.devfn, each);
  }

  find(bus: number, devfn: number): PciFunction | null {
    return bus === 0 ? (this.functions.get(devfn) ?? null) : null;
  }

  /** Registers of a function; all ones where none is. */
  read(bus: number, devfn: number, offset: number, size: number): number {
    const found = this.find(bus, devfn);
    let value = 0;
    for (let n = 0; n < size; n++) value += (found ? found.config[offset + n]! : 0xff) * 256 ** n;
    return value;
  }

  write(bus: number, devfn: number, offset: number, size: number, value: number): void {
    const found = this.find(bus, devfn);
    if (!found) return;
    for (let n = 0; n < size; n++) {
      const bits = found.writable[offset + n]!;
      const byte = Math.floor(value / 256 ** n) & 0xff;
      found.config[offset + n] = (found.config[offset + n]! & ~bits) | (byte & bits);
    }
    found.changed?.();
  }
}

/** Address of a function's registers; null while the guest has not switched them on. */
export function barOf(func: PciFunction): number | null {
  const view = new DataView(func.config.buffer);
  return view.getUint16(COMMAND, true) & 2 ? (view.getUint32(BAR0, true) & ~0xf) >>> 0 : null;
}
/** May the function access memory by itself? */
export const busMaster = (func: PciFunction): boolean => (func.config[COMMAND]! & 4) !== 0;
