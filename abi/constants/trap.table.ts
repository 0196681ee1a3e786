// Exception vectors as the SDM (volume 3, table 6-1) numbers them: set_trap_table's index.

/** Mnemonic by vector. */
export const exceptionVectors = {
  '#DE': 0,
  '#DB': 1,
  NMI: 2,
  '#BP': 3,
  '#OF': 4,
  '#BR': 5,
  '#UD': 6,
  '#NM': 7,
  '#DF': 8,
  '#TS': 10,
  '#NP': 11,
  '#SS': 12,
  '#GP': 13,
  '#PF': 14,
  '#MF': 16,
  '#AC': 17,
  '#MC': 18,
  '#XM': 19,
  '#VE': 20,
  '#CP': 21,
} as const;

/** What each vector is called in full. */
export const exceptionNames: Readonly<Record<keyof typeof exceptionVectors, string>> = {
  '#DE': 'divide error',
  '#DB': 'debug',
  NMI: 'non-maskable interrupt',
  '#BP': 'breakpoint',
  '#OF': 'overflow',
  '#BR': 'bound range exceeded',
  '#UD': 'invalid opcode',
  '#NM': 'device not available',
  '#DF': 'double fault',
  '#TS': 'invalid TSS',
  '#NP': 'segment not present',
  '#SS': 'stack-segment fault',
  '#GP': 'general protection',
  '#PF': 'page fault',
  '#MF': 'x87 floating-point error',
  '#AC': 'alignment check',
  '#MC': 'machine check',
  '#XM': 'SIMD floating-point error',
  '#VE': 'virtualization exception',
  '#CP': 'control protection',
};

/** Vectors that push an error code. */
export const vectorsWithErrorCode: readonly number[] = [8, 10, 11, 12, 13, 14, 17, 21];

/** Bits of trap_info.flags: the gate's DPL in bits 0 and 1, and whether entry masks events. */
export const trapFlags = { TI_DPL_MASK: 0x3, TI_MASK_EVENTS: 0x4 } as const;
