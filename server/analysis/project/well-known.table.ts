// Names by which the BSDs, Linux, Mach and Solaris (and most kernels after them) call a privileged instruction from C. Asked only for a name that no
// file of the tree defines: its header is not part of what is read.

/** Rule of the instruction by name. */
export const WELL_KNOWN: Readonly<Record<string, string>> = {
  ...each('mov-to-cr3', 'lcr3 load_cr3 write_cr3 native_write_cr3 set_cr3 setcr3'),
  ...each('mov-from-cr3', 'rcr3 read_cr3 native_read_cr3 get_cr3 getcr3'),
  ...each('mov-cr0', 'lcr0 rcr0 load_cr0 read_cr0 write_cr0 get_cr0 set_cr0 getcr0 setcr0'),
  ...each('mov-cr4', 'lcr4 rcr4 load_cr4 read_cr4 write_cr4 get_cr4 set_cr4 getcr4 setcr4 cr4_set_bits cr4_clear_bits'),
  ...each('mov-from-cr2', 'rcr2 read_cr2 get_cr2 getcr2'),
  ...each('invlpg', 'invlpg __flush_tlb_one flush_tlb_one'),
  ...each('clts', 'clts stts'),
  ...each('cli', 'disable_intr x86_disable_intr local_irq_disable irq_disable intr_disable'),
  ...each('sti', 'enable_intr x86_enable_intr local_irq_enable irq_enable intr_enable'),
  ...each('pushf', 'read_eflags read_rflags read_psl x86_read_flags x86_read_psl getflags save_flags local_irq_save'),
  ...each('popf', 'write_eflags write_rflags write_psl x86_write_flags x86_write_psl setflags restore_flags local_irq_restore'),
  ...each('hlt', 'x86_hlt safe_halt halt_cpu'),
  ...each('lgdt', 'lgdt load_gdt lgdt_finish'),
  ...each('lidt', 'lidt load_idt'),
  ...each('lldt', 'lldt load_ldt'),
  ...each('ltr', 'ltr load_tr load_tr_desc set_tr'),
  ...each('wbinvd', 'wbinvd wbinvd_on_all_cpus'),
  ...each('rdmsr', 'rdmsr rdmsrl rdmsr_safe rdmsrl_safe'),
  ...each('wrmsr', 'wrmsr wrmsrl wrmsr_safe wrmsrl_safe'),
  ...each('rdtsc', 'rdtsc rdtscll rdtscl get_cycles'),
  ...each('rdpmc', 'rdpmc rdpmcl'),
  ...each('cpuid', 'cpuid do_cpuid cpuid_count x86_cpuid'),
  ...each('mov-dr', 'load_dr0 load_dr6 load_dr7 ldr0 ldr6 ldr7 rdr0 rdr6 rdr7 get_debugreg set_debugreg'),
  ...each('port-io', 'inb inw inl outb outw outl insb insw insl outsb outsw outsl inb_p outb_p'),
};

function each(rule: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, rule]));
}
