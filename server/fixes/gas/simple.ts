// Instructions of assembly sources that one sequence replaces.

import { evaluate } from '../../analysis/constants.ts';
import { ruleOfPort } from '../../analysis/idioms.ts';
import { SEGMENT_BASES } from '../../analysis/rules/msr.ts';
import { REMOVE } from '../c/ports.ts';
import { constant, type Flavour, hypercall, noted, saving } from './flavour.ts';
import type { AsmLines, Rewrite } from './instruction.ts';

const NO_CONSTANTS: ReadonlyMap<string, string> = new Map();

const vcpu = (f: Flavour, register: string): string => `mov${f.suffix} ${f.at('this_vcpu')}, ${register}`;

const cli: Rewrite = (_hit, f) => ({
  title: 'Mask events in vcpu_info',
  lines: saving(f, [f.ax], [vcpu(f, f.ax), noted(`movb $1, 1(${f.ax})`, 'evtchn_upcall_mask')]),
});

/** What forces the callback: any hypercall, since Xen looks at pending events on its way back. Keeps every register. */
export function force(f: Flavour): string[] {
  const [first, second] = f.args as [string, string];
  return saving(
    f,
    [f.ax, first, second],
    [noted(constant(first, 0), 'XENVER_version: any call delivers what is pending'), constant(second, 0), hypercall(17, 'xen_version')],
  );
}

const sti: Rewrite = (_hit, f) => ({
  title: 'Unmask events in vcpu_info and deliver what is pending',
  lines: [
    ...saving(
      f,
      [f.cx],
      [
        vcpu(f, f.cx),
        noted(`movb $0, 1(${f.cx})`, 'evtchn_upcall_mask'),
        noted(`movzbl 0(${f.cx}), %ecx`, 'evtchn_upcall_pending'),
        // jrcxz, unlike a test, leaves the flags as sti would.
        `${f.bits === 64 ? 'jrcxz' : 'jecxz'} 771f`,
        ...force(f),
        '771:',
      ],
    ),
  ],
});

export const hlt = (_hit: unknown, f: Flavour): AsmLines => {
  const [first, second] = f.args as [string, string];
  return {
    title: 'Wait with SCHEDOP_block',
    lines: saving(
      f,
      [f.ax, first, second],
      [noted(constant(first, 1), 'SCHEDOP_block: unmasks events'), constant(second, 0), hypercall(29, 'sched_op')],
    ),
  };
};

/** What cli and hlt mean together. The call does not return, so no register is saved. */
export const stop = (f: Flavour): AsmLines => {
  const [first, second] = f.args as [string, string];
  return {
    title: 'Stop with SCHEDOP_shutdown',
    lines: [
      noted(`push${f.suffix} $3`, 'sched_shutdown.reason: SHUTDOWN_crash'),
      noted(constant(first, 2), 'SCHEDOP_shutdown'),
      `mov${f.suffix} ${f.sp}, ${second}`,
      hypercall(29, 'sched_op'),
    ],
  };
};

const clts: Rewrite = (_hit, f) => ({
  title: 'Clear TS with fpu_taskswitch',
  lines: saving(f, [f.ax, f.args[0]!], [constant(f.args[0]!, 0), hypercall(5, 'fpu_taskswitch')]),
});

const readCr2: Rewrite = ({ instruction }, f) => {
  const to = instruction.operands[0];
  if (to?.kind !== 'gpr') return null;
  return {
    title: 'Read the fault address from vcpu_info',
    lines: [vcpu(f, to.text), noted(`mov${f.suffix} ${f.cr2}(${to.text}), ${to.text}`, 'arch.cr2')],
  };
};

