// The typed stream of everything worth showing. Breakpoints are predicates over it, views draw it, the CLI prints it,
// conformance compares it with real Xen's. JSON exists only on export (trace/export.ts).
//
// Numbers in records: addresses, frames, register values and hypercall arguments are lower-case `0x…` strings, counts
// are numbers, `ret` is a number (null where there is none, as for iret).

import type { Refusal } from '../../abi/refusal.ts';

interface Base {
  /** Running number of the record, from 0. */
  readonly n: number;
  /** Instructions executed by the machine when the record was made. */
  readonly icount: number;
  readonly domain: number;
  readonly vcpu: number;
  /** Guest instruction the record belongs to, where there is one. */
  readonly rip?: string;
}

/** A decoded argument: its ABI name and value; structures are nested, arrays of structures too. */
export type ArgValue = string | number | boolean | null | readonly ArgValue[] | { readonly [name: string]: ArgValue };
export type Args = { readonly [name: string]: ArgValue };

export type TraceRecord =
  | (Base & {
      readonly kind: 'hypercall-entry';
      readonly nr: number;
      readonly name: string;
      readonly operation: string | null;
      readonly args: Args;
    })
  | (Base & {
      readonly kind: 'hypercall';
      readonly nr: number;
      readonly name: string;
      readonly operation: string | null;
      readonly args: Args;
      readonly ret: number | null;
      /** Why it was refused, in words; null when it was not. */
      readonly reason: string | null;
      readonly refusal?: Refusal;
      /** True when the simulator has no such call yet: never a silent success. */
      readonly unimplemented?: true;
      /** Not at its end: the vCPU enters the call again, with the arguments that are left. */
      readonly continued?: true;
    })
  | (Base & {
      readonly kind: 'event';
      readonly action: 'send' | 'pending' | 'masked' | 'bound' | 'closed';
      readonly port: number;
      readonly virq?: string;
      readonly peer?: string;
    })
  | (Base & { readonly kind: 'upcall'; readonly ports: readonly number[]; readonly virqs: readonly string[] })
  | (Base & {
      readonly kind: 'exception';
      readonly vector: number;
      readonly name: string;
      readonly error: string | null;
      readonly address: string | null;
      readonly reason: string | null;
      readonly refusal?: Refusal;
    })
  | (Base & { readonly kind: 'emulate'; readonly instruction: string; readonly rule: string; readonly detail: string | null })
  | (Base & { readonly kind: 'page-type'; readonly mfn: string; readonly from: string; readonly to: string })
  | (Base & { readonly kind: 'grant'; readonly action: 'mapped' | 'unmapped' | 'copied'; readonly ref: number; readonly peer: number })
  | (Base & {
      readonly kind: 'xenstore';
      readonly operation: string;
      readonly path: string;
      readonly value: string | null;
      readonly error: string | null;
    })
  | (Base & {
      readonly kind: 'domain';
      readonly state:
        | 'created'
        | 'shutdown'
        | 'crashed'
        | 'blocked'
        | 'running'
        | 'paused'
        | 'unpaused'
        | 'resumed'
        | 'dying'
        | 'destroyed';
      readonly reason: string | null;
      readonly refusal?: Refusal;
    })
  /** A line that Xen logs about the guest, or what the simulator noticed ('all vCPUs wait for timers only'). */
  | (Base & { readonly kind: 'log'; readonly by: 'xen' | 'simulator'; readonly text: string; readonly rule?: string })
  | (Base & { readonly kind: 'undecoded'; readonly bytes: string; readonly instruction: string | null });

export type TraceKind = TraceRecord['kind'];
