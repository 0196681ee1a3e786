// A refusal: why the hypervisor said no, as a value. The simulator makes it, explain/ turns it into words, the debug
// adapter, the CLI and the trace carry it. An errno without the rest is a defect.

import type { ErrnoName } from './errno.table.ts';

/** One object that a refusal names. Numbers that are addresses, frames or entries are lower-case `0x…` strings. */
export type FactValue = string | number | boolean | FrameFact | readonly FactValue[];

/** What is known of one machine frame at the moment of the refusal. */
export interface FrameFact {
  readonly mfn: string;
  /** Pseudo-physical number by the M2P, where it has one. */
  readonly pfn?: string;
  /** Owner domain id, absent for a frame of nobody (free, hypervisor, outside RAM). */
  readonly owner?: number;
  /** Type as Xen names it: none, l1, l2, l3, l4, seg_desc, writable, shared. */
  readonly type: string;
  readonly typeCount: number;
  readonly references: number;
  readonly pinned?: boolean;
  /** Who holds the conflicting reference: instruction count and name of the call that made it, where recorded. */
  readonly heldSince?: { readonly icount: number; readonly by: string };
}

export interface XenLine {
  readonly template: string;
  readonly args: Readonly<Record<string, string>>;
}

export interface Refusal {
  readonly errno: ErrnoName;
  /** Id in the rule catalogue (abi/rules). */
  readonly rule: string;
  readonly facts: Readonly<Record<string, FactValue>>;
  /** The line that real Xen prints where it prints one: id of a template in abi/xen-messages.table.ts and its arguments. */
  readonly xenLine?: XenLine;
  /** The lines that follow it: each caller on the way out prints its own. */
  readonly furtherXenLines?: readonly XenLine[];
}
