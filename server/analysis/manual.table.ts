// What the rule pages and the hover say beyond the catalogue: the native meaning, and an example of each.

export interface ManualEntry {
  /** What the instruction does on the bare machine, a sentence or two. */
  readonly native: string;
  /** The native code. Where a quick fix exists the page shows what it makes of this. */
  readonly before: string;
  readonly language: 'c' | 'gas';
  /** What a port writes, where no quick fix makes it. */
  readonly after?: string;
}

const c = (native: string, before: string, after?: string): ManualEntry => ({
  native,
  before,
  language: 'c',
  ...(after === undefined ? {} : { after }),
});
const gas = (native: string, before: string, after?: string): ManualEntry => ({
  native,
  before,
  language: 'gas',
  ...(after === undefined ? {} : { after }),
});

/** By rule id; every rule of instructions has an entry. */
export const MANUAL: Readonly<Record<string, ManualEntry>> = {
  cli: c('Clears EFLAGS.IF: no maskable interrupt is taken. Allowed up to the I/O privilege level.', 'asm volatile("cli" ::: "memory");'),
  sti: c(
    'Sets EFLAGS.IF: interrupts are taken from after the next instruction on. Allowed up to the I/O privilege level.',
    'asm volatile("sti" ::: "memory");',
  ),
  pushf: c('Pushes EFLAGS with the interrupt flag.', 'asm volatile("pushfq; popq %0" : "=r"(flags));'),
  popf: c('Loads EFLAGS from the stack; in ring 0 also IF and IOPL.', 'asm volatile("pushq %0; popfq" :: "r"(flags) : "memory", "cc");'),
  hlt: c('Stops the processor until the next interrupt.', 'asm volatile("sti; hlt");'),
  'mov-cr0': c(
    'CR0 holds protected mode, paging, write protection, cache control and the task-switched flag.',
    'asm volatile("mov %0,%%cr0" :: "r"(cr0 | CR0_TS));',
    'HYPERVISOR_fpu_taskswitch(1);',
  ),
  'mov-from-cr2': c('CR2 holds the address of the last page fault.', 'asm volatile("mov %%cr2,%0" : "=r"(address));'),
  'mov-to-cr2': c(
    'Sets the address that the next reader of CR2 sees.',
    'asm volatile("mov %0,%%cr2" :: "r"(address));',
    'this_vcpu->arch.cr2 = address;',
  ),
  'mov-from-cr3': c(
    'CR3 holds the physical address of the top-level page table.',
    'asm volatile("mov %%cr3,%0; mov %0,%%cr3" : "=r"(scratch) :: "memory");',
  ),
  'mov-to-cr3': c(
    'Switches the address space and flushes the TLB except global entries.',
    'asm volatile("mov %0,%%cr3" :: "r"(table) : "memory");',
  ),
  'mov-cr4': c(
    'CR4 switches architecture extensions: PAE, PGE, OSFXSR, OSXSAVE, SMEP and so on.',
    'asm volatile("mov %0,%%cr4" :: "r"(cr4 & ~CR4_PGE) : "memory");',
    'HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_TLB_FLUSH_LOCAL }, 1, NULL, DOMID_SELF);',
  ),
  'mov-cr8': c(
    'CR8 is the task priority: interrupts of lower priority wait.',
    'asm volatile("mov %0,%%cr8" :: "r"(15UL));',
    'this_vcpu->evtchn_upcall_mask = 1;\nbarrier();',
  ),
  'mov-dr': c(
    'The debug registers hold breakpoint addresses, their control and status.',
    'asm volatile("mov %0,%%dr7" :: "r"(0x400UL));',
    'HYPERVISOR_set_debugreg(7, 0x400);',
  ),
  clts: c('Clears CR0.TS, so that the next floating-point instruction does not raise #NM.', 'asm volatile("clts");'),
  lmsw: gas(
    'Loads the low four bits of CR0.',
    '\tlmsw\t%ax\n',
    '\tmovl\t$1, %edi\n\tcall\thypercall_page + 5 * 32\t/* fpu_taskswitch */\n',
  ),
  smsw: gas('Stores the low half of CR0.', '\tsmsw\t%ax\n', '\tmovzbl\tts_is_set(%rip), %eax\n'),
  lgdt: c(
    'Loads base and limit of the global descriptor table.',
    'struct { unsigned short limit; unsigned long base; } __attribute__((packed)) gdtr;\nvoid load(void)\n{\n    asm volatile("lgdt %0" :: "m"(gdtr));\n}',
  ),
  lidt: c('Loads base and limit of the interrupt descriptor table.', 'asm volatile("lidt %0" :: "m"(idtr));'),
  lldt: c(
    'Selects the local descriptor table.',
    'asm volatile("lldt %w0" :: "r"(selector));',
    'HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = (unsigned long)ldt, .arg2.nr_ents = entries }, 1, NULL, DOMID_SELF);',
  ),
  ltr: c(
    'Selects the task state segment, which holds the kernel stack and the I/O bitmap.',
    'struct tss { unsigned int reserved; unsigned long rsp0; } __attribute__((packed));\nstatic struct tss tss;\nvoid load(void)\n{\n    asm volatile("ltr %w0" :: "r"(0x28));\n}',
  ),
  'table-register-read': c(
    'Stores where the descriptor tables and the task state segment are.',
    'asm volatile("sgdt %0" : "=m"(gdtr));',
    'gdtr = gdt_given_to_xen;',
  ),
  'descriptor-probe': gas(
    'Looks up access rights or the limit of a segment, or whether it can be read or written.',
    '\tlsl\t%ax, %ecx\n',
    '\tmovl\tcpu_number(%rip), %ecx\n',
  ),
  'segment-load': gas(
    'Loads a segment register and its hidden descriptor.',
    '\tmovl\t$KERNEL_DS, %eax\n\tmovl\t%eax, %ds\n',
    '\tmovl\t$FLAT_KERNEL_DS, %eax\n\tmovl\t%eax, %ds\n',
  ),
  'segment-read': gas(
    'Stores a selector; its low two bits are the privilege level.',
    '\tmovl\t%cs, %eax\n\ttestl\t$3, %eax\n',
    '\tcmpw\t$USER_CS, frame_cs(%rsp)\n',
  ),
  'far-transfer': gas('Loads cs together with the instruction pointer.', '\tljmp\t*far_pointer(%rip)\n', '\tjmp\tflat_entry\n'),
  iret: gas(
    'Returns from an interrupt: rip, cs, flags, and rsp and ss.',
    '\tiretq\n',
    '\t/* stack: the iret frame with rax, r11, rcx and the flags word before it */\n\tjmp\thypercall_page + 23 * 32\n',
  ),
  syscall: gas('Enters the kernel at the address in MSR LSTAR.', '\tsyscall\n', '\tcall\thypercall_page + __HYPERVISOR_xen_version * 32\n'),
  sysret: gas(
    'Returns from a system call to user mode.',
    '\tsysretq\n',
    '\tmovl\t$VGCF_in_syscall, iret_flags(%rsp)\n\tjmp\thypercall_page + 23 * 32\n',
  ),
  sysenter: gas('Fast entry to and exit from ring 0 by three MSRs.', '\tsysexit\n', '\tjmp\thypercall_page + 23 * 32\n'),
  swapgs: gas('Exchanges the base of gs with MSR KERNEL_GS_BASE.', '\tswapgs\n', '\t/* nothing: Xen has swapped the bases */\n'),
  'fs-gs-base': c(
    'Reads or writes the base of fs or gs without an MSR access.',
    'asm volatile("wrfsbase %0" :: "r"(base));',
    'HYPERVISOR_set_segment_base(SEGBASE_FS, base);',
  ),
  rdmsr: c(
    'Reads the model-specific register that ecx names into edx:eax.',
    '#define MSR_GS_BASE 0xc0000101\nvoid f(void)\n{\n    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_GS_BASE));\n}',
  ),
  wrmsr: c(
    'Writes edx:eax to the model-specific register that ecx names.',
    '#define MSR_FS_BASE 0xc0000100\nvoid f(void)\n{\n    asm volatile("wrmsr" :: "c"(MSR_FS_BASE), "a"((unsigned int)base), "d"((unsigned int)(base >> 32)));\n}',
  ),
  rdtsc: c(
    'Reads the time-stamp counter.',
    'asm volatile("rdtsc" : "=a"(low), "=d"(high));',
    'now = system_time_of(&this_vcpu->time, rdtsc_ordered());',
  ),
  rdpmc: c(
    'Reads a performance counter.',
    'asm volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(0));',
    'HYPERVISOR_xenpmu_op(XENPMU_init, &parameters);',
  ),
  cpuid: c(
    'Identifies the processor and its features.',
    'asm volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));',
    'asm volatile("ud2; .ascii \\"xen\\"; cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));',
  ),
  'port-io': c('Reads or writes an I/O port.', 'asm volatile("outb %b0,$0x21" :: "a"(0xff));'),
  'int-gate': gas(
    'Calls the handler that the interrupt descriptor table has for the vector.',
    '\tint\t$0x80\n',
    '\t/* stays; the kernel registers the vector:\n\t   HYPERVISOR_set_trap_table({ { 0x80, 3, FLAT_KERNEL_CS, handler }, { 0 } }) */\n\tint\t$0x80\n',
  ),
  invlpg: c('Drops the TLB entry of one page.', 'asm volatile("invlpg (%0)" :: "r"(address) : "memory");'),
  invpcid: c(
    'Drops TLB entries by process-context identifier.',
    'asm volatile("invpcid %0,%1" :: "m"(descriptor), "r"(2UL) : "memory");',
    'HYPERVISOR_mmuext_op(&(struct mmuext_op){ .cmd = MMUEXT_TLB_FLUSH_LOCAL }, 1, NULL, DOMID_SELF);',
  ),
  wbinvd: c('Writes back and empties the caches.', 'asm volatile("wbinvd" ::: "memory");'),
  invd: c('Empties the caches without writing back.', 'asm volatile("invd");', '/* nothing */'),
  mwait: c(
    'Waits until a monitored line of memory is written.',
    'asm volatile("mwait" :: "a"(0), "c"(0));',
    'HYPERVISOR_sched_op(SCHEDOP_block, NULL);',
  ),
  xsetbv: c(
    'Sets which extended states XSAVE handles (XCR0).',
    'asm volatile("xsetbv" :: "a"(7), "d"(0), "c"(0));',
    'asm volatile("xsetbv" :: "a"(7), "d"(0), "c"(0));',
  ),
  xsaves: c(
    'Saves extended state including supervisor state.',
    'asm volatile("xsaves %0" : "=m"(*area) : "a"(-1), "d"(-1));',
    'asm volatile("xsavec %0" : "=m"(*area) : "a"(-1), "d"(-1));',
  ),
  'stac-clac': gas('Opens and closes access to user pages under SMAP.', '\tstac\n', '\t/* nothing */\n'),
  'protection-keys': c(
    'Reads or writes the rights of the protection keys.',
    'asm volatile("wrpkru" :: "a"(0), "c"(0), "d"(0));',
    '/* nothing */',
  ),
  virtualization: c(
    'Runs and controls virtual machines.',
    'asm volatile("vmxon %0" :: "m"(region));',
    '/* nothing: report that the feature is not there */',
  ),
  'no-pv-equivalent': gas(
    'System management, enclaves, memory encryption, shadow stacks, user interrupts and other functions of ring 0.',
    '\trsm\n',
    '\t/* nothing */\n',
  ),
  'port-pic': c(
    'Programs the 8259 interrupt controllers, or acknowledges an interrupt at one.',
    'void f(void)\n{\n    outb(0x20, 0x20);\n    work();\n}',
  ),
  'port-pit': c('Programs the 8254 timer.', 'void f(void)\n{\n    outb(0x43, 0x34);\n    work();\n}'),
  'port-uart': c('Programs a serial port, or sends and receives through it.', 'void f(char c)\n{\n    outb(0x3f8, c);\n}'),
  'idt-gate': c('Stores a gate in the interrupt descriptor table.', 'void f(void)\n{\n    set_gate(0x80, syscall_entry, 3);\n}'),
};
