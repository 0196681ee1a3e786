// The engine's memory and what its parts share: views, the vCPU that runs, why an instruction stopped.

import type { Access, BankNumber, CpuHost, ExitKind, Translation } from './engine-types.ts';
import * as L from './layout.ts';

export type AccessNumber = (typeof Access)[keyof typeof Access];

/** Why the instruction at FAULT_RECORD did not complete, or ended the run. */
export interface StopState {
  kind:
    | 'exception'
    /** To be run again alone: it stores across a page border or into code of its own block. */
    | 'retry'
    /** The instruction is done and the run ends with an exit of this kind. */
    | Extract<ExitKind, 'syscall' | 'sysenter' | 'interrupt' | 'hlt'>;
  vector: number;
  errorCode: number;
  cr2Lo: number;
  cr2Hi: number;
  unsupported: string | null;
}

export interface Core {
  readonly layout: L.Layout;
  readonly frames: number;
  readonly host: CpuHost;
  readonly model: 'amd' | 'intel';
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly u64: BigUint64Array;
  readonly view: DataView;
  readonly translation: Translation;
  readonly stop: StopState;
  /** The vCPU whose state lies at STATE. */
  current: number;
  /** Bases of its TLB bank in use. */
  tlb: number;
  fetchTlb: number;
  /** One instruction runs alone: stores may cross pages and hit their own block. */
  stepping: boolean;
  /** A crossing store to be carried out when the instruction has ended: host addresses of both parts and bytes in the first. */
  crossing: { first: number; second: number; firstBytes: number; size: number } | null;
  /** Misaligned accesses of the vCPU that runs raise #AC. */
  alignment: boolean;
  /** A rep instruction ended the run before its last iteration. */
  unfinished: boolean;
  tlbMisses: number;
  fetchMisses: number;
}

export function createCore(memory: WebAssembly.Memory, layout: L.Layout, ramBytes: number, host: CpuHost, model: 'amd' | 'intel'): Core {
  const buffer = memory.buffer;
  return {
    layout,
    frames: Math.floor(ramBytes / 4096),
    host,
    model,
    u8: new Uint8Array(buffer),
    i32: new Int32Array(buffer),
    i64: new BigInt64Array(buffer),
    u64: new BigUint64Array(buffer),
    view: new DataView(buffer),
    translation: { mfn: 0, writable: false, errorCode: 0 },
    stop: { kind: 'exception', vector: 0, errorCode: -1, cr2Lo: 0, cr2Hi: 0, unsupported: null },
    current: 0,
    tlb: L.tlbBase(0, 0),
    fetchTlb: L.fetchTlbBase(0, 0),
    stepping: false,
    crossing: null,
    alignment: false,
    unfinished: false,
    tlbMisses: 0,
    fetchMisses: 0,
  };
}

export const bitsOf = (core: Core): 64 | 32 => (core.i32[L.MODE_BITS >> 2] === 32 ? 32 : 64);
export const bankOf = (core: Core): BankNumber => core.i32[L.MODE_BANK >> 2] as BankNumber;
export const cplOf = (core: Core): number => core.i32[L.MODE_CPL >> 2]!;

/** Records an exception for the instruction under way. */
export function raise(core: Core, vector: number, errorCode = -1): void {
  const s = core.stop;
  s.kind = 'exception';
  s.vector = vector;
  s.errorCode = errorCode;
  s.unsupported = null;
}

export function raisePageFault(core: Core, vaLo: number, vaHi: number, errorCode: number): void {
  raise(core, 14, errorCode);
  core.stop.cr2Lo = vaLo;
  core.stop.cr2Hi = vaHi;
}

/** Bits 63 to 47 all alike. */
export const isCanonical = (hi: number): boolean => hi >> 15 === 0 || hi >> 15 === -1;
