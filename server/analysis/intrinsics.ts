// Compiler intrinsics that are a sensitive instruction: GCC's and Clang's builtins and the names of <x86intrin.h> and <cpuid.h>.

import type { Node } from 'web-tree-sitter';
import type { Instruction } from '../syntax/instruction.ts';
import { sensitivity } from './sensitive.ts';
import type { Hit } from './site.ts';

const INTRINSICS: Readonly<Record<string, string>> = {
  __builtin_ia32_rdtsc: 'rdtsc',
  __rdtsc: 'rdtsc',
  _rdtsc: 'rdtsc',
  __builtin_ia32_rdtscp: 'rdtscp',
  __rdtscp: 'rdtscp',
  __builtin_ia32_rdpmc: 'rdpmc',
  __rdpmc: 'rdpmc',
  _rdpmc: 'rdpmc',
  __builtin_ia32_readeflags_u32: 'pushf',
  __builtin_ia32_readeflags_u64: 'pushf',
  __readeflags: 'pushf',
  __builtin_ia32_writeeflags_u32: 'popf',
  __builtin_ia32_writeeflags_u64: 'popf',
  __writeeflags: 'popf',
  __builtin_ia32_rdfsbase64: 'rdfsbase',
  _readfsbase_u64: 'rdfsbase',
  __builtin_ia32_rdgsbase64: 'rdgsbase',
  _readgsbase_u64: 'rdgsbase',
  __builtin_ia32_wrfsbase64: 'wrfsbase',
  _writefsbase_u64: 'wrfsbase',
  __builtin_ia32_wrgsbase64: 'wrgsbase',
  _writegsbase_u64: 'wrgsbase',
  __builtin_ia32_wbinvd: 'wbinvd',
  _wbinvd: 'wbinvd',
  __builtin_ia32_wbnoinvd: 'wbnoinvd',
  _wbnoinvd: 'wbnoinvd',
  __builtin_ia32_monitor: 'monitor',
  _mm_monitor: 'monitor',
  __builtin_ia32_mwait: 'mwait',
  _mm_mwait: 'mwait',
  _invpcid: 'invpcid',
  _xsetbv: 'xsetbv',
  __builtin_ia32_xsetbv: 'xsetbv',
  _xsaves64: 'xsaves',
  _xrstors64: 'xrstors',
  _rdpkru_u32: 'rdpkru',
  _wrpkru: 'wrpkru',
  __cpuid: 'cpuid',
  __cpuid_count: 'cpuid',
  __get_cpuid: 'cpuid',
  __get_cpuid_count: 'cpuid',
  __get_cpuid_max: 'cpuid',
};

/** Names, as a regular expression without groups. */
export const INTRINSIC_CALL = Object.keys(INTRINSICS).join('|');

/** The sensitive instruction that a call of an intrinsic is, or null. */
export function intrinsicHit(call: Node, shift: number): Hit | null {
  const callee = call.childForFieldName('function');
  const mnemonic = callee?.type === 'identifier' && Object.hasOwn(INTRINSICS, callee.text) ? INTRINSICS[callee.text] : undefined;
  if (!callee || !mnemonic) return null;
  const instruction: Instruction = {
    mnemonic,
    prefixes: [],
    operands: [],
    dialect: 'att',
    text: mnemonic,
    start: callee.startIndex + shift,
    end: callee.endIndex + shift,
  };
  const sensitive = sensitivity(instruction);
  return sensitive && { instruction, sensitive };
}
