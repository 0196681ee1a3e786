/* Addresses, selectors and bits that both C and assembly need. */
#ifndef LAYOUT_H
#define LAYOUT_H

#ifdef __ASSEMBLER__
#define UL(value) value
#else
#define UL(value) value##UL
#endif

#define PAGE_SIZE 4096
#define KERNEL_BASE UL(0xffffffff80000000)
#define HEAP_BASE UL(0xffffffffc0000000)
#define USER_CODE UL(0x400000)
#define USER_DATA UL(0x401000)
#define USER_STACK_TOP UL(0x403000)

#define PTE_PRESENT 0x001
#define PTE_WRITE 0x002
#define PTE_USER 0x004
#define PTE_LARGE 0x080

#define KERNEL_CS 0x08
#define KERNEL_SS 0x10
#define USER_SS 0x1b
#define USER_CS 0x23
#define TSS_SELECTOR 0x28

#define CR0_MP 0x00000002
#define CR0_EM 0x00000004
#define CR0_TS 0x00000008
#define CR0_NE 0x00000020
#define CR0_WP 0x00010000
#define CR0_PG 0x80000000
#define CR4_PAE 0x020
#define CR4_OSFXSR 0x200
#define RFLAGS_IF 0x200

#define MSR_EFER 0xc0000080
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define EFER_LME 0x100

#define VECTOR_NO_FPU 7
#define VECTOR_PAGE_FAULT 14
#define VECTOR_IRQ0 32
#define VECTOR_SYSCALL 0x80

#define SYSCALL_WRITE 1
#define SYSCALL_EXIT 2

/* Code for each vector, at trap_entries. */
#define TRAP_ENTRY_SIZE 16

/* struct cpu, reached through %gs. */
#define CPU_KERNEL_RSP 8

#endif
