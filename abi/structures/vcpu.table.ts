// vCPU state and the arguments of vcpu_op.
// Notation: declaration.ts.

export const vcpuStructures = {
  cpu_user_regs: `
    64: x64 r15; 64: x64 r14; 64: x64 r13; 64: x64 r12; 64: x64 rbp; 64: x64 rbx; 64: x64 r11; 64: x64 r10; 64: x64 r9; 64: x64 r8;
    64: x64 rax; 64: x64 rcx; 64: x64 rdx; 64: x64 rsi; 64: x64 rdi; 64: x32 error_code; 64: u32=vector entry_vector; 64: x64 rip;
    64: x16 cs; 64: u16 _pad0[1]; 64: u8 saved_upcall_mask; 64: u8 _pad1[3]; 64: x64 rflags; 64: x64 rsp; 64: x16 ss; 64: u16 _pad2[3];
    64: x16 es; 64: u16 _pad3[3]; 64: x16 ds; 64: u16 _pad4[3]; 64: x16 fs; 64: u16 _pad5[3]; 64: x16 gs; 64: u16 _pad6[3];
    32: x32 ebx; 32: x32 ecx; 32: x32 edx; 32: x32 esi; 32: x32 edi; 32: x32 ebp; 32: x32 eax;
    32: x16 error_code; 32: u16=vector entry_vector; 32: x32 eip; 32: x16 cs; 32: u8 saved_upcall_mask; 32: u8 _pad0; 32: x32 eflags;
    32: x32 esp; 32: x16 ss; 32: u16 _pad1; 32: x16 es; 32: u16 _pad2; 32: x16 ds; 32: u16 _pad3; 32: x16 fs; 32: u16 _pad4;
    32: x16 gs; 32: u16 _pad5`,
  trap_info: 'u8=vector vector; x8 flags; x16 cs; xlong address',
  vcpu_guest_context: `
    struct { u8 x[512] } fpu_ctxt; xlong flags; cpu_user_regs user_regs; trap_info trap_ctxt[256]; xlong ldt_base;
    ulong ldt_ents; xlong gdt_frames[16]; ulong gdt_ents; xlong kernel_ss; xlong kernel_sp; xlong ctrlreg[8];
    xlong debugreg[8]; 32: xlong event_callback_cs; xlong event_callback_eip; 32: xlong failsafe_callback_cs;
    xlong failsafe_callback_eip; 64: xlong syscall_callback_eip; xlong vm_assist; 64: x64 fs_base; 64: x64 gs_base_kernel;
    64: x64 gs_base_user`,
  iret_context: `
    64: x64 rax; 64: x64 r11; 64: x64 rcx; 64: x64 flags; 64: x64 rip; 64: x64 cs; 64: x64 rflags; 64: x64 rsp; 64: x64 ss`,
  vcpu_register_runstate_memory_area: 'union { @vcpu_runstate_info h; @vcpu_runstate_info v; x64 p } addr',
  vcpu_set_periodic_timer: 'u64 period_ns',
  vcpu_set_singleshot_timer: 'u64 timeout_abs_ns; x32 flags',
  vcpu_register_vcpu_info: 'x64 mfn; u32 offset; u32 rsvd',
  vcpu_get_physid: '>x64 phys_id',
  vcpu_register_time_memory_area: 'union { @vcpu_time_info h; @vcpu_time_info v; x64 p } addr',
} as const;
