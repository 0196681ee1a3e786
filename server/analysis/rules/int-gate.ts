// int n: what happens depends on the vector, because the gates are Xen's.

import { evaluate } from '../constants.ts';
import type { Refine } from './refine.ts';

export const intGate: Refine = ({ instruction }, _site, constants) => {
  const vector = evaluate(instruction.operands[0]?.value ?? instruction.operands[0]?.text ?? '', constants);
  switch (vector) {
    case 3:
      // Assemblers make it int3, which has a gate for every privilege level.
      return 'drop';
    case 0x80:
      return {
        message: 'int $0x80 goes straight to the handler that the trap table has for it; without one it is #GP with error code 0x402.',
      };
    case 0x82:
      return { message: 'int $0x82 is the hypercall gate of 32-bit guests; in a 64-bit guest it is #GP.' };
    default:
      return null;
  }
};
