// What a device of the simulated PC is to the machine, and what the machine is to it.

/** Registers behind I/O ports. */
export interface PortDevice {
  /** First port and how many. */
  readonly ports: readonly { readonly first: number; readonly count: number }[];
  /** Little-endian value of `size` bytes from `port` on, all inside the device's ports. */
  in(port: number, size: number): number;
  out(port: number, size: number, value: number): void;
}

/** Registers behind machine addresses. */
export interface MemoryDevice {
  /** First machine address and bytes, multiples of a page; empty while it is switched off. */
  readonly start: number;
  readonly bytes: number;
  /** The registers of one page as reading them shows them. */
  page(offset: number): Uint8Array;
  /** A store of `bytes` at an offset from the device's start. */
  store(offset: number, bytes: Uint8Array): void;
}

/** Services of the machine. */
export interface PcHost {
  /** Guest time in ns, and the wall clock in ns since 1970 at guest time 0. */
  now(): number;
  readonly wallclockAtStart: number;
  /** Something at a moment of guest time; setting a name again replaces it. */
  at(name: string, time: number, act: () => void): void;
  cancel(name: string): void;
  /** State of an input of the I/O APIC. */
  line(gsi: number, asserted: boolean): void;
  /** A device's access to memory by machine address. */
  dma: DmaMemory;
}

export interface DmaMemory {
  /** Bytes at a machine address: what a device reads. Where no memory is, all zero. */
  read(address: number, bytes: number): Uint8Array;
  write(address: number, bytes: Uint8Array): void;
}
