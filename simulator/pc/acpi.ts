// The ACPI tables of the simulated PC, as bytes at their addresses: RSDP, RSDT, FADT, FACS, DSDT, MADT, HPET, WAET.
// Source: ACPI specification 5.2; the tables' values are those of QEMU's "pc".

import { dsdtBody, SCI } from './dsdt.ts';
import { HPET, IO_APIC, tablesAt } from './memory-map.ts';

/** Ports of power management. */
export const PM1_EVENT = 0x600;
export const PM1_CONTROL = 0x604;
export const PM_TIMER = 0x608;
export const GPE0 = 0xafe0;
export const SMI_COMMAND = 0xb2;
export const ACPI_ENABLE = 0xf1;
export const ACPI_DISABLE = 0xf0;

export const RSDP_AT = 0xf_59d0;
const OEM = 'HYPRPT';
const OEM_TABLE = 'SIMULATE';
const CREATOR = 'HYPR';

class Writer {
  readonly bytes: Uint8Array;
  private readonly view: DataView;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  text(at: number, value: string): this {
    for (let n = 0; n < value.length; n++) this.bytes[at + n] = value.charCodeAt(n);
    return this;
  }

  set(at: number, size: 1 | 2 | 4 | 8, value: number): this {
    if (size === 1) this.view.setUint8(at, value);
    else if (size === 2) this.view.setUint16(at, value, true);
    else if (size === 4) this.view.setUint32(at, value, true);
    else this.view.setBigUint64(at, BigInt(value), true);
    return this;
  }
}

/** Sets the byte that makes all of them add up to 0. */
function balance(bytes: Uint8Array, at: number): void {
  bytes[at] = 0;
  bytes[at] = -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

const HEADER = 36;
function table(signature: string, size: number, fill: (w: Writer) => void): Uint8Array {
  const w = new Writer(size);
  w.text(0, signature).set(4, 4, size).set(8, 1, 1).text(10, OEM).text(16, OEM_TABLE).set(24, 4, 1).text(28, CREATOR).set(32, 4, 1);
  fill(w);
  balance(w.bytes, 9);
  return w.bytes;
}

function fadt(facs: number, dsdt: number): Uint8Array {
  return table('FACP', 116, (w) => {
    w.set(36, 4, facs).set(40, 4, dsdt).set(44, 1, 1).set(46, 2, SCI);
    w.set(48, 4, SMI_COMMAND).set(52, 1, ACPI_ENABLE).set(53, 1, ACPI_DISABLE);
    w.set(56, 4, PM1_EVENT).set(64, 4, PM1_CONTROL).set(76, 4, PM_TIMER).set(80, 4, GPE0);
    w.set(88, 1, 4).set(89, 1, 2).set(91, 1, 4).set(92, 1, 4);
    // No C2 or C3: their latencies are beyond what counts.
    w.set(96, 2, 0xfff).set(98, 2, 0xfff);
    // The century's CMOS register; wbinvd works, C1, no sleep button, RTC wakes from S4, the timer has 24 bits, the reset register does not exist.
    w.set(108, 1, 0x32).set(112, 4, 0x80a5);
  });
}

/** One processor, one I/O APIC with 24 inputs; the timer arrives at input 2, and the inputs of PCI's lines are level-triggered, active high. */
function madt(): Uint8Array {
  const overrides: [number, number, number][] = [[0, 2, 0], ...[5, 9, 10, 11].map((irq): [number, number, number] => [irq, irq, 0xd])];
  return table('APIC', HEADER + 8 + 8 + 12 + 10 * overrides.length + 6, (w) => {
    w.set(36, 4, 0xfee0_0000).set(40, 4, 1);
    let at = 44;
    w.set(at, 1, 0)
      .set(at + 1, 1, 8)
      .set(at + 4, 4, 1);
    at += 8;
    w.set(at, 1, 1)
      .set(at + 1, 1, 12)
      .set(at + 4, 4, IO_APIC);
    at += 12;
    for (const [irq, gsi, flags] of overrides) {
      w.set(at, 1, 2)
        .set(at + 1, 1, 10)
        .set(at + 3, 1, irq)
        .set(at + 4, 4, gsi)
        .set(at + 8, 2, flags);
      at += 10;
    }
    w.set(at, 1, 4)
      .set(at + 1, 1, 6)
      .set(at + 2, 1, 0xff)
      .set(at + 5, 1, 1);
  });
}

export interface Placed {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** All tables. They lie one behind the other where firmware's memory begins, the RSDP in the BIOS area. */
export function acpiTables(hostFrames: number): Placed[] {
  const placed: Placed[] = [];
  let next = tablesAt(hostFrames);
  const place = (bytes: Uint8Array): number => {
    const at = next;
    placed.push({ at, bytes });
    next += bytes.length;
    return at;
  };
  const facs = place(new Writer(64).text(0, 'FACS').set(4, 4, 64).bytes);
  const body = dsdtBody(hostFrames * 4096 + 0x2_0000);
  const dsdt = place(table('DSDT', HEADER + body.length, (w) => w.bytes.set(body, HEADER)));
  const listed = [
    place(fadt(facs, dsdt)),
    place(madt()),
    place(table('HPET', 56, (w) => w.set(36, 4, 0x8086_a201).set(44, 8, HPET))),
    // The clock of ISA and the power management timer need no care with several readers.
    place(table('WAET', 40, (w) => w.set(36, 4, 2))),
  ];
  const rsdt = place(
    table('RSDT', HEADER + 4 * listed.length, (w) => {
      for (const [n, address] of listed.entries()) w.set(HEADER + 4 * n, 4, address);
    }),
  );
  const rsdp = new Writer(20).text(0, 'RSD PTR ').text(9, OEM).set(16, 4, rsdt);
  balance(rsdp.bytes, 8);
  placed.push({ at: RSDP_AT, bytes: rsdp.bytes });
  return placed;
}