/** One mmuext operation, built on the stack: struct mmuext_op is { cmd, arg1, arg2 }, 24 bytes in 64-bit mode and 12 in 32-bit mode. */
function mmuext(f: Flavour, command: number, name: string, argument: readonly string[]): string[] {
  const [ops, count, done, domain] = f.args as [string, string, string, string];
  const word = f.bits / 8;
  return saving(
    f,
    [...new Set([f.ax, ops, count, done, domain])],
    [
      ...argument,
      noted(`push${f.suffix} $0`, 'arg2'),
      noted(`push${f.suffix} ${f.ax}`, 'arg1'),
      noted(`push${f.suffix} $${command}`, name),
      `mov${f.suffix} ${f.sp}, ${ops}`,
      constant(count, 1),
      constant(done, 0),
      noted(constant(domain, '0x7ff0'), 'DOMID_SELF'),
      hypercall(26, 'mmuext_op'),
      `lea${f.suffix} ${3 * word}(${f.sp}), ${f.sp}`,
    ],
  );
}

/** Reloads through the stack pointer would read a moved one, and %rip-relative operands stay right. */
const usesStack = (text: string): boolean => /%[er]?sp\b/.test(text);

const writeCr3: Rewrite = ({ instruction }, f) => {
  const from = instruction.operands[1];
  if (from?.kind !== 'gpr' || usesStack(from.text)) return null;
  return {
    title: 'Load the page table with MMUEXT_NEW_BASEPTR',
    lines: mmuext(f, 5, 'MMUEXT_NEW_BASEPTR', [
      ...(from.text === f.ax ? [] : [`mov${f.suffix} ${from.text}, ${f.ax}`]),
      `shr${f.suffix} $12, ${f.ax}`,
      `push${f.suffix} ${f.cx}`,
      `mov${f.suffix} ${f.at('phys_to_machine_mapping')}, ${f.cx}`,
      noted(`mov${f.suffix} (${f.cx},${f.ax},${f.bits / 8}), ${f.ax}`, 'frame to machine frame'),
      `pop${f.suffix} ${f.cx}`,
    ]),
  };
};

const invlpg: Rewrite = ({ instruction }, f) => {
  const at = instruction.operands[0];
  if (at?.kind !== 'memory' || usesStack(at.text)) return null;
  return {
    title: 'Flush the page with MMUEXT_INVLPG_LOCAL',
    lines: mmuext(f, 7, 'MMUEXT_INVLPG_LOCAL', [`lea${f.suffix} ${at.text}, ${f.ax}`]),
  };
};

const wbinvd: Rewrite = (_hit, f) => ({
  title: 'Flush the caches with MMUEXT_FLUSH_CACHE',
  lines: mmuext(f, 12, 'MMUEXT_FLUSH_CACHE', []),
});

/** Table and its pages: read-only first, then set_gdt. A table of up to 512 entries is one page. The limit is at 0, the base at 2. */
const lgdt: Rewrite = ({ instruction }, f) => {
  const at = instruction.operands[0];
  if (f.bits !== 64 || at?.kind !== 'memory' || usesStack(at.text)) return null;
  return {
    title: 'Give the table to Xen with set_gdt',
    lines: saving(
      f,
      ['%rax', '%rcx', '%rdx', '%rdi', '%rsi'],
      [
        `leaq ${at.text}, %rax`,
        noted('movzwl (%rax), %ecx', 'limit'),
        'incl %ecx',
        noted('shrl $3, %ecx', 'entries'),
        noted('movq 2(%rax), %rdi', 'base'),
        'pushq %rdi',
        'pushq %rcx',
        noted('call virt_to_mfn', 'machine frame in %rax'),
        'popq %rcx',
        'popq %rdi',
        noted('pushq %rax', 'frame list'),
        'pushq %rcx',
        'movq %rax, %rsi',
        'shlq $12, %rsi',
        noted('orq $1, %rsi', 'present, read-only'),
        noted('movl $2, %edx', 'UVMF_INVLPG'),
        hypercall(14, 'update_va_mapping'),
        'popq %rsi',
        'movq %rsp, %rdi',
        hypercall(2, 'set_gdt'),
        'leaq 8(%rsp), %rsp',
      ],
    ),
  };
};

