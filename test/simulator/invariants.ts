// What must hold of a machine at any time, counted anew.

import type { Hypervisor } from '../../simulator/hypervisor/hypervisor.ts';
import { InvariantChecker } from '../../simulator/invariants/checker.ts';

/** Sentences about what is wrong; empty when all is well. */
export const checkInvariants = (hv: Hypervisor): string[] => new InvariantChecker(hv, 1).sweep();
