// One frame of a call stack: its registers as far as they are known, and how it was found.

import type { RegisterMap } from './registers.table.ts';

export type UnwoundBy =
  /** The innermost frame: the machine's own registers. */
  | 'registers'
  /** .debug_frame or .eh_frame. */
  | 'cfi'
  /** The chain of saved frame pointers. */
  | 'frame-pointer'
  /** A return address found on the stack, in code that has no call frame information. */
  | 'stack-scan';

export interface Frame {
  /** 0 is the innermost. */
  readonly level: number;
  readonly pc: bigint;
  /** The address to look up lines, scopes and locations with: in callers the byte before the return address. */
  readonly lookup: bigint;
  readonly by: UnwoundBy;
  /** The frame below is an interrupt or exception handler's: this pc is no return address. */
  readonly interrupted: boolean;
  /** By DWARF number; an absent register was not preserved. */
  readonly registers: ReadonlyMap<number, bigint>;
  /** Canonical frame address, where call frame information gives it. */
  readonly cfa: bigint | undefined;
}

export const stackPointerOf = (frame: Frame, map: RegisterMap): bigint | undefined => frame.registers.get(map.stackPointer);