const lidt: Rewrite = (_hit, f) => ({
  title: 'Give the handlers to Xen with set_trap_table',
  lines: saving(
    f,
    [f.ax, f.args[0]!],
    [f.bits === 64 ? 'leaq trap_table(%rip), %rdi' : 'movl $trap_table, %ebx', hypercall(0, 'set_trap_table')],
  ),
});

/** The TSS of the same file: its kernel stack is at 4. FLAT_KERNEL_SS is FLAT_RING3_SS64 or FLAT_RING1_SS. */
const ltr: Rewrite = (_hit, f, { text }) => {
  const tss = /^\s*(\w*tss\w*)\s*:/im.exec(text)?.[1];
  if (!tss) return null;
  const [ss, stack] = f.args as [string, string];
  return {
    title: 'Give the kernel stack to Xen with stack_switch',
    lines: saving(
      f,
      [f.ax, ss, stack],
      [
        noted(constant(ss, f.bits === 64 ? '0xe02b' : '0xe021'), 'FLAT_KERNEL_SS'),
        noted(`mov${f.suffix} ${f.at(`${tss}+4`)}, ${stack}`, f.bits === 64 ? 'rsp0' : 'esp0'),
        hypercall(3, 'stack_switch'),
      ],
    ),
  };
};

const SEGBASE: Readonly<Record<string, number>> = { SEGBASE_FS: 0, SEGBASE_GS_USER: 1, SEGBASE_GS_KERNEL: 2 };

/** The register number, when the line before loads it into ecx. */
function msrBefore(text: string, start: number): number | null {
  const before = text.slice(Math.max(0, start - 200), start);
  const load = /\bmov[lq]?\s+\$([^,;\n]+),\s*%[er]cx\s*(?:(?:#|\/\/)[^\n]*|\/\*[^\n]*\*\/)?\s*[;\n]\s*$/.exec(before);
  return load ? evaluate(load[1]!.replace(/^\((.*)\)$/, '$1'), NO_CONSTANTS) : null;
}

const wrmsr: Rewrite = ({ instruction }, f, { text }) => {
  const number = msrBefore(text, instruction.start);
  const base = number === null ? undefined : SEGMENT_BASES.get(number);
  if (f.bits !== 64 || !base) return null;
  return {
    title: `Set the base with set_segment_base ${base}`,
    lines: saving(
      f,
      ['%rax', '%rdi', '%rsi'],
      [
        noted(`movl $${SEGBASE[base]}, %edi`, base),
        'movl %edx, %esi',
        'shlq $32, %rsi',
        'movl %eax, %eax',
        'orq %rax, %rsi',
        hypercall(25, 'set_segment_base'),
      ],
    ),
  };
};

/** segment_base: a variable of the port for each base, in the order of SEGBASE_*. */
const rdmsr: Rewrite = ({ instruction }, f, { text }) => {
  const number = msrBefore(text, instruction.start);
  const base = number === null ? undefined : SEGMENT_BASES.get(number);
  if (f.bits !== 64 || !base) return null;
  const at = `segment_bases+${8 * SEGBASE[base]!}`;
  return { title: 'Use the base that was last given to Xen', lines: [noted(`movl ${at}(%rip), %eax`, base), `movl ${at}+4(%rip), %edx`] };
};

const portIo: Rewrite = ({ instruction }, _f, { macros }) => {
  if (!/^out[bwl]?$/.test(instruction.mnemonic)) return null;
  const port = instruction.operands[0];
  const number = port?.kind === 'immediate' ? evaluate(port.value ?? '', macros.constants) : null;
  const rule = number === null ? null : ruleOfPort(number);
  return rule ? { title: REMOVE[rule]!, lines: [] } : null;
};

/** By rule id. */
export const SIMPLE: Readonly<Record<string, Rewrite>> = {
  cli,
  sti,
  hlt,
  clts,
  'mov-from-cr2': readCr2,
  'mov-to-cr3': writeCr3,
  invlpg,
  wbinvd,
  lgdt,
  lidt,
  ltr,
  wrmsr,
  rdmsr,
  'port-io': portIo,
};
