// Where the simulator and the recorded real Xen differ and are meant to. Everything else that differs is a failure.
import type { Role } from './compare.ts';

export interface KnownDifference {
  readonly scenario: string;
  /** The line's name, with its count where a scenario has it more than once. */
  readonly name: string;
  readonly xen: string;
  readonly simulator: string;
  /** Absent: in both roles. */
  readonly role?: Role;
  readonly reason: string;
}

export const knownDifferences: readonly KnownDifference[] = [];
