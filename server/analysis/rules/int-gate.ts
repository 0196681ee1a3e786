// int n: what happens depends on the vector, because the gates are Xen's.

import { constantOf } from './operand.ts';
import type { Refine } from './refine.ts';

export const intGate: Refine = ({ instruction }, site, constants) => {
  switch (constantOf(instruction.operands[0], site, constants)) {
    case 3:
      // Assemblers make it int3, which has a gate for every privilege level.
      return 'drop';
    case 0x80:
      // Xen's entry for it looks the handler up in the trap table: as fast as on the bare machine, and nothing to change here.
      return {
        severity: 'idiom',
        message:
          'int $0x80 may stay: it goes straight to the handler that the trap table has for it, once set_trap_table has one; without it is #GP with error code 0x402.',
        replacement:
          'Keep it, and register vector 0x80 with set_trap_table and the privilege level of its users, in place of the IDT gate.',
      };
    case 0x82:
      return { message: 'int $0x82 is the hypercall gate of 32-bit guests; in a 64-bit guest it is #GP.' };
    default:
      return null;
  }
};
