// The compiled interpreters, made once for all engines of a process.

import type { DecodeMode } from '../records.ts';
import { type CaseList, listCases } from './cases.ts';
import { buildTier0, buildVectorModule } from './module.ts';

export interface Interpreter {
  run(record: number, count: number, tlb: number): number;
  eflags(): number;
}

// Shared by all engines of the process: they depend on nothing but the instruction set, and compiled code stays warm.
let cases: CaseList | null = null;
export const caseList = (): CaseList => {
  cases ??= listCases();
  return cases;
};
const modules: (WebAssembly.Module | undefined)[] = [];
export function compiled(mode: DecodeMode): WebAssembly.Module {
  modules[mode] ??= new WebAssembly.Module(buildTier0(caseList(), mode) as Uint8Array<ArrayBuffer>);
  return modules[mode];
}

/** MMX and SSE apart: a guest that uses none does not wait for them. */
const vectorModules: (WebAssembly.Module | undefined)[] = [];
export function compiledVector(mode: DecodeMode): WebAssembly.Module {
  vectorModules[mode] ??= new WebAssembly.Module(buildVectorModule(caseList(), mode) as Uint8Array<ArrayBuffer>);
  return vectorModules[mode];
}
