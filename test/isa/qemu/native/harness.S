/* Bare metal under QEMU: from multiboot into long mode; entry to the code under test by iretq, exits through an IDT of 256 gates,
   syscall, sysenter. Loaded at 1 MiB as a flat image. */
#include "layout.h"
        .code32
        .globl start
start:
        jmp 1f
        .balign 4
header: .long 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
        .long header, start, edata, end, start
1:      cld
        movl $stack_top, %esp
        /* identity: 128 MiB in 2 MiB pages */
        movl $boot_pdpt + 3, boot_pml4
        movl $boot_pd + 3, boot_pdpt
        movl $boot_pd, %edi
        movl $0x83, %eax
2:      movl %eax, (%edi)
        addl $0x200000, %eax
        addl $8, %edi
        cmpl $0x8000083, %eax
        jne 2b
        movl $boot_pml4, %eax
        movl %eax, %cr3
        movl $0x6a0, %eax               /* PAE, PGE, OSFXSR, OSXMMEXCPT */
        movl %eax, %cr4
        movl $0xc0000080, %ecx
        rdmsr
        orl $0x901, %eax                /* SCE, LME, NXE */
        wrmsr
        movl $0x80010033, %eax          /* PG, WP, NE, ET, MP, PE */
        movl %eax, %cr0
        lgdt boot_gdtr
        ljmp $8, $3f
boot_gdt: .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdtr: .word . - boot_gdt - 1
        .long boot_gdt
        .code64
3:      movl $0x10, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        call main
4:      hlt
        jmp 4b

/* void enter(struct registers *r): loads all registers and leaves by iretq; comes back when the code under test has ended. */
        .globl enter
enter:
        push %rbx
        push %rbp
        push %r12
        push %r13
        push %r14
        push %r15
        movq %rsp, saved_rsp
        pushq SS_(%rdi)
        pushq RSP_(%rdi)
        pushq RFLAGS_(%rdi)
        pushq CS_(%rdi)
        pushq RIP_(%rdi)
        pushq RDI_(%rdi)
        movq RAX_(%rdi), %rax
        movq RCX_(%rdi), %rcx
        movq RDX_(%rdi), %rdx
        movq RBX_(%rdi), %rbx
        movq RBP_(%rdi), %rbp
        movq RSI_(%rdi), %rsi
        movq R8_(%rdi), %r8
        movq R9_(%rdi), %r9
        movq R10_(%rdi), %r10
        movq R11_(%rdi), %r11
        movq R12_(%rdi), %r12
        movq R13_(%rdi), %r13
        movq R14_(%rdi), %r14
        movq R15_(%rdi), %r15
        popq %rdi
        .globl entering
entering:
        iretq

/* One stub of 16 bytes for each vector: those without an error code push a zero. */
        .balign 16
        .globl stubs
stubs:
        .set n, 0
        .rept 256
        .balign 16
        .if !((n == 8) || (n >= 10 && n <= 14) || (n == 17))
        pushq $0
        .endif
        pushq $n
        jmp common
        .set n, n + 1
        .endr

/* syscall and sysenter leave rsp alone. */
        .macro entry name, number
        .globl \name
\name:  movq %rsp, user_rsp
        movq $kernel_stack_top, %rsp
        pushq $0
        pushq user_rsp
        pushfq
        pushq $0
        pushq %rcx
        pushq $0
        pushq $\number
        jmp common
        .endm
        entry syscall_entry, 0x100
        entry compat_entry, 0x101
        entry sysenter_entry, 0x102

common: pushq %rdi
        movq $result, %rdi
        movq %rax, RAX_(%rdi)
        movq %rcx, RCX_(%rdi)
        movq %rdx, RDX_(%rdi)
        movq %rbx, RBX_(%rdi)
        movq %rbp, RBP_(%rdi)
        movq %rsi, RSI_(%rdi)
        movq %r8, R8_(%rdi)
        movq %r9, R9_(%rdi)
        movq %r10, R10_(%rdi)
        movq %r11, R11_(%rdi)
        movq %r12, R12_(%rdi)
        movq %r13, R13_(%rdi)
        movq %r14, R14_(%rdi)
        movq %r15, R15_(%rdi)
        popq RDI_(%rdi)
        popq VECTOR_(%rdi)
        popq ERROR_(%rdi)
        popq RIP_(%rdi)
        popq CS_(%rdi)
        popq RFLAGS_(%rdi)
        popq RSP_(%rdi)
        popq SS_(%rdi)
        movl %ds, %eax
        movq %rax, DS_(%rdi)
        movl %es, %eax
        movq %rax, ES_(%rdi)
        movl %fs, %eax
        movq %rax, FS_(%rdi)
        movl %gs, %eax
        movq %rax, GS_(%rdi)
        movl $0x10, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        cld
        movq saved_rsp, %rsp
        popq %r15
        popq %r14
        popq %r13
        popq %r12
        popq %rbp
        popq %rbx
        ret

        .bss
        .balign 4096
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pd: .skip 4096
        .skip 16384
stack_top:
        .skip 16384
        .globl kernel_stack_top
kernel_stack_top:
saved_rsp: .skip 8
user_rsp: .skip 8
        .globl result
result: .skip 512
