// The shape of the hypercall tables.
//
// Arguments are written in the notation of structures/declaration.ts, one per register (rdi rsi rdx r10 r8, in a 32-bit
// guest ebx ecx edx esi edi): a u64 or x64 takes two registers in a 32-bit guest. `$` stands for the type that the sub-operation
// gives. A `>` before a type marks what Xen only writes.

/** Who may make the call: every PV guest; only the control or hardware domain (dom0) or a domain with that privilege; only for or
 * by HVM domains; nobody, because it was removed or is Xen's own. */
export type Caller = 'any' | 'dom0' | 'hvm' | 'none';

export interface Operation {
  readonly number: number;
  /** C name without the family's prefix. */
  readonly name: string;
  /** What `$` stands for; null: the argument is not used. */
  readonly type: string | null;
  /** Where it differs from the call's. */
  readonly who?: Caller;
  /** Native thing that it stands in for, or what it is for. */
  readonly replaces?: string;
}

export interface Hypercall {
  readonly number: number;
  /** C name without `__HYPERVISOR_`. */
  readonly name: string;
  readonly args: string | { readonly 64: string; readonly 32: string };
  readonly who: Caller;
  /** Native thing that it stands in for, or what it is for. */
  readonly replaces: string;
  /** Functions that make it in ports, by their own names. */
  readonly linux: readonly string[];
  readonly netbsd: readonly string[];
  readonly minios: readonly string[];
  readonly gnumach: readonly string[];
  readonly operations?: {
    /** C prefix of the operations' names. */
    readonly prefix: string;
    /** Where the number lies: an argument's name, a field of the structure an argument points to (`op->cmd`), or a field of each
     * element of an array (`uops[].cmd`). */
    readonly selector: string;
    /** Bits of the number that are the operation; the rest is Xen's note of how far a continuation has come. */
    readonly mask?: number;
    readonly list: readonly Operation[];
  };
  /** Anything else a caller must know. */
  readonly note?: string;
}
