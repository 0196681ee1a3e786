// What a region's function returns.

/** Numbers from `firstSlot` on: go on in that slot of the function table. Negative: an instruction was not carried out, see ExitTable. */
export const Status = {
  /** Go on at RIP, by the region table. */
  lookup: 0,
  /** Fewer instructions are left than a pass through the region may take. */
  budget: 1,
  /** A syscall in 64-bit code was carried out; RIP is behind it. */
  syscall: 2,
  /** Go on at RIP, where no region is: tier 0's work. */
  leave: 3,
  /** With a vector added: an `int n` was carried out; RIP is behind it. */
  interrupt: 16,
  firstSlot: 16 + 256,
  /** With a slot: the target lies in another page, whose translation must be looked at. */
  otherPage: 0x40000000,
} as const;
