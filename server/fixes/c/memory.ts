// Page-table base, TLB, caches, fault address and TS in C.

import { isFlush } from '../../analysis/rules/mov-to-cr3.ts';
import { addressOperand, asInteger, asmOperand, primary } from './operands.ts';
import type { AsmCase, Family, Replacement } from './statement.ts';

/** One mmuext operation on the calling domain, by a compound literal so that it stays one expression. */
export const mmuext = (members: string): string => `HYPERVISOR_mmuext_op(&(struct mmuext_op){ ${members} }, 1, NULL, DOMID_SELF)`;

const FLUSH: Replacement = {
  title: 'Flush the TLB with MMUEXT_TLB_FLUSH_LOCAL',
  lines: [`BUG_ON(${mmuext('.cmd = MMUEXT_TLB_FLUSH_LOCAL')});`],
};

export const memory: Family = (asm) => {
  switch (asm.names) {
    case 'clts':
      return { title: 'Clear TS with fpu_taskswitch', lines: ['HYPERVISOR_fpu_taskswitch(0);'] };
    case 'wbinvd':
    case 'wbnoinvd':
      return { title: 'Flush the caches with MMUEXT_FLUSH_CACHE', lines: [`${mmuext('.cmd = MMUEXT_FLUSH_CACHE')};`] };
    case 'mov mov':
      return isFlush(asm.site) ? FLUSH : null;
    case 'mov':
      return move(asm);
    case 'invlpg':
      return invlpg(asm);
    default:
      return null;
  }
};

function move({ document, statement, instructions }: AsmCase): Replacement | null {
  const [to, from] = instructions[0]!.operands;
  if (from?.register === 'cr2') {
    const value = asmOperand(statement, to, true);
    return value && { title: 'Read the fault address from vcpu_info', lines: [`${value.value.trim()} = this_vcpu->arch.cr2;`] };
  }
  if (to?.register !== 'cr3') return null;
  const value = asmOperand(statement, from, false);
  if (!value) return null;
  const frame = `.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = pfn_to_mfn(${asInteger(document, value.value)} >> 12)`;
  return { title: 'Load the page table with MMUEXT_NEW_BASEPTR', lines: [`BUG_ON(${mmuext(frame)});`] };
}

function invlpg({ statement, instructions }: AsmCase): Replacement | null {
  const address = addressOperand(statement, instructions[0]!.operands[0]);
  if (!address) return null;
  const cast = /^\(\s*unsigned long\s*\)/.test(address)
    ? address
    : `(unsigned long)${address.startsWith('&') ? address : primary(address)}`;
  return {
    title: 'Flush the page with MMUEXT_INVLPG_LOCAL',
    lines: [`BUG_ON(${mmuext(`.cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = ${cast}`)});`],
  };
}
