// DWARF register numbers of the two x86 psABIs, by the names that the machine uses for both widths (rax holds eax too).

export type CoreRegister =
  | 'rax' | 'rcx' | 'rdx' | 'rbx' | 'rsp' | 'rbp' | 'rsi' | 'rdi'
  | 'r8' | 'r9' | 'r10' | 'r11' | 'r12' | 'r13' | 'r14' | 'r15' | 'rip'; // biome-ignore format: a register file reads better in rows

export interface RegisterMap {
  readonly addressSize: 4 | 8;
  /** Name of each DWARF register number. */
  readonly names: readonly CoreRegister[];
  readonly stackPointer: number;
  readonly framePointer: number;
  readonly returnAddress: number;
  /** Preserved over calls: without a rule, the caller has the same value. */
  readonly preserved: ReadonlySet<number>;
}

/** System V psABI for AMD64, figure 3.36. */
const AMD64: RegisterMap = {
  addressSize: 8,
  names: ['rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip'],
  stackPointer: 7,
  framePointer: 6,
  returnAddress: 16,
  preserved: new Set([3, 6, 12, 13, 14, 15]),
};

/** System V psABI for i386, table 2.14. */
const I386: RegisterMap = {
  addressSize: 4,
  names: ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'rip'],
  stackPointer: 4,
  framePointer: 5,
  returnAddress: 8,
  preserved: new Set([3, 5, 6, 7]),
};

export const registerMap = (bits: 32 | 64): RegisterMap => (bits === 64 ? AMD64 : I386);
