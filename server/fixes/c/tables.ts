// lgdt, lidt and ltr in C.

import { fact } from '../facts.ts';
import { structureOf, structuresOf, variableOf } from './declarations.ts';
import { addressOperand, primary } from './operands.ts';
import type { AsmCase, Family, Replacement } from './statement.ts';

export const tables: Family = (asm) => {
  switch (asm.names) {
    case 'lgdt':
      return lgdt(asm);
    case 'lidt':
      return { title: 'Give the handlers to Xen with set_trap_table', lines: ['BUG_ON(HYPERVISOR_set_trap_table(trap_table));'] };
    case 'ltr':
      return ltr(asm);
    default:
      return null;
  }
};

/** The pages of a table must not be writable when Xen takes them. A table of up to 512 entries is one page. */
function lgdt({ document, statement, instructions }: AsmCase): Replacement | null {
  const address = addressOperand(statement, instructions[0]!.operands[0]);
  if (!address) return null;
  const object = address.startsWith('&') ? address.slice(1).trim() : null;
  const variable = /(\w+)\)?$/.exec(object ?? address)?.[1];
  const structure = variable ? fact(document, `structure of ${variable}`, (text) => structureOf(text, variable)) : null;
  if (!structure || structure.members.length < 2) return null;
  const [limit, base] = structure.members;
  const member = (name: string): string => (object ? `${primary(object)}.${name}` : `${primary(address)}->${name}`);
  const table = /\*/.test(base!.type) ? `(unsigned long)${member(base!.name)}` : member(base!.name);
  return {
    title: 'Give the table to Xen with set_gdt',
    lines: [
      `BUG_ON(HYPERVISOR_update_va_mapping(${table}, ((unsigned long)virt_to_mfn(${member(base!.name)}) << 12) | 1, UVMF_INVLPG));`,
      `BUG_ON(HYPERVISOR_set_gdt(&(unsigned long){ virt_to_mfn(${member(base!.name)}) }, (${member(limit!.name)} + 1) / 8));`,
    ],
  };
}

/** The kernel stack that the TSS of the same file names. */
function ltr({ document }: AsmCase): Replacement | null {
  return fact(document, 'kernel stack', kernelStack);
}

function kernelStack(text: string): Replacement | null {
  for (const structure of structuresOf(text)) {
    const stack = structure.members.find(({ name }) => /^([re]?sp0|[re]sp)$/.test(name));
    const variable = stack && variableOf(text, structure);
    if (!stack || !variable || stack.array !== /sp$/.test(stack.name)) continue;
    return {
      title: 'Give the kernel stack to Xen with stack_switch',
      lines: [`BUG_ON(HYPERVISOR_stack_switch(FLAT_KERNEL_SS, ${variable}.${stack.name}${stack.array ? '[0]' : ''}));`],
    };
  }
  return null;
}
