// A rule: the one name that a static finding, its quick fix, the run-time refusal, fault or emulation at the same place
// and the documentation page share.

import type { ErrnoName } from '../errno.table.ts';

/** How bad it is to leave the thing in place. Order for `--fail-on`: silent > fault > emulated > idiom.
 * 'refused' is for rules of the hypervisor only: the call returns an error. */
export type Severity = 'silent' | 'fault' | 'emulated' | 'idiom' | 'refused';

export interface Rule {
  /** Kebab case, unique over both tables, stable for ever: 'cli', 'mov-to-cr3', 'pt-entry-maps-page-table-writable'. */
  readonly id: string;
  /** One line without a full stop: 'cli does nothing in a PV guest'. */
  readonly title: string;
  readonly severity: Severity;
  /** Page below docs/rules/, without folder: 'cli.md'. */
  readonly page: string;
  /** What happens and why, one to three sentences. */
  readonly summary: string;
}

/** A row of instructions.table.ts: a native thing in a kernel's source. */
export interface InstructionRule extends Rule {
  readonly severity: Exclude<Severity, 'refused'>;
  /** What to write instead, one sentence. */
  readonly replacement: string;
  /** Hypercalls of the replacement, as breakpoint names without the prefix: 'mmuext_op.NEW_BASEPTR', 'set_gdt'. */
  readonly hypercalls: readonly string[];
}

/** A row of refusals.table.ts: something that the hypervisor refuses, injects or kills a domain for; silent: that it lets pass without a word,
 * and the simulator names. */
export interface RefusalRule extends Rule {
  readonly severity: 'refused' | 'fault' | 'silent';
  /** The errors that this rule can give; empty where the answer is an exception or the end of the domain. */
  readonly errnos: readonly ErrnoName[];
  /** The facts that Refusal.facts carries, by name, each with its meaning. */
  readonly facts: Readonly<Record<string, string>>;
  /** What the porter should do, one or two sentences. */
  readonly advice: string;
}
