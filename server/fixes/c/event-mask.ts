// cli, sti, hlt, pushf and popf in C: the event mask of the vCPU in place of EFLAGS.IF.
// Unmasking alone delivers nothing: what became pending meanwhile waits for the next entry into Xen, so it has to be forced.

import type { Line } from './lines.ts';
import { asmOperand, primary } from './operands.ts';
import type { AsmCase, Family, Replacement } from './statement.ts';

const MASK: readonly Line[] = ['this_vcpu->evtchn_upcall_mask = 1;', 'barrier();'];
const FORCE = 'HYPERVISOR_xen_version(0, NULL);';

const SIMPLE: Readonly<Record<string, Replacement>> = {
  cli: { title: 'Mask events in vcpu_info', lines: MASK },
  sti: {
    title: 'Unmask events in vcpu_info and deliver what is pending',
    lines: [
      'barrier();',
      'this_vcpu->evtchn_upcall_mask = 0;',
      'barrier();',
      { when: 'if (this_vcpu->evtchn_upcall_pending)', action: FORCE },
    ],
  },
  hlt: { title: 'Wait with SCHEDOP_block', lines: ['HYPERVISOR_sched_op(SCHEDOP_block, NULL);'] },
  'sti hlt': { title: 'Unmask events and wait with SCHEDOP_block', lines: ['HYPERVISOR_sched_op(SCHEDOP_block, NULL);'] },
  'cli hlt': {
    title: 'Stop with SCHEDOP_shutdown',
    lines: ['HYPERVISOR_sched_op(SCHEDOP_shutdown, &(struct sched_shutdown){ .reason = SHUTDOWN_crash });'],
  },
};

/** nop and pause between the two change nothing of the meaning. */
export const eventMask: Family = (asm) => {
  const names = asm.names
    .split(' ')
    .filter((name) => name !== 'nop' && name !== 'pause')
    .join(' ');
  return SIMPLE[names] ?? flags(asm, names);
};

function flags({ statement, instructions }: AsmCase, names: string): Replacement | null {
  if (names === 'pushf pop' || names === 'pushf pop cli') {
    const to = asmOperand(statement, instructions.find(({ mnemonic }) => /^pop[wlq]?$/.test(mnemonic))?.operands[0], true);
    if (!to) return null;
    const save = `${to.value.trim()} = this_vcpu->evtchn_upcall_mask ? 0 : 0x200;`;
    return names === 'pushf pop'
      ? { title: 'Read IF from the event mask', lines: [save] }
      : { title: 'Save the event mask as IF and mask events', lines: [save, ...MASK] };
  }
  if (names !== 'push popf') return null;
  const from = asmOperand(statement, instructions[0]!.operands[0], false);
  if (!from) return null;
  return {
    title: 'Restore the event mask from IF and deliver what is pending',
    lines: [
      'barrier();',
      `this_vcpu->evtchn_upcall_mask = !(${primary(from.value)} & 0x200);`,
      'barrier();',
      { when: 'if (!this_vcpu->evtchn_upcall_mask && this_vcpu->evtchn_upcall_pending)', action: FORCE },
    ],
  };
}
