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

#define USER_SS 0x1b
#define USER_CS 0x23
#define RFLAGS_IF 0x200

#define VECTOR_NO_FPU 7
#define VECTOR_PAGE_FAULT 14
#define VECTOR_EVENT 32			/* of our own choice: Xen's event callback has no vector */
#define VECTOR_SYSCALL 0x80

#define SYSCALL_WRITE 1
#define SYSCALL_EXIT 2

/* Code for each vector, at trap_entries. */
#define TRAP_ENTRIES 32
#define TRAP_ENTRY_SIZE 16

/* struct cpu, reached through %gs. */
#define CPU_KERNEL_RSP 8

#endif
