// The physical address space of the simulated PC as Xen shows it to dom0: its memory map (e820), where firmware's memory and the registers of
// devices lie, and which of that dom0 may map. The PC is the one that QEMU calls "pc" (i440FX and PIIX), as the reference machine is.
// Source: answers of Xen 4.17 in test/conformance/recorded (machine*); ACPI specification 15 for the types of ranges.

export const E820 = { ram: 1, reserved: 2 } as const;

export interface MapEntry {
  readonly start: number;
  readonly size: number;
  readonly type: number;
}

export const IO_APIC = 0xfec0_0000;
export const HPET = 0xfed0_0000;
const LOCAL_APIC = 0xfee0_0000;
/** Firmware's read-only memory below 4 GiB. */
const FLASH = 0xfffc_0000;
/** Addresses that AMD's processors keep for HyperTransport. */
const HYPER_TRANSPORT = { start: 0xfd_0000_0000, end: 0x100_0000_0000 } as const;
const FIRST_MIB = 0x10_0000;
/** Conventional memory ends where the extended BIOS data area begins. */
export const EBDA = 0x9_fc00;
const VIDEO = 0xa_0000;
export const BIOS = 0xf_0000;
/** Firmware's tables lie in so many bytes behind the last usable RAM. */
export const FIRMWARE_BYTES = 0x2_0000;
const PAGE = 4096;

/** First byte behind the RAM that Xen can use: there firmware keeps its tables. `hostFrames`: frames up to there. */
export const tablesAt = (hostFrames: number): number => hostFrames * PAGE;

/** What memory_op.machine_memory_map gives: the map of firmware, and ranges that dom0 may not map as reserved. */
export function machineMap(hostFrames: number, amd: boolean): MapEntry[] {
  const tables = tablesAt(hostFrames);
  const range = (start: number, end: number, type: number = E820.reserved): MapEntry => ({ start, size: end - start, type });
  return [
    range(0, EBDA, E820.ram),
    range(EBDA, VIDEO),
    range(BIOS, FIRST_MIB),
    range(FIRST_MIB, tables, E820.ram),
    range(tables, tables + FIRMWARE_BYTES),
    range(IO_APIC, IO_APIC + PAGE),
    range(LOCAL_APIC, LOCAL_APIC + 0x10_0000),
    range(FLASH, 0x1_0000_0000),
    ...(amd ? [range(HYPER_TRANSPORT.start, HYPER_TRANSPORT.end)] : []),
  ];
}

/** Entries of firmware's own map: memory_op.machine_memory_map asks for room for one more than these before it looks further. */
export const firmwareEntries = (amd: boolean): number => (amd ? 7 : 6);

/** Machine frames of firmware's memory that can be read and written like RAM: the first MiB, which without a video card is all RAM, and the tables. */
export function memoryFrames(hostFrames: number): number[] {
  const frames: number[] = [];
  for (let address = 0; address < FIRST_MIB; address += PAGE) frames.push(address / PAGE);
  for (let n = 0; n < FIRMWARE_BYTES / PAGE; n++) frames.push(hostFrames + n);
  return frames;
}

/** May dom0 map this frame, which is none of Xen's RAM? Not the local APICs and what messages of devices go to, nor HyperTransport's range. */
export function dom0MayMap(mfn: number, amd: boolean): boolean {
  const address = mfn * PAGE;
  if (address >= 2 ** 40) return false;
  if (address >= LOCAL_APIC && address < LOCAL_APIC + 0x10_0000) return false;
  return !(amd && address >= HYPER_TRANSPORT.start && address < HYPER_TRANSPORT.end);
}

/** Frames that Xen lets dom0 map read only, whatever the entry says: it uses what is behind them itself. */
export const readOnlyFrame = (mfn: number): boolean => mfn === IO_APIC / PAGE || mfn === HPET / PAGE;
