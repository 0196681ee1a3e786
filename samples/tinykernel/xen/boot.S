/* What Xen's domain builder reads, the hypercall page, and the start: in 64-bit mode, with paging on, at its final address. */
#include "layout.h"

#define NOTE_ENTRY 1
#define NOTE_HYPERCALL_PAGE 2
#define NOTE_VIRT_BASE 3
#define NOTE_PADDR_OFFSET 4
#define NOTE_XEN_VERSION 5
#define NOTE_GUEST_OS 6
#define NOTE_GUEST_VERSION 7
#define NOTE_LOADER 8

	.macro	NOTE type, directive, value:vararg
	.balign	4
	.long	4				/* length of the name */
	.long	2f - 1f
	.long	\type
	.asciz	"Xen"
1:	\directive \value
2:
	.endm

	.section .note.Xen, "a", @note
	NOTE	NOTE_GUEST_OS, .asciz, "tinykernel"
	NOTE	NOTE_GUEST_VERSION, .asciz, "1"
	NOTE	NOTE_XEN_VERSION, .asciz, "xen-3.0"
	NOTE	NOTE_LOADER, .asciz, "generic"
	NOTE	NOTE_VIRT_BASE, .quad, KERNEL_BASE
	NOTE	NOTE_PADDR_OFFSET, .quad, 0
	NOTE	NOTE_ENTRY, .quad, _start
	NOTE	NOTE_HYPERCALL_PAGE, .quad, hypercall_page
	.balign	4

	.cfi_sections .debug_frame
	.text
	.globl	_start
_start:
	.cfi_startproc
	.cfi_undefined %rip
	cld
	leaq	boot_stack_top(%rip), %rsp
	xorl	%ebp, %ebp
	movq	%rsi, %rdi			/* start_info */
	call	kernel_main
park:
	pushq $3                        /* sched_shutdown.reason: SHUTDOWN_crash */
	movl $2, %edi                   /* SCHEDOP_shutdown */
	movq %rsp, %rsi
	call hypercall_page + 29 * 32   /* sched_op */
	jmp	park
	.cfi_endproc

/* Xen writes the code: push %rcx, push %r11, mov $number, %eax, syscall, pop %r11, pop %rcx, ret. */
	.balign	PAGE_SIZE
	.globl	hypercall_page
	.type	hypercall_page, @object
	.size	hypercall_page, PAGE_SIZE
hypercall_page:
	.rept	PAGE_SIZE / 32
	.cfi_startproc
	.skip	1
	.cfi_adjust_cfa_offset 8
	.skip	2
	.cfi_adjust_cfa_offset 8
	.skip	5 + 2 + 2
	.cfi_adjust_cfa_offset -8
	.skip	1
	.cfi_adjust_cfa_offset -8
	.skip	32 - 13
	.cfi_endproc
	.endr

	.bss
	.balign	PAGE_SIZE
	.skip	2 * PAGE_SIZE
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
