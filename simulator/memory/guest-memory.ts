// The one door to a guest's memory for the hypervisor: copies to and from guest virtual addresses by the tables, rights and
// address limits that the vCPU has at that moment. A copy that meets a bad page fails as a whole for the caller (-EFAULT).

import { type Mfn, PAGE_SIZE } from '../../abi/address.ts';
import type { Ram } from './ram.ts';
import type { GuestWalker, WalkResult } from './walk.ts';

const GUEST_LOW_END = 0x0000_8000_0000_0000n;
const XEN_END = 0xffff_8800_0000_0000n;

/** May a guest hand Xen this address? Canonical and outside Xen's own range. */
export const addressAllowed = (address: bigint): boolean => address < GUEST_LOW_END || address >= XEN_END;

export class GuestMemory {
  private readonly ram: Ram;
  private readonly walker: GuestWalker;
  private readonly written: (mfn: Mfn) => void;
  private readonly at: WalkResult = { mfn: 0 as Mfn, writable: false, errorCode: 0 };

  constructor(ram: Ram, walker: GuestWalker, written: (mfn: Mfn) => void) {
    this.ram = ram;
    this.walker = walker;
    this.written = written;
  }

  /** Error code and address of the fault that the last failed copy met. */
  fault = { errorCode: 0, address: 0n };

  /** Index of the page that locate() found. */
  private page = 0;

  private locate(root: Mfn, address: bigint, write: boolean): boolean {
    if (
      addressAllowed(address) &&
      this.walker.walk(root, Number(address & 0xffff_ffffn) | 0, Number(address >> 32n) | 0, write, false, this.at)
    ) {
      this.page = this.ram.pageIndex(this.at.mfn);
      if (this.page >= 0) return true;
    }
    this.fault = { errorCode: addressAllowed(address) ? this.at.errorCode : 0, address };
    return false;
  }

  /** Bytes at a guest address, or null when any of them cannot be read. */
  read(root: Mfn, address: bigint, length: number): Uint8Array | null {
    // More than all memory cannot be mapped in a way that is meant; and the copy would be made before the first fault.
    if (length > this.ram.bytes.length) {
      this.fault = { errorCode: 0, address };
      return null;
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const va = BigInt.asUintN(64, address + BigInt(done));
      if (!this.locate(root, va, false)) return null;
      const offset = Number(va & 0xfffn);
      const part = Math.min(PAGE_SIZE - offset, length - done);
      const from = this.page * PAGE_SIZE + offset;
      bytes.set(this.ram.bytes.subarray(from, from + part), done);
      done += part;
    }
    return bytes;
  }

  /** Writes what can be written, page by page; false when a page refused (earlier pages are written then). */
  write(root: Mfn, address: bigint, bytes: Uint8Array): boolean {
    for (let done = 0; done < bytes.length; ) {
      const va = BigInt.asUintN(64, address + BigInt(done));
      if (!this.locate(root, va, true)) return false;
      const offset = Number(va & 0xfffn);
      const part = Math.min(PAGE_SIZE - offset, bytes.length - done);
      this.ram.bytes.set(bytes.subarray(done, done + part), this.page * PAGE_SIZE + offset);
      this.written(this.at.mfn);
      done += part;
    }
    return true;
  }

  /** A 64-bit little-endian word, or null. */
  readWord(root: Mfn, address: bigint): bigint | null {
    if ((address & 7n) === 0n) {
      if (!this.locate(root, address, false)) return null;
      return this.ram.u64[this.page * 512 + Number((address & 0xfffn) >> 3n)]!;
    }
    const bytes = this.read(root, address, 8);
    return bytes && new DataView(bytes.buffer).getBigUint64(0, true);
  }
}
